import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagBuilder, type DagDocument, type DagOptions, dag } from '@daggerboard/dag'
import { InlineRunner, type InlineTask } from '../adapters/memory/task-runner.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../adapters/sqlite/dag-run.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { SqliteXComStore } from '../adapters/sqlite/xcom.ts'
import { ManualClock } from '../core/clock.ts'
import { type DomainEvent, Events } from '../core/events.ts'
import type { Changes } from './dag-run.ts'
import { Scheduler, type SchedulerLimits } from './scheduler.ts'

const START = '2019-10-09T12:00:00Z'

function platform({
  task = () => null,
  limits,
  db = new Database(':memory:'),
}: {
  task?: InlineTask
  limits?: Partial<SchedulerLimits>
  db?: Database
} = {}) {
  const clock = new ManualClock(START)
  const events = new Events(clock)
  const told: DomainEvent[] = []
  events.subscribe((event) => told.push(event))
  const dags = new SqliteDagStore(db)
  const runs = new SqliteDagRunStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const runner = new InlineRunner(task)
  const scheduler = new Scheduler({ dags, runs, instances, runner, clock, events, ...(limits && { limits }) })

  const save = async (document: DagDocument, paused = false) => {
    await dags.saveReading({ file: `${document.dagId}.ts`, source: '', documents: [document] }, START, paused)
    scheduler.dagsChanged()
  }
  /** Turns until nothing moves any more; never waits for time. */
  const settle = async () => {
    for (let quiet = 0; quiet < 3; ) {
      const before = told.length
      await scheduler.poll()
      await new Promise(setImmediate)
      quiet = told.length === before ? quiet + 1 : 0
    }
  }
  const states = async (dagId: string, runId?: string) => {
    const found = runId ?? (await runs.list({ dagId, limit: 1, offset: 0, descending: true })).runs[0]?.runId ?? ''
    const own = await instances.listOfRun(dagId, found)
    return Object.fromEntries([['run', (await runs.find(dagId, found))?.state], ...own.map(({ taskId, state }) => [taskId, state])])
  }
  return { clock, told, dags, runs, instances, xcoms: new SqliteXComStore(db), runner, scheduler, save, settle, states, db }
}

const written = (id: string, options: DagOptions, build: (builder: DagBuilder) => void) => dag(id, options, build).document
const chainOf = (id: string, names: readonly string[], options: DagOptions = {}) =>
  written(id, options, ({ task }) => {
    for (const [i, name] of names.entries()) task(name, async () => {}, { dependsOn: names.slice(0, i).slice(-1) })
  })

test('a chain runs task after task and the run succeeds with its last one', async () => {
  const { save, scheduler, settle, states, told, runner, runs } = platform()
  await save(chainOf('daily', ['a', 'b', 'c']))
  const run = await scheduler.trigger('daily', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('daily', run.runId), { run: 'success', a: 'success', b: 'success', c: 'success' })
  assert.deepEqual(
    runner.begun.map(({ taskId, tryNumber }) => `${taskId}#${tryNumber}`),
    ['a#1', 'b#1', 'c#1'],
  )
  const { runAfter, queuedAt, startedAt } = (await runs.find('daily', run.runId)) ?? {}
  for (const begun of runner.begun)
    assert.deepEqual([begun.runAfter, begun.runQueuedAt, begun.runStartedAt], [runAfter, queuedAt, startedAt])
  const moves = told.map((event) =>
    'taskId' in event.facts ? `${event.facts.taskId} ${event.facts.state}` : 'state' in event.facts && event.facts.state,
  )
  assert.deepEqual(moves.slice(0, 7), ['queued', 'running', 'a scheduled', 'a queued', 'a running', 'a success', 'b scheduled'])
  assert.ok(told.every(({ by }) => by === 'user:ann'))
})

test('unpausing a weekly DAG creates the run of the last complete week at once, and the next one on Monday', async () => {
  const { save, scheduler, settle, runs, clock } = platform()
  await save(chainOf('weekly', ['a'], { schedule: '0 5 * * 1', startDate: '2019-09-01' }), true)
  await settle()
  assert.equal((await runs.list({ limit: 10, offset: 0, descending: false })).total, 0)
  await scheduler.setPaused('weekly', false)
  await settle()
  const ids = async () =>
    (await runs.list({ limit: 10, offset: 0, descending: false })).runs.map(({ runId, state, createdBy }) => [runId, state, createdBy])
  assert.deepEqual(await ids(), [['scheduled__2019-09-30T05:00:00+00:00', 'success', 'system']])
  assert.equal(await scheduler.poll(), 60_000)
  clock.advance(5 * 86_400_000)
  await settle()
  assert.equal((await ids()).at(-1)?.[0], 'scheduled__2019-10-07T05:00:00+00:00')
})

test('catchup creates every missed run, as many at a time as may be active', async () => {
  const { save, settle, runs } = platform()
  await save(chainOf('daily', ['a'], { schedule: '@daily', startDate: '2019-09-01', catchup: true, maxActiveRuns: 3 }))
  await settle()
  const { runs: all } = await runs.list({ limit: 100, offset: 0, descending: false })
  assert.equal(all.length, 38)
  assert.ok(all.every(({ state }) => state === 'success'))
  assert.equal(all[0]?.logicalDate, '2019-09-01T00:00:00.000Z')
})

