import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DagDocument } from '@daggerboard/dag'
import { madeUpDag, madeUpInstance, madeUpRun } from '../../test/made-up-dag.ts'
import { type MarkedRun, type MarkRequest, markRun, markTasks } from './mark.ts'
import { TASK_INSTANCE_MOVES, type TaskInstanceState } from './task-instance.ts'

const NOW = new Date('2024-02-01T00:00:00Z')

const chain = madeUpDag({ a: {}, b: { upstream: ['a'] }, c: { upstream: ['b'] } })

const withCluster = madeUpDag({
  cluster: { role: 'setup' },
  train: { upstream: ['cluster'] },
  drop: { role: 'teardown', setups: ['cluster'], upstream: ['train', 'cluster'] },
})

const instancesOf = (
  document: DagDocument,
  states: Readonly<Record<string, TaskInstanceState>>,
  run = madeUpRun('2024-01-05', { state: 'running' }),
) => Object.entries(states).map(([taskId, state]) => madeUpInstance(document, run, taskId, { state }))

const ask = (taskId: string, state: MarkRequest['state'], facts: Partial<MarkRequest> = {}): MarkRequest => ({
  keys: [{ taskId }],
  state,
  upstream: false,
  downstream: false,
  future: false,
  past: false,
  ...facts,
})

const shown = (instances: readonly { taskId: string; state: string }[]) =>
  Object.fromEntries(instances.map(({ taskId, state }) => [taskId, state]))

test('marking a failed task a success clears what could not run because of it, and takes the run up again', () => {
  const run = madeUpRun('2024-01-05', { state: 'failed' })
  const instances = instancesOf(chain, { a: 'success', b: 'failed', c: 'upstream_failed' }, run)
  const marked = markTasks(chain, ask('b', 'success'), [{ run, instances }], NOW)
  assert.deepEqual(shown(marked.instances), { b: 'success' })
  assert.equal(marked.instances[0]?.detail, 'Marked success by hand.')
  assert.deepEqual(shown(marked.cleared.instances), { c: 'none' })
  assert.equal(marked.cleared.runs[0]?.state, 'queued')
})

test('what is cleared because of a mark gets its cluster again', () => {
  const document = madeUpDag({
    cluster: { role: 'setup' },
    train: { upstream: ['cluster'] },
    score: { upstream: ['train'] },
    drop: { role: 'teardown', setups: ['cluster'], upstream: ['score', 'cluster'] },
  })
  const run = madeUpRun('2024-01-05', { state: 'failed' })
  const instances = instancesOf(document, { cluster: 'success', train: 'failed', score: 'upstream_failed', drop: 'success' }, run)
  const { cleared } = markTasks(document, ask('train', 'success'), [{ run, instances }], NOW)
  assert.deepEqual(shown(cleared.instances), { cluster: 'none', score: 'none', drop: 'none' })
})

test('marking goes up, down, and leaves alone what is in that state already', () => {
  const run = madeUpRun('2024-01-05', { state: 'running' })
  const one = [{ run, instances: instancesOf(chain, { a: 'success', b: 'running', c: 'none' }, run) }]
  assert.deepEqual(shown(markTasks(chain, ask('b', 'success', { upstream: true, downstream: true }), one, NOW).instances), {
    b: 'success',
    c: 'success',
  })
  assert.deepEqual(shown(markTasks(chain, ask('c', 'skipped', { upstream: true }), one, NOW).instances), {
    a: 'skipped',
    b: 'skipped',
    c: 'skipped',
  })
})

test('marking a task without instances in these runs says so', () => {
  assert.throws(() => markTasks(chain, ask('b', 'success'), [{ run: madeUpRun('2024-01-05'), instances: [] }], NOW), {
    code: 'not_found',
    message: /"b" of DAG "wind" has no instance/,
  })
})

test('any state can be marked as any of the three', () => {
  const states = Object.keys(TASK_INSTANCE_MOVES).filter((state) => state !== 'removed') as TaskInstanceState[]
  const run = madeUpRun('2024-01-05', { state: 'running' })
  for (const state of states) {
    for (const to of ['success', 'failed', 'skipped'] as const) {
      const { instances } = markTasks(chain, ask('a', to), [{ run, instances: instancesOf(chain, { a: state }, run) }], NOW)
      assert.equal(instances[0]?.state ?? state, to, `${state} to ${to}`)
    }
  }
})

test('a run marked a success has only successes', () => {
  const run = madeUpRun('2024-01-05', { state: 'running' })
  const marked = markRun(chain, run, instancesOf(chain, { a: 'failed', b: 'running', c: 'none' }, run), 'success', NOW)
  assert.deepEqual(shown(marked.instances), { a: 'success', b: 'success', c: 'success' })
  assert.equal(marked.run.state, 'success')
})

test('a run marked failed ends what works and skips what has not begun', () => {
  const run = madeUpRun('2024-01-05', { state: 'running' })
  const marked = markRun(chain, run, instancesOf(chain, { a: 'success', b: 'deferred', c: 'none' }, run), 'failed', NOW)
  assert.deepEqual(shown(marked.instances), { b: 'failed', c: 'skipped' })
  assert.equal(marked.run.state, 'failed')
})

test('a teardown still runs in a run that is marked, and the run ends as marked once it has', () => {
  const run = madeUpRun('2024-01-05', { state: 'running' })
  const instances = instancesOf(withCluster, { cluster: 'success', train: 'none', drop: 'none' }, run)
  const isOpen = (marked: MarkedRun) => marked.run === run
  const failed = markRun(withCluster, run, instances, 'failed', NOW)
  assert.ok(isOpen(failed))
  assert.deepEqual(shown(failed.instances), { train: 'upstream_failed' }, 'so that the run fails when the teardown is through')
  const succeeded = markRun(withCluster, run, instances, 'success', NOW)
  assert.ok(isOpen(succeeded))
  assert.deepEqual(shown(succeeded.instances), { train: 'success' })
})

test('a run that has ended can be queued again, one that runs cannot', () => {
  const ended = madeUpRun('2024-01-05', { state: 'failed', startedAt: '2024-01-06T00:00:00Z' })
  assert.deepEqual(
    [markRun(chain, ended, [], 'queued', NOW).run.state, markRun(chain, ended, [], 'queued', NOW).run.startedAt],
    ['queued', null],
  )
  assert.throws(() => markRun(chain, madeUpRun('2024-01-05', { state: 'running' }), [], 'queued', NOW), { code: 'conflict' })
})
