import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpDag } from '../../test/made-up-dag.ts'
import type { DagRecord } from './dag.ts'
import { manualRun, type RunRequest } from './manual-run.ts'
import { timetable } from './timetable.ts'

const NOW = new Date('2024-01-25T01:00:00Z')

const record = (facts: Partial<DagRecord> = {}): DagRecord => ({
  dagId: 'wind',
  document: madeUpDag({ a: {} }),
  file: 'wind.ts',
  source: '',
  isPaused: false,
  isStale: false,
  hasImportErrors: false,
  parsedAt: '',
  ...facts,
})

const daily = timetable(madeUpDag({}).schedule, 'UTC')

const interval = (request: RunRequest, table = daily) => {
  const run = manualRun(record(), table, request, NOW, 'ann')
  return [run.dataIntervalStart, run.dataIntervalEnd].map((at) => at.slice(5, 16)).join(' ')
}

test('a run by hand covers the last complete interval: before now, before the time it may start, or before its logical date', () => {
  assert.equal(interval({}), '01-24T00:00 01-25T00:00')
  assert.equal(interval({ runAfter: new Date('2024-01-27T09:00:00Z') }), '01-26T00:00 01-27T00:00', 'as Airflow 3')
  assert.equal(interval({ logicalDate: new Date('2024-01-10T09:00:00Z') }), '01-09T00:00 01-10T00:00', 'as Airflow 2')
})

test('a run by hand of a trigger timetable covers the time of its length before it', () => {
  const trigger = (intervalSeconds: number) =>
    timetable({ kind: 'cronTrigger', expressions: ['0 0 * * *'], intervalSeconds, runImmediately: false, text: '' }, 'UTC')
  assert.equal(interval({}, trigger(0)), '01-25T01:00 01-25T01:00')
  assert.equal(interval({}, trigger(3600)), '01-25T00:00 01-25T01:00')
})

test('an interval that is given counts, and a run id is made of the logical date', () => {
  const start = new Date('2024-01-01T00:00:00Z')
  const end = new Date('2024-01-08T00:00:00Z')
  assert.equal(interval({ dataIntervalStart: start, dataIntervalEnd: end }), '01-01T00:00 01-08T00:00')
  assert.equal(manualRun(record(), daily, { logicalDate: start }, NOW, 'ann').runId, 'manual__2024-01-01T00:00:00+00:00')
  assert.match(manualRun(record(), daily, {}, NOW, 'ann').runId, /^manual__2024-01-25T01:00:00\+00:00_[0-9a-f]{8}$/)
})

test('a DAG that is gone or cannot be read is not run', () => {
  assert.throws(() => manualRun(record({ isStale: true }), daily, {}, NOW, 'ann'), { code: 'conflict' })
  assert.throws(() => manualRun(record({ hasImportErrors: true }), daily, {}, NOW, 'ann'), { code: 'conflict' })
  assert.throws(() => manualRun(record(), daily, { runId: '../x', dataIntervalStart: NOW }, NOW, 'ann'), { code: 'invalid' })
})

test('a conf that is nested thousands deep is refused, whoever asks with it', () => {
  const deep = JSON.parse('['.repeat(2000) + ']'.repeat(2000))
  assert.throws(() => manualRun(record(), daily, { conf: { deep } }, NOW, 'ann'), { code: 'invalid' })
})
