import assert from 'node:assert/strict'
import { test } from 'node:test'
import getData from './get_data_from_engie_hub.ts'
import monitor from './monitor.ts'
import predict from './predict.ts'
import train from './train.ts'

const edges = ({ document }: typeof train): string[] =>
  document.tasks.flatMap(({ taskId, downstream }) => downstream.map((next) => `${taskId} → ${next}`))

test('the wind farm trains every four weeks, and gets data and predicts every two minutes', () => {
  assert.deepEqual(train.document.schedule, { kind: 'delta', seconds: 28 * 86_400, interval: true, text: 'every 28d' })
  for (const { document } of [getData, predict])
    assert.deepEqual(document.schedule, { kind: 'delta', seconds: 120, interval: true, text: 'every 2m' })
})

test('its DAGs wait until somebody unpauses them, and none overtakes itself', () => {
  for (const { document } of [train, getData, predict, monitor]) {
    assert.equal(document.isPausedUponCreation, true)
    assert.equal(document.maxActiveRuns, 1)
    assert.equal(document.catchup, false)
  }
})

test('what a task needs, it is given by the one before it', () => {
  assert.deepEqual(edges(train), ['get_training_data → prepare_features', 'prepare_features → train_model', 'train_model → track_model'])
  assert.deepEqual(edges(predict), ['choose_model → prepare_features', 'choose_model → predict', 'prepare_features → predict'])
})

test('the monitor runs when there is a prediction, and at no other time', () => {
  const { schedule } = monitor.document
  assert.equal(schedule.kind, 'assets')
  const outlets = predict.document.tasks.find(({ taskId }) => taskId === 'predict')?.outlets
  assert.deepEqual(schedule.kind === 'assets' && [schedule.condition], outlets)
})
