import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeStage } from './refresh-line.ts'

const build = { kind: 'build', state: 'running', detail: null, repository: null, steps: [] }

test('a stage is told as soon as there is something to tell', () => {
  assert.equal(describeStage({ ...build, state: 'waiting' }), null)
  assert.equal(describeStage(build), null)
  const steps = [{ id: 'test', status: 'WORKING' }]
  assert.equal(describeStage({ ...build, repository: 'purchase_predict', steps }), '… build: purchase_predict test WORKING')
})

test('a stage that failed says why behind its facts', () => {
  const stage = { kind: 'cluster', state: 'failed', detail: 'no memory', name: 'c-1', clusterState: 'ERROR' }
  assert.equal(describeStage(stage), '✖ cluster: c-1 ERROR — no memory')
})

test('the transform counts only when it has counted', () => {
  const stage = { kind: 'transform', state: 'running', detail: null, progress: 0.634, inputRows: 0, outputRows: 0 }
  assert.equal(describeStage(stage), '… transform: 63 %')
  assert.equal(
    describeStage({ ...stage, state: 'success', inputRows: 1_000_000, outputRows: 19_684 }),
    '✔ transform: 1,000,000 events to 19,684 rows',
  )
})
