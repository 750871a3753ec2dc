/** What people do with runs, tasks, backfills and assets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AssetDocument, dag } from '@daggerboard/dag'
import { changed, gate, inlinePlatform } from '../../test/inline-platform.ts'
import type { AppError } from '../core/app-error.ts'
import { readPattern } from '../core/pattern.ts'
import type { BackfillRequest } from './backfill.ts'
import type { ClearRequest } from './clear.ts'

const chain = (names: string, facts: Parameters<typeof changed>[2] = {}) =>
  changed(
    dag('d', {}, ({ task }) => {
      for (const [i, name] of [...names].entries()) task(name, async () => {}, { dependsOn: [...names].slice(0, i).slice(-1) })
    }).document,
    {},
    facts,
  )
const CLEAR: ClearRequest = {
  ...{ dryRun: false, onlyFailed: false, onlyRunning: false, resetDagRuns: true, includeUpstream: false, includeDownstream: false },
  ...{
    includeFuture: false,
    includePast: false,
    taskIds: null,
    runId: null,
    startDate: null,
    endDate: null,
    preventRunningTask: false,
    note: null,
  },
}

test('a cleared task and those after it run again in the same run; their earlier tries are kept', async () => {
  const { save, scheduler, settle, states, begun, tries, runs } = inlinePlatform()
  await save(chain('abc'))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  const request = { ...CLEAR, runId, taskIds: ['b'], includeDownstream: true }
  const wouldBe = await scheduler.clear('d', { ...request, dryRun: true }, 'user:ann')
  assert.deepEqual(
    wouldBe.map(({ taskId, state }) => [taskId, state]),
    [
      ['b', 'success'],
      ['c', 'success'],
    ],
  )
  assert.equal((await states('d', runId)).run, 'success')
  await scheduler.clear('d', request, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success', b: 'success', c: 'success' })
  assert.deepEqual(begun(), ['a#1', 'b#1', 'c#1', 'b#2', 'c#2'])
  assert.deepEqual(
    (await tries.list('d', runId, 'b', -1)).map(({ tryNumber, state }) => [tryNumber, state]),
    [[1, 'success']],
  )
  assert.equal((await runs.find('d', runId))?.clearNumber, 1)
})

test('a task that is cleared while it runs is ended, and only then begins anew', async () => {
  const signals: AbortSignal[] = []
  const { save, scheduler, settle, states, begun, tries } = inlinePlatform({
    task: (_, signal) => {
      signals.push(signal)
      return signals.length > 1
        ? null
        : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))))
    },
  })
  await save(chain('a'))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await assert.rejects(
    scheduler.clear('d', { ...CLEAR, runId, preventRunningTask: true }, 'user:ann'),
    /Tasks that are running are not cleared/,
  )
  const [cleared] = await scheduler.clear('d', { ...CLEAR, runId }, 'user:ann')
  assert.equal(cleared?.state, 'restarting')
  await settle()
  assert.equal(signals[0]?.aborted, true)
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  assert.deepEqual(begun(), ['a#1', 'a#2'])
  assert.equal((await tries.list('d', runId, 'a', -1)).length, 1)
})

test('marked success by hand, a failed task lets the run go on', async () => {
  const { save, scheduler, settle, states, begun } = inlinePlatform({
    task: ({ taskId }) => {
      if (taskId === 'a') throw new Error('no')
    },
  })
  await save(chain('ab'))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'failed', a: 'failed', b: 'upstream_failed' })
  await scheduler.setTaskState('d', runId, [{ taskId: 'a' }], 'success', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success', b: 'success' })
  assert.deepEqual(begun(), ['a#1', 'b#1'])
})

test('a note stands on a task whether its run is over or not', async () => {
  const { save, scheduler, settle, instances } = inlinePlatform()
  await save(chain('a'))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.setTaskNote('d', runId, 'a', -1, 'looked at')
  assert.equal((await instances.find('d', runId, 'a'))?.note, 'looked at')
})

test('a run is deleted with all that it has left, but not while it runs; so is a DAG', async () => {
  const working = gate()
  const { save, scheduler, settle, runs, instances, dags } = inlinePlatform({ task: () => working.opened })
  await save(chain('a'))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await assert.rejects(scheduler.deleteRun('d', runId), /cannot be deleted while it is running/)
  await assert.rejects(scheduler.deleteDag('d'), /its run .* is running/)
  working.open()
  await settle()
  await scheduler.deleteRun('d', runId)
  assert.equal(await runs.find('d', runId), null)
  assert.deepEqual(await instances.listOfRun('d', runId), [])
  await scheduler.deleteDag('d')
  assert.equal(await dags.find('d'), null)
  await assert.rejects(scheduler.trigger('d', {}, 'user:ann'), /There is no DAG "d"/)
})

test("a deadline that goes by is told once, to the author's function and to everybody", async () => {
  const { save, scheduler, settle, clock, told, runner, runs } = inlinePlatform({ task: () => new Promise(() => {}) })
  await save(chain('a', { deadlines: [{ reference: { kind: 'queuedAt' }, intervalSeconds: 60 }] }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.equal(await scheduler.poll(), 60_000)
  for (let i = 0; i < 2; i++) {
    clock.advance(60_000)
    await settle()
  }
  assert.deepEqual(
    told.filter(({ type }) => type === 'deadline.missed').map(({ facts }) => facts),
    [{ dagId: 'd', runId, deadline: 0, at: '2019-10-09T12:01:00.000Z' }],
  )
  assert.deepEqual(
    runner.called.map(({ which }) => which),
    ['deadline:0'],
  )
  assert.deepEqual((await runs.find('d', runId))?.deadlines, [{ at: '2019-10-09T12:01:00.000Z', isMissed: true }])
})

test('callbacks are called for what happens by itself, also by the next platform, and not for what is done by hand', async () => {
  const all = { onSuccess: true, onFailure: true, onRetry: true, onExecute: false, onSkipped: true }
  const document = changed(chain('ab', { callbacks: { onSuccess: true, onFailure: true } }), {
    a: { callbacks: all, retries: 1, retryDelaySeconds: 0 },
    b: { callbacks: all },
  })
  const first = inlinePlatform({
    task: ({ taskId, tryNumber }) => {
      if (taskId === 'a' && tryNumber === 1) throw new Error('again')
      if (taskId === 'b') throw new Error('no')
    },
  })
  await first.save(document)
  const { runId } = await first.scheduler.trigger('d', {}, 'user:ann')
  await first.settle()
  assert.deepEqual(
    first.runner.called.map(({ which, attempt, reason }) => [attempt?.taskId ?? 'run', which, reason]),
    [
      ['a', 'onRetry', 'again'],
      ['a', 'onSuccess', 'The task has succeeded.'],
      ['b', 'onFailure', 'no'],
      ['run', 'onFailure', 'task_failure'],
    ],
  )
  await first.scheduler.poll()
  assert.deepEqual(await first.callbacks.listPending(), [])
  await first.scheduler.setTaskState('d', runId, [{ taskId: 'b' }], 'success', {}, 'user:ann')
  assert.equal(first.runner.called.length, 4)

  first.runner.call = () => new Promise(() => {})
  await first.scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await first.settle()
  const left = (await first.callbacks.listPending()).map(({ which }) => which)
  const second = inlinePlatform({ db: first.db })
  await second.scheduler.start()
  await new Promise(setImmediate)
  assert.deepEqual(
    second.runner.called.map(({ which }) => which),
    left,
  )
  assert.ok(left.length > 0)
  await second.scheduler.stop()
})

const BACKFILL: BackfillRequest = {
  ...{ dagId: 'd', from: new Date('2019-09-01'), to: new Date('2019-09-05'), reprocess: 'none', maxActiveRuns: 2, isBackwards: false },
  ...{ conf: { of: 'backfill' }, tasks: null },
}
const DAILY = { kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' } as const

test('a backfill makes the runs of its dates at its own pace, and is complete with the last of them', async () => {
  const pending: (() => void)[] = []
  const { save, scheduler, settle, runs, backfills } = inlinePlatform({ task: () => new Promise<void>((done) => pending.push(done)) })
  await save(chain('a', { schedule: DAILY, maxActiveRuns: 1, startDate: '2019-12-01T00:00:00.000Z' }))
  assert.equal((await scheduler.planBackfill(BACKFILL)).length, 5)
  const { id } = await scheduler.createBackfill(BACKFILL, 'user:ann')
  await assert.rejects(scheduler.createBackfill(BACKFILL, 'user:ann'), /has a backfill already/)
  await settle()
  assert.equal((await runs.list({ states: ['running'], limit: 10, offset: 0, descending: false })).total, 2)
  while (pending.length > 0) {
    for (const done of pending.splice(0)) done()
    await settle()
  }
  const { runs: made } = await runs.list({ limit: 10, offset: 0, descending: false })
  assert.deepEqual(
    made.map(({ runId, state, runType, conf, backfill }) => [runId, state, runType, conf, backfill]),
    [1, 2, 3, 4, 5].map((n) => [`backfill__2019-09-0${n}T00:00:00+00:00`, 'success', 'backfill', { of: 'backfill' }, { id, ordinal: n }]),
  )
  assert.ok((await backfills.find(id))?.completedAt)
})

test('a backfill runs what has failed again, leaves what has succeeded, and takes only the tasks that it is told', async () => {
  let isBroken = true
  const { save, scheduler, settle, states, begun, backfills } = inlinePlatform({
    task: ({ logicalDate }) => {
      if (isBroken && logicalDate?.startsWith('2019-09-02')) throw new Error('no')
    },
  })
  await save(chain('ab', { schedule: DAILY, startDate: '2019-12-01T00:00:00.000Z' }))
  await scheduler.createBackfill({ ...BACKFILL, to: new Date('2019-09-02') }, 'user:ann')
  await settle()
  isBroken = false
  const { id } = await scheduler.createBackfill({ ...BACKFILL, to: new Date('2019-09-03'), reprocess: 'failed', tasks: ['b'] }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', 'backfill__2019-09-03T00:00:00+00:00'), { run: 'success', b: 'success' })
  assert.equal((await states('d', 'backfill__2019-09-02T00:00:00+00:00')).run, 'success')
  assert.deepEqual(
    (await backfills.dates(id)).map(({ exceptionReason }) => exceptionReason),
    ['already exists', null, null],
  )
  assert.ok(begun().length > 4)
})

test('paused, a backfill makes no further run; cancelled, those that wait fail and those that run go on', async () => {
  const pending: (() => void)[] = []
  const { save, scheduler, settle, runs, backfills } = inlinePlatform({ task: () => new Promise<void>((done) => pending.push(done)) })
  await save(chain('a', { schedule: DAILY, startDate: '2019-12-01T00:00:00.000Z' }))
  const { id } = await scheduler.createBackfill({ ...BACKFILL, maxActiveRuns: 1 }, 'user:ann')
  await settle()
  await scheduler.setBackfillPaused(id, true)
  pending.shift()?.()
  await settle()
  assert.equal((await runs.list({ limit: 10, offset: 0, descending: false })).total, 1)
  await scheduler.setBackfillPaused(id, false)
  await settle()
  await scheduler.cancelBackfill(id)
  pending.shift()?.()
  await settle()
  assert.deepEqual(
    (await runs.list({ limit: 10, offset: 0, descending: false })).runs.map(({ state }) => state),
    ['success', 'success'],
  )
  assert.ok((await backfills.find(id))?.completedAt)
})

const asset = (name: string): AssetDocument => ({ name, uri: `file:///${name}`, group: 'asset', extra: {} })

test('a success updates the assets that the task names, and a DAG that waits for all of them gets one run', async () => {
  const { save, scheduler, settle, runs, assets } = inlinePlatform()
  const both = { all: [{ asset: asset('x') }, { asset: asset('y') }] }
  await save(changed(chain('a'), { a: { outlets: [{ asset: asset('x') }] } }))
  await save({ ...chain('a', { schedule: { kind: 'assets', condition: both, text: 'x and y' } }), dagId: 'waits' })
  for (let i = 0; i < 2; i++) await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  const waiting = () => runs.list({ dagId: 'waits', limit: 10, offset: 0, descending: false })
  assert.equal((await waiting()).total, 0)
  assert.equal((await assets.queued({ dagId: 'waits' })).length, 2)
  const y = await assets.findByName('y')
  const event = await scheduler.createAssetEvent({ assetId: y?.id ?? 0, extra: { rows: 3 } }, 'user:ann')
  assert.equal(event.name, 'y')
  await settle()
  const { runs: made } = await waiting()
  assert.deepEqual(
    made.map(({ runType, state }) => [runType, state]),
    [['asset_triggered', 'success']],
  )
  assert.equal((await assets.eventsOfRun('waits', made[0]?.runId ?? '')).length, 3)
  assert.deepEqual(await assets.queued({ dagId: 'waits' }), [])
  const x = await assets.findByName('x')
  assert.equal((await scheduler.materialize(x?.id ?? 0, 'user:ann')).dagId, 'd')
  await assert.rejects(scheduler.materialize(y?.id ?? 0, 'user:ann'), /No DAG updates the asset "y"/)
})

test('an explanation says every dependency, limit and pool that holds a task back, what would free it, and when', async () => {
  const { save, scheduler, settle, pools, clock } = inlinePlatform({
    limits: { parallelism: 1 },
    task: ({ taskId, dagId }) => (dagId === 'd' && taskId === 'a' ? new Promise(() => {}) : Promise.reject(new Error('no'))),
  })
  const { document } = dag('d', {}, ({ task }) => {
    const a = task('a', async () => {})
    task('b', async () => {}).after(a)
    task('c', async () => {})
  })
  await pools.save({ name: 'narrow', slots: 1, description: null, includeDeferred: false })
  await save(changed(document, { a: { priorityWeight: 9 }, c: { pool: 'narrow', poolSlots: 2 } }, { maxActiveTasks: 1 }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  const kinds = async (taskId: string) => (await scheduler.explain('d', runId, taskId)).reasons.map(({ kind }) => kind)
  assert.deepEqual(await kinds('a'), ['running'])
  assert.deepEqual(await kinds('b'), ['upstream'])
  assert.deepEqual(await kinds('c'), ['limit', 'pool', 'parallelism'])
  const { reasons } = await scheduler.explain('d', runId, 'c')
  assert.match(reasons[1]?.sentence ?? '', /Pool "narrow" has 1 of its 1 slots left, and it needs 2/)
  assert.match(reasons[1]?.freedBy ?? '', /Give pool "narrow" 2 slots or more/)
  await scheduler.setPaused('d', true)
  await scheduler.poll()
  assert.deepEqual(await kinds('b'), ['dag', 'upstream'])
  await scheduler.setPaused('d', false)
  await scheduler.setRunState('d', runId, 'failed', 'user:ann')
  assert.deepEqual(await kinds('b'), ['done'])
  await save({ ...changed(chain('x'), { x: { retries: 1 } }), dagId: 'e' })
  const other = await scheduler.trigger('e', {}, 'user:ann')
  await settle()
  const [retry] = (await scheduler.explain('e', other.runId, 'x')).reasons
  assert.deepEqual([retry?.kind, retry?.at], ['retry', new Date(clock.now().getTime() + 300_000).toISOString()])
})

test('the id of a run by hand is one that the settings allow, and a long one is told so at once', async () => {
  const { save, scheduler } = inlinePlatform({ limits: { runIdPattern: readPattern('^([a-z]+-?)+$') } })
  await save(chain('a'))
  await assert.rejects(scheduler.trigger('d', { runId: `${'a'.repeat(240)}.` }, 'user:ann'), { code: 'invalid' })
  assert.equal((await scheduler.trigger('d', { runId: 'by-hand' }, 'user:ann')).runId, 'by-hand')
})

test('of many tasks that are not there some are named, and it is said that there are more', async () => {
  const { save, scheduler } = inlinePlatform()
  await save(chain('a'))
  const taskIds = Array.from({ length: 100_000 }, (_, i) => `t${i}`)
  await assert.rejects(scheduler.clear('d', { ...CLEAR, taskIds }, 'user:ann'), (error: AppError) => {
    assert.equal(error.code, 'not_found')
    assert.deepEqual([error.problems.length, error.problems.at(-1)], [21, 'There are more.'])
    return true
  })
})

test('explain says of a task that is queued that it waits for a place in a worker, and which setting gives more', async () => {
  const { runner, scheduler, save, settle, states } = inlinePlatform({ task: () => 1 })
  runner.run = () => new Promise(() => {})
  await save(chain('a'))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.equal((await states('d', runId)).a, 'queued')
  const [queued] = (await scheduler.explain('d', runId, 'a')).reasons
  assert.match(queued?.sentence ?? '', /has its slot since .*, and waits for a place in a worker/)
  assert.match(queued?.freedBy ?? '', /end of any task that runs.*\[workers\] concurrency/)
})

test('explain names all that a queued run waits for, and does not call its tasks ready', async () => {
  const { runner, scheduler, save, settle } = inlinePlatform()
  runner.run = () => new Promise(() => {})
  await save({ ...chain('a'), maxActiveRuns: 1 })
  await scheduler.trigger('d', { runId: 'first' }, 'user:ann')
  await settle()
  await scheduler.trigger('d', { runId: 'later', runAfter: new Date('2030-01-01T00:00:00Z') }, 'user:ann')
  const { reasons } = await scheduler.explain('d', 'later', 'a')
  assert.deepEqual(
    reasons.map(({ sentence, at }) => [sentence, at]),
    [
      ['Its run is queued, and begins at 2030-01-01T00:00:00.000Z at the earliest.', '2030-01-01T00:00:00.000Z'],
      ['Its run is queued: DAG "d" has 1 runs running, and maxActiveRuns allows 1.', null],
    ],
  )
})