test('a run by hand for the date of a scheduled run takes its place', async () => {
  const { save, scheduler, settle, runs } = platform()
  await save(chainOf('weekly', ['a'], { schedule: '0 5 * * 1' }), true)
  await scheduler.trigger('weekly', { logicalDate: new Date('2019-09-30T05:00:00Z') }, 'user:ann')
  await scheduler.setPaused('weekly', false)
  await settle()
  assert.deepEqual(
    (await runs.list({ limit: 10, offset: 0, descending: false })).runs.map(({ runId, state }) => [runId, state]),
    [['manual__2019-09-30T05:00:00+00:00', 'success']],
  )
  await assert.rejects(scheduler.trigger('weekly', { logicalDate: new Date('2019-09-30T05:00:00Z') }, 'user:ann'), /already has the run/)
})

test('a run of a paused DAG waits as queued and starts when the DAG is unpaused', async () => {
  const { save, scheduler, settle, states } = platform()
  await save(chainOf('d', ['a']), true)
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'queued', a: 'none' })
  await scheduler.setPaused('d', false)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
})

test('the cluster is deleted although the job failed, and the failed build decides the run', async () => {
  const { save, scheduler, settle, states } = platform({
    task: ({ taskId }) => {
      if (taskId === 'submit_job') throw new Error('no such table')
    },
  })
  await save(
    written('ml', {}, ({ task }) => {
      const submit = task('submit_job', async () => {}).after(task('create_dataproc', async () => {}))
      task('delete_dataproc', async () => {}, { triggerRule: 'all_done' }).after(submit)
      task('trigger_ml_build', async () => {}).after(submit)
    }),
  )
  const { runId } = await scheduler.trigger('ml', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('ml', runId), {
    run: 'failed',
    create_dataproc: 'success',
    submit_job: 'failed',
    delete_dataproc: 'success',
    trigger_ml_build: 'upstream_failed',
  })
})

test('a failed task is tried again after its delay, and only as often as it may', async () => {
  const { save, scheduler, settle, states, clock, runner, instances } = platform({
    task: () => {
      throw new Error('not today')
    },
  })
  await save(written('d', { defaultArgs: { retries: 2, retryDelay: '10m' } }, ({ task }) => void task('a', async () => {})))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'up_for_retry' })
  assert.equal((await instances.find('d', runId, 'a'))?.detail, 'not today')
  clock.advance(599_999)
  assert.equal(await scheduler.poll(), 1)
  assert.equal(runner.begun.length, 1)
  clock.advance(1)
  await settle()
  assert.equal(runner.begun.length, 2)
  clock.advance(600_000)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'failed', a: 'failed' })
  assert.deepEqual(
    runner.begun.map(({ tryNumber }) => tryNumber),
    [1, 2, 3],
  )
})

test('what a task answers is its XCom; a new try can read what the one before has left, and its end clears that away', async () => {
  const { save, scheduler, settle, xcoms, clock } = platform({
    task: async ({ dagId, runId, taskId, tryNumber }) => {
      if (tryNumber === 1) {
        await xcoms.save({ dagId, runId, taskId, mapIndex: -1, key: 'half', value: 1, at: START })
        throw new Error('again')
      }
      return { rows: 2 + ((await xcoms.find(dagId, runId, taskId, 'half'))?.value as number) }
    },
  })
  await save(written('d', {}, ({ task }) => void task('a', async () => {}, { retries: 1, retryDelay: '1s' })))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  clock.advance(1_000)
  await settle()
  assert.deepEqual(
    (await xcoms.list('d', runId)).map(({ key, value }) => [key, value]),
    [['return_value', { rows: 3 }]],
  )
})

test('limits are part of the selection: a capped DAG holds no other one back', async () => {
  const pending: (() => void)[] = []
  const { save, scheduler, settle, runner } = platform({
    limits: { parallelism: 3 },
    task: () => new Promise<void>((done) => pending.push(done)),
  })
  const wide = (id: string, options: DagOptions) =>
    written(id, options, ({ task }) => ['a', 'b', 'c'].forEach((name) => void task(name, async () => {})))
  await save(wide('capped', { maxActiveTasks: 1 }))
  await save(wide('free', {}))
  await scheduler.trigger('capped', {}, 'user:ann')
  await scheduler.trigger('free', {}, 'user:ann')
  await settle()
  assert.deepEqual(runner.begun.map(({ dagId, taskId }) => `${dagId}.${taskId}`).sort(), ['capped.a', 'free.a', 'free.b'])
  pending.shift()?.()
  await settle()
  assert.equal(runner.begun.length, 4)
})

