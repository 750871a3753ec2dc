import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { DAG_RUN_MOVES, type DagRunState, isFinished, moveRun, scheduledRun } from './dag-run.ts'
import { decide } from './decide.ts'
import { moveInstance, newTaskInstance, TASK_INSTANCE_MOVES, type TaskInstance, type TaskInstanceState } from './task-instance.ts'

const now = new Date('2019-10-07T05:00:00Z')
const due = { logicalDate: now, interval: { start: now, end: now }, runAfter: now }
const run = scheduledRun('d', due, now)
const { document } = dag('d', {}, ({ task }) => {
  const a = task('a', async () => {})
  const b = task('b', async () => {}).after(a)
  task('c', async () => {}, { triggerRule: 'none_failed' }).after(b)
})
const instance = (taskId: string, state: TaskInstanceState): TaskInstance => {
  const task = document.tasks.find((one) => one.taskId === taskId)
  return { ...newTaskInstance(run, task as NonNullable<typeof task>), state }
}
const instances = (states: Record<string, TaskInstanceState>) =>
  new Map(Object.entries(states).map(([id, state]) => [id, instance(id, state)]))

test('a run makes the moves of its table and no other', () => {
  const states = Object.keys(DAG_RUN_MOVES) as DagRunState[]
  for (const from of states) {
    for (const to of states) {
      const move = () => moveRun({ ...run, state: from }, to, now)
      if (DAG_RUN_MOVES[from].includes(to)) assert.equal(move().revision, run.revision + 1)
      else assert.throws(move, new RegExp(`cannot go from ${from} to ${to}`))
    }
    assert.equal(isFinished(from), from === 'success' || from === 'failed')
  }
})

test('a task instance makes the moves of its table and no other', () => {
  const states = Object.keys(TASK_INSTANCE_MOVES) as TaskInstanceState[]
  for (const from of states) {
    for (const to of states) {
      const move = () => moveInstance(instance('a', from), to, now)
      if (TASK_INSTANCE_MOVES[from].includes(to)) assert.equal(move().state, to)
      else assert.throws(move, new RegExp(`Task "a" .* cannot go from ${from} to ${to}`))
    }
  }
})

test('every state can be come to from the first', () => {
  const reached = new Set<TaskInstanceState>(['none'])
  for (const state of reached) for (const next of TASK_INSTANCE_MOVES[state]) reached.add(next)
  assert.equal(reached.size, Object.keys(TASK_INSTANCE_MOVES).length)
})

test('a try that ends gives up its token, and its times follow from its moves', () => {
  const queued = moveInstance(instance('a', 'scheduled'), 'queued', now, { attemptId: 'token', tryNumber: 1 })
  const running = moveInstance(queued, 'running', new Date('2019-10-07T05:00:01Z'))
  const ended = moveInstance(running, 'success', new Date('2019-10-07T05:00:03Z'))
  assert.equal(running.attemptId, 'token')
  assert.equal(ended.attemptId, null)
  assert.deepEqual(
    [ended.queuedAt, ended.startedAt, ended.endedAt].map((at) => at?.slice(17, 19)),
    ['00', '01', '03'],
  )
})

test('one decision follows a chain of skips to its end, and asked again has nothing to add', () => {
  const first = decide(document, instances({ a: 'skipped', b: 'none', c: 'none' }), now)
  assert.deepEqual(
    first.moves.map(({ taskId, state }) => `${taskId} ${state}`),
    ['b skipped', 'c scheduled'],
  )
  const second = decide(document, new Map([...instances({ a: 'skipped' }), ...first.moves.map((one) => [one.taskId, one] as const)]), now)
  assert.deepEqual(second.moves, [])
  assert.equal(second.outcome, null)
})

test('the leaves decide how a run ends', () => {
  const outcome = (a: TaskInstanceState, b: TaskInstanceState, c: TaskInstanceState) =>
    decide(document, instances({ a, b, c }), now).outcome
  assert.equal(outcome('success', 'success', 'success'), 'success')
  assert.equal(outcome('failed', 'upstream_failed', 'success'), 'success')
  assert.equal(outcome('success', 'success', 'failed'), 'failed')
  assert.equal(outcome('success', 'failed', 'upstream_failed'), 'failed')
  assert.equal(outcome('skipped', 'skipped', 'skipped'), 'success')
  assert.equal(outcome('success', 'success', 'running'), null)
  assert.equal(decide(dag('empty', {}, () => {}).document, new Map(), now).outcome, 'success')
})
