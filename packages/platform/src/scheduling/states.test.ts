import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagDocument, dag } from '@daggerboard/dag'
import { advance } from './advance.ts'
import { Board } from './board.ts'
import { planOf } from './dag-plan.ts'
import { DAG_RUN_MOVES, type DagRunState, isFinished, moveRun, scheduledRun } from './dag-run.ts'
import { moveInstance, newTaskInstance, TASK_INSTANCE_MOVES, type TaskInstance, type TaskInstanceState } from './task-instance.ts'
import { timetable } from './timetable.ts'
import { Turn } from './turn.ts'

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

/** The run as it is after one look at these states. */
function look(document: DagDocument, states: Record<string, TaskInstanceState>) {
  const board = new Board()
  const record = { dagId: 'd', document, file: 'd.ts', source: '', isPaused: false, isStale: false, hasImportErrors: false, parsedAt: '' }
  const known = { record, plan: planOf(document), timetable: timetable(document.schedule, 'UTC'), lastInterval: null, due: undefined }
  board.putDag(known)
  const of = board.putRun({ ...run, state: 'running' })
  for (const [id, state] of Object.entries(states)) board.putInstance(of, instance(id, state))
  const turn = new Turn(board, now)
  advance(turn)
  const moves = turn.notices.flatMap(({ notice }) => ('taskId' in notice ? [`${notice.taskId} ${notice.state}`] : []))
  const before = turn.notices.length
  board.toAdvance.add(of)
  advance(turn)
  assert.equal(turn.notices.length, before, 'asked again it has nothing to add')
  return { moves, outcome: of.run.state === 'running' ? null : of.run.state }
}

test('one look follows a chain of skips to its end', () => {
  const found = look(document, { a: 'skipped', b: 'none', c: 'none' })
  assert.deepEqual(found, { moves: ['b skipped', 'c scheduled'], outcome: null })
})

test('the leaves decide how a run ends', () => {
  const outcome = (a: TaskInstanceState, b: TaskInstanceState, c: TaskInstanceState) => look(document, { a, b, c }).outcome
  assert.equal(outcome('success', 'success', 'success'), 'success')
  assert.equal(outcome('failed', 'upstream_failed', 'success'), 'success')
  assert.equal(outcome('success', 'success', 'failed'), 'failed')
  assert.equal(outcome('success', 'failed', 'upstream_failed'), 'failed')
  assert.equal(outcome('skipped', 'skipped', 'skipped'), 'success')
  assert.equal(outcome('success', 'success', 'running'), null)
  assert.equal(look(dag('empty', {}, () => {}).document, {}).outcome, 'success')
})
