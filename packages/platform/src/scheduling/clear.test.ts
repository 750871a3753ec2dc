import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DagDocument } from '@daggerboard/dag'
import { madeUpDag, madeUpInstance, madeUpRun } from '../../test/made-up-dag.ts'
import { type Cleared, type ClearRequest, clear, clearInstance, clearRunRequest, restartInstance, runsToClear } from './clear.ts'
import type { DagRun } from './dag-run.ts'
import type { TaskInstance, TaskInstanceState } from './task-instance.ts'

const NOW = new Date('2024-02-01T00:00:00Z')

const chain = madeUpDag({ a: { retries: 2 }, b: { upstream: ['a'] }, c: { upstream: ['b'] } })

const ask = (facts: Partial<ClearRequest>): ClearRequest => ({ ...clearRunRequest('', { onlyFailed: false, dryRun: false }), ...facts })

const runOf = (
  document: DagDocument,
  states: Readonly<Record<string, TaskInstanceState>>,
  run: DagRun = madeUpRun('2024-01-05', { state: 'failed' }),
) => ({
  run,
  instances: Object.entries(states).map(([taskId, state]) => madeUpInstance(document, run, taskId, { state })),
})

const ids = ({ selected }: Cleared) => selected.map(({ taskId, mapIndex }) => (mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`))

test('clearing a whole run takes all of its tasks, or those that failed and those that could not run because of it', () => {
  const one = runOf(chain, { a: 'success', b: 'failed', c: 'upstream_failed' })
  assert.deepEqual(ids(clear(chain, ask({}), [one], NOW)), ['a', 'b', 'c'])
  assert.deepEqual(ids(clear(chain, ask({ onlyFailed: true }), [one], NOW)), ['b', 'c'])
  const two = runOf(chain, { a: 'success', b: 'running', c: 'failed' })
  assert.deepEqual(ids(clear(chain, ask({ onlyRunning: true }), [two], NOW)), ['b'])
  assert.deepEqual(ids(clear(chain, ask({ onlyRunning: true, onlyFailed: true }), [two], NOW)), ['b', 'c'])
})

test('clearing a task takes what lies before or after it when asked to', () => {
  const one = runOf(chain, { a: 'success', b: 'success', c: 'success' })
  const taskIds = ['b']
  assert.deepEqual(ids(clear(chain, ask({ taskIds }), [one], NOW)), ['b'])
  assert.deepEqual(ids(clear(chain, ask({ taskIds, includeUpstream: true }), [one], NOW)), ['a', 'b'])
  assert.deepEqual(ids(clear(chain, ask({ taskIds, includeDownstream: true }), [one], NOW)), ['b', 'c'])
})

test('a cleared task begins anew with as many further tries as its author gives it, and its last try is kept', () => {
  const run = madeUpRun('2024-01-05', { state: 'success' })
  const facts = { state: 'failed', tryNumber: 3, maxTries: 2, endedAt: run.runAfter, skip: { all: 'direct' }, rescheduleCount: 4 } as const
  const { instances, tries, runs } = clear(
    chain,
    ask({ taskIds: ['a'] }),
    [{ run, instances: [madeUpInstance(chain, run, 'a', facts)] }],
    NOW,
  )
  const [a] = instances
  assert.equal(a?.state, 'none')
  assert.equal(a?.tryNumber, 3)
  assert.equal(a?.maxTries, 5)
  assert.deepEqual([a?.startedAt, a?.endedAt, a?.skip, a?.firstStartedAt, a?.rescheduleCount], [null, null, null, null, 0])
  assert.equal(a?.revision, 1)
  assert.deepEqual(
    tries.map(({ taskId, tryNumber, state, endedAt }) => ({ taskId, tryNumber, state, endedAt })),
    [{ taskId: 'a', tryNumber: 3, state: 'failed', endedAt: run.runAfter }],
  )
  assert.deepEqual([runs[0]?.state, runs[0]?.startedAt, runs[0]?.clearNumber, runs[0]?.queuedAt], ['queued', null, 1, NOW.toISOString()])
})

test('a task that never ran leaves no try behind', () => {
  const { tries } = clear(chain, ask({}), [runOf(chain, { a: 'none', b: 'upstream_failed' })], NOW)
  assert.deepEqual(tries, [])
})

test('what works for a task is ended first: it restarts, and only then begins anew', () => {
  const run = madeUpRun('2024-01-05', { state: 'running' })
  const deferral = { wait: { kind: 'time', at: '2024-01-07T00:00:00Z' }, timeoutAt: null, event: null } as const
  const running = madeUpInstance(chain, run, 'a', { state: 'running', attemptId: 'token' })
  const deferred = madeUpInstance(chain, run, 'b', { state: 'deferred', deferral })
  const { instances, tries, runs } = clear(chain, ask({}), [{ run, instances: [running, deferred] }], NOW)
  assert.deepEqual(
    instances.map(({ state }) => state),
    ['restarting', 'restarting'],
  )
  assert.equal(instances[0]?.attemptId, 'token')
  assert.deepEqual(instances[1]?.deferral, deferral, 'kept until what it has begun elsewhere is ended')
  assert.deepEqual(tries, [])
  assert.deepEqual(runs, [], 'a run that runs is left alone')
  const again = restartInstance(instances[1] as TaskInstance, chain.tasks[1] as DagDocument['tasks'][number], NOW)
  assert.deepEqual([again.state, again.deferral, again.maxTries], ['none', null, 1])
})

test('a running task is not ended when the caller does not want it', () => {
  const one = runOf(chain, { a: 'running', b: 'none' })
  assert.throws(() => clear(chain, ask({ preventRunningTask: true }), [one], NOW), { code: 'conflict', message: /are not cleared/ })
})

test('every state that an instance may be in can be cleared', () => {
  const run = madeUpRun('2024-01-05')
  const states = ['none', 'scheduled', 'queued', 'running', 'success', 'failed', 'skipped', 'upstream_failed', 'up_for_retry'] as const
  for (const state of [...states, 'up_for_reschedule', 'deferred', 'restarting', 'removed'] as const) {
    const cleared = clearInstance(madeUpInstance(chain, run, 'a', { state }), chain.tasks[0] as DagDocument['tasks'][number], NOW)
    assert.ok(['none', 'restarting'].includes(cleared.state), state)
    assert.equal(cleared.revision, 1, state)
  }
})

test('the setup and the teardown around a cleared task are cleared with it, also when only failed ones are', () => {
  const document = madeUpDag({
    cluster: { role: 'setup' },
    train: { upstream: ['cluster'] },
    report: { upstream: ['train'] },
    drop: { role: 'teardown', setups: ['cluster'], upstream: ['train', 'cluster'] },
    other: {},
  })
  const one = runOf(document, { cluster: 'success', train: 'failed', report: 'upstream_failed', drop: 'success', other: 'success' })
  assert.deepEqual(ids(clear(document, ask({ taskIds: ['train'], onlyFailed: true }), [one], NOW)), ['cluster', 'train', 'drop'])
  assert.deepEqual(ids(clear(document, ask({ taskIds: ['report'] }), [one], NOW)), ['report'], 'it comes after the teardown has begun')
  assert.deepEqual(ids(clear(document, ask({ taskIds: ['cluster'] }), [one], NOW)), ['cluster', 'drop'])
  assert.deepEqual(ids(clear(document, ask({ taskIds: ['drop'] }), [one], NOW)), ['drop'])
})

test('one instance of a mapped task can be cleared alone, and in a mapped group with what has the same index', () => {
  const document = madeUpDag(
    {
      list: {},
      'each.load': { groupId: 'each', upstream: ['list'] },
      'each.save': { groupId: 'each', upstream: ['each.load'] },
      sum: { upstream: ['each.save'] },
    },
    { groups: [{ groupId: 'each', parent: null, tooltip: null, expand: { kind: 'product', inputs: {} } }] },
  )
  const run = madeUpRun('2024-01-05', { state: 'success' })
  const instances = [
    madeUpInstance(document, run, 'list', { state: 'success' }),
    ...['each.load', 'each.save'].flatMap((id) =>
      [0, 1].map((mapIndex) => madeUpInstance(document, run, id, { state: 'success', mapIndex })),
    ),
    madeUpInstance(document, run, 'sum', { state: 'success' }),
  ]
  const cleared = (facts: Partial<ClearRequest>) => ids(clear(document, ask(facts), [{ run, instances }], NOW))
  assert.deepEqual(cleared({ taskIds: [['each.load', 1]] }), ['each.load[1]'])
  assert.deepEqual(cleared({ taskIds: [['each.load', 1]], includeDownstream: true }), ['each.load[1]', 'each.save[1]', 'sum'])
  assert.deepEqual(cleared({ taskIds: ['each'] }), ['each.load[0]', 'each.load[1]', 'each.save[0]', 'each.save[1]'])
})

test('past and future are counted by logical dates from the run that is named', () => {
  const run = madeUpRun('2024-01-05')
  const range = (facts: Partial<ClearRequest>) => runsToClear(ask({ runId: run.runId, ...facts }), run)
  assert.deepEqual(range({}), { runId: run.runId })
  assert.deepEqual(range({ includeFuture: true }), { from: run.logicalDate, to: null })
  assert.deepEqual(range({ includePast: true }), { from: null, to: run.logicalDate })
  assert.throws(() => runsToClear(ask({ runId: 'm', includePast: true }), { ...run, logicalDate: null }), /has no logical date/)
})

test('everything that contradicts itself in a request is said at once', () => {
  const date = new Date('2024-01-05T00:00:00Z')
  const request = ask({ runId: 'r', startDate: date, endDate: new Date(0), includePast: true, includeFuture: true, taskIds: [] })
  assert.throws(
    () => runsToClear(request, null),
    (error: { problems?: readonly string[] }) => error.problems?.length === 5,
  )
})

test('ids that the DAG does not have are named, with what may be meant', () => {
  assert.throws(
    () => clear(madeUpDag({ train: {} }), ask({ taskIds: ['trian', 'x'] }), [], NOW),
    (error: { code?: string; problems?: readonly string[] }) =>
      error.code === 'not_found' &&
      error.problems?.length === 2 &&
      error.problems[0] === 'There is no task or group "trian". Did you mean "train"?',
  )
})

test('deadlines that count from the queueing begin anew with a run, others stay', () => {
  const document = madeUpDag(
    { a: {} },
    {
      deadlines: [
        { reference: { kind: 'queuedAt' }, intervalSeconds: 60 },
        { reference: { kind: 'logicalDate' }, intervalSeconds: 60 },
      ],
    },
  )
  const missed = { at: '2024-01-05T00:01:00.000Z', isMissed: true }
  const one = runOf(document, { a: 'failed' }, madeUpRun('2024-01-05', { state: 'failed', deadlines: [missed, missed] }))
  assert.deepEqual(clear(document, ask({}), [one], NOW).runs[0]?.deadlines, [{ at: '2024-02-01T00:01:00.000Z', isMissed: false }, missed])
})

test('without resetting its runs a clearing leaves them ended', () => {
  assert.deepEqual(clear(chain, ask({ resetDagRuns: false }), [runOf(chain, { a: 'failed' })], NOW).runs, [])
})