test('marking a run failed stops what runs, skips the rest, and later results are not heard', async () => {
  let finish = () => {}
  const { save, scheduler, settle, states } = platform({
    task: (_, signal) =>
      new Promise<void>((done) => {
        finish = done
        signal.addEventListener('abort', () => done())
      }),
  })
  await save(chainOf('d', ['a', 'b']))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  const run = await scheduler.setRunState('d', runId, 'failed', 'user:bob')
  assert.equal(run.state, 'failed')
  finish()
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'failed', a: 'failed', b: 'skipped' })
})

test('after a sudden end the next platform tries the lost task again at once, without using up its retries', async () => {
  const db = new Database(':memory:')
  const first = platform({ db, task: () => new Promise(() => {}) })
  await first.save(chainOf('d', ['a', 'b']))
  const { runId } = await first.scheduler.trigger('d', {}, 'user:ann')
  await first.settle()
  assert.deepEqual(await first.states('d', runId), { run: 'running', a: 'running', b: 'none' })

  const second = platform({ db })
  await second.settle()
  assert.deepEqual(await second.states('d', runId), { run: 'success', a: 'success', b: 'success' })
  assert.deepEqual(
    second.runner.begun.map(({ taskId, tryNumber }) => `${taskId}#${tryNumber}`),
    ['a#2', 'b#1'],
  )
})

test('a task whose platform ends every time fails after four tries', async () => {
  const db = new Database(':memory:')
  let runId = ''
  for (let platforms = 0; platforms < 5; platforms++) {
    const next = platform({ db, task: () => new Promise(() => {}) })
    if (platforms === 0) await next.save(chainOf('d', ['a']))
    if (platforms === 0) runId = (await next.scheduler.trigger('d', {}, 'user:ann')).runId
    await next.settle()
  }
  assert.deepEqual(await platform({ db }).states('d', runId), { run: 'failed', a: 'failed' })
})

test('a store that fails, also after it has done its work, loses no result and runs no task twice', async () => {
  const { save, scheduler, settle, states, runs, runner } = platform()
  const record = runs.record.bind(runs)
  let turns = 0
  runs.record = async (changes: Changes) => {
    turns += 1
    if (turns % 3 === 0) throw new Error('disk full')
    await record(changes)
    if (turns % 5 === 0) throw new Error('timed out, but done')
  }
  await save(chainOf('d', ['a', 'b', 'c']))
  let runId = ''
  while (!runId) runId = (await scheduler.trigger('d', { runId: 'r' }, 'user:ann').catch(() => null))?.runId ?? ''
  for (let i = 0; i < 60; i++) await settle().catch(() => {})
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success', b: 'success', c: 'success' })
  const begun = runner.begun.map(({ taskId, tryNumber }) => `${taskId}#${tryNumber}`)
  assert.equal(new Set(begun).size, begun.length)
})

test('a store that cannot be read for a moment costs no interval and no new DAG, and is no heartbeat', async () => {
  const { save, scheduler, settle, runs, dags } = platform()
  await save(chainOf('weekly', ['a'], { schedule: '0 5 * * 1', startDate: '2019-09-01' }))
  const failOnce = <Method extends 'list' | 'findByLogicalDate'>(store: { [M in Method]: unknown }, method: Method) => {
    const works = store[method]
    store[method] = async () => {
      store[method] = works
      throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 10 })
    }
  }
  failOnce(dags, 'list')
  await assert.rejects(scheduler.poll(), /disk/)
  failOnce(runs, 'findByLogicalDate')
  await assert.rejects(scheduler.poll(), /disk/)
  assert.equal(scheduler.lastTurnAt, null)
  await settle()
  assert.deepEqual(
    (await runs.list({ limit: 10, offset: 0, descending: false })).runs.map(({ runId, state }) => [runId, state]),
    [['scheduled__2019-09-30T05:00:00+00:00', 'success']],
  )
})

test('a task that its file no longer has is removed from the runs under way', async () => {
  const { save, scheduler, settle, states } = platform({ task: ({ taskId }) => (taskId === 'a' ? new Promise(() => {}) : null) })
  await save(chainOf('d', ['a', 'b']))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await save(written('d', {}, ({ task }) => void task('c', async () => {}).after(task('a', async () => {}))))
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'running', b: 'removed', c: 'none' })
})

test('of runs that are triggered for the same date at the same time one is made, and the others are refused', async () => {
  const { save, scheduler, runs } = platform()
  await save(chainOf('d', ['a']))
  const logicalDate = new Date('2019-10-01')
  const answers = await Promise.allSettled([1, 2, 3].map((n) => scheduler.trigger('d', { logicalDate, runId: `r${n}` }, 'user:ann')))
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  assert.equal((await runs.list({ limit: 10, offset: 0, descending: false })).total, 1)
})

test('thousands of runs that wait for their turn all get it', async () => {
  const { save, scheduler, settle, runs } = platform()
  await save(chainOf('d', ['a'], { maxActiveRuns: 1000 }))
  await Promise.all(Array.from({ length: 2000 }, (_, n) => scheduler.trigger('d', { runId: `r${n}` }, 'user:ann')))
  await settle()
  assert.equal((await runs.list({ states: ['success'], limit: 1, offset: 0, descending: false })).total, 2000)
})
