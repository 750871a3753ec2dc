/** A result that cannot be recorded is the trouble of its own task; a store that is away is nobody's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { gate, inlinePlatform } from '../../test/inline-platform.ts'
import { InlineEnding } from '../adapters/memory/task-runner.ts'
import { AppError } from '../core/app-error.ts'
import type { Changes } from './dag-run.ts'

type Platform = ReturnType<typeof inlinePlatform>

const NAMES = Array.from({ length: 20 }, (_, i) => `t${i}`)
const wide = (retries = 0) =>
  dag('d', { maxActiveTasks: 100, schedule: '@daily', startDate: '2019-11-01T00:00:00Z' }, ({ task }) => {
    for (const name of NAMES) task(name, async () => {}, { retries, retryDelay: '1s' })
  }).document
const one = dag('d', {}, ({ task }) => void task('a', async () => {})).document

/** The store throws `error` for the commits that `isRefused` picks, and nothing of them is kept. Answers how to end that. */
function refuse({ runs }: Platform, isRefused: (changes: Changes) => boolean, error = (): Error => new Error('This row is not for me.')) {
  const record = runs.record.bind(runs)
  runs.record = async (changes) => {
    if (isRefused(changes)) throw error()
    await record(changes)
  }
  return () => {
    runs.record = record
  }
}

const succeeds =
  (taskId: string) =>
  ({ instances }: Changes): boolean =>
    instances.some((instance) => instance.taskId === taskId && instance.state === 'success')

/** Until nothing moves any more, in time, too. */
async function live({ settle, clock }: Platform, seconds: number): Promise<void> {
  for (let i = 0; i <= seconds; i++) {
    await settle()
    clock.advance(1_000)
  }
}

const allOf = (state: string, names = NAMES) => Object.fromEntries(names.map((name) => [name, state]))

test('one result that the store refuses fails its own try, which says so, and all others are recorded meanwhile', async () => {
  const end = gate()
  const platform = inlinePlatform({ task: () => end.opened })
  await platform.save(wide())
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await platform.settle()
  refuse(platform, succeeds('t7'))
  end.open()
  await platform.settle()
  assert.deepEqual(await platform.states('d', runId), { run: 'running', ...allOf('success'), t7: 'running' })
  await live(platform, 5)
  assert.deepEqual(await platform.states('d', runId), { run: 'failed', ...allOf('success'), t7: 'failed' })
  const { detail, tryNumber } = (await platform.instances.find('d', runId, 't7')) ?? {}
  assert.equal(detail, 'The try has ended (success), and this could not be recorded: This row is not for me.')
  assert.equal(tryNumber, 1)
})

test('a task that answers what no store can keep is tried again as its author wants, then it has failed', async () => {
  const platform = inlinePlatform({ task: ({ taskId }) => (taskId === 't3' ? { rows: 10n } : taskId) })
  await platform.save(wide(1))
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await live(platform, 12)
  assert.deepEqual(await platform.states('d', runId), { run: 'failed', ...allOf('success'), t3: 'failed' })
  assert.equal(
    platform
      .begun()
      .filter((name) => name.startsWith('t3'))
      .join(),
    't3#1,t3#2',
  )
  assert.match((await platform.instances.find('d', runId, 't3'))?.detail ?? '', /could not be recorded: .*BigInt/)
})

for (const [what, error] of [
  ['says so', () => new AppError('unavailable', 'The store is away.')],
  ['is full', () => Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })],
  ['gives no reason that is known', () => new Error('?')],
] as const) {
  test(`while a store that ${what} takes nothing, all is told again until it does, and nothing has failed`, async () => {
    const end = gate()
    const platform = inlinePlatform({ task: () => end.opened })
    await platform.save(wide())
    const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
    await platform.settle()
    const heal = refuse(platform, () => true, error)
    end.open()
    await new Promise(setImmediate)
    for (let i = 0; i < 50; i++) {
      await platform.scheduler.poll().catch(() => {})
      platform.clock.advance(1_000)
    }
    await assert.rejects(platform.scheduler.poll())
    assert.deepEqual(await platform.states('d', runId), { run: 'running', ...allOf('running') })
    heal()
    await platform.settle()
    assert.deepEqual(await platform.states('d', runId), { run: 'success', ...allOf('success') })
    assert.equal(platform.runner.begun.length, NAMES.length)
  })
}

test('what cannot even be recorded as failed waits for a store that takes it, ever longer, and holds no other run up', async () => {
  const platform = inlinePlatform()
  await platform.save(wide())
  let refused = 0
  const heal = refuse(platform, ({ instances }) => {
    const isRefused = instances.some(({ runId, taskId, state }) => runId === 'first' && taskId === 't5' && state !== 'queued')
    refused += Number(isRefused)
    return isRefused
  })
  await platform.scheduler.trigger('d', { runId: 'first' }, 'user:ann')
  await live(platform, 60)
  const { run, t5, ...others } = await platform.states('d', 'first')
  assert.deepEqual(
    [run, t5, others],
    [
      'running',
      'queued',
      allOf(
        'success',
        NAMES.filter((name) => name !== 't5'),
      ),
    ],
  )
  assert.ok(refused < 12, `${refused} commits were refused in a minute`)
  await platform.scheduler.trigger('d', { runId: 'second' }, 'user:ann')
  await platform.settle()
  assert.equal((await platform.runs.find('d', 'second'))?.state, 'success')
  heal()
  await live(platform, 120)
  assert.equal((await platform.states('d', 'first')).t5, 'failed')
})

test('what a task has begun elsewhere is cancelled when its wait cannot be recorded', async () => {
  const cancelled: unknown[] = []
  const platform = inlinePlatform({
    task: () => new InlineEnding({ state: 'deferred', wait: { kind: 'trigger', name: 'job', args: { id: 7n } }, timeoutSeconds: null }),
    wait: (_, { args }, signal) => signal.aborted && cancelled.push(args),
  })
  await platform.save(one)
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await live(platform, 5)
  assert.deepEqual(await platform.states('d', runId), { run: 'failed', a: 'failed' })
  assert.deepEqual(cancelled, [{ id: 7n }])
})

test('what has come of a wait and cannot be recorded is an error that the task goes on with', async () => {
  const platform = inlinePlatform({
    task: ({ resume }) =>
      resume ?? new InlineEnding({ state: 'deferred', wait: { kind: 'trigger', name: 'job', args: {} }, timeoutSeconds: null }),
    wait: () => ({ rows: 10n }),
  })
  await platform.save(one)
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await live(platform, 5)
  const [{ value } = {}] = await platform.xcoms.list('d', runId)
  assert.match(JSON.stringify(value), /What the task waited for is there, and could not be recorded: .*BigInt/)
})

test('of commands that come at the same time the one that the store refuses is refused, and the others are carried out', async () => {
  const platform = inlinePlatform({ task: () => new Promise(() => {}) })
  await platform.save(wide(), true)
  refuse(platform, ({ created }) => created.some(({ runId }) => runId === 'bad'))
  const dates = { from: new Date('2019-09-01T00:00:00Z'), to: new Date('2019-09-02T00:00:00Z') }
  const backfill = { dagId: 'd', ...dates, conf: {}, tasks: null, reprocess: 'none', maxActiveRuns: 1, isBackwards: false } as const
  const answers = await Promise.allSettled([
    platform.scheduler.trigger('d', { runId: 'good' }, 'user:ann'),
    platform.scheduler.createBackfill(backfill, 'user:ann'),
    platform.scheduler.trigger('d', { runId: 'bad' }, 'user:ann'),
    platform.scheduler.trigger('d', { runId: 'better' }, 'user:ann'),
  ])
  assert.deepEqual(
    answers.map((answer) => (answer.status === 'rejected' ? String(answer.reason) : answer.status)),
    ['fulfilled', 'fulfilled', 'Error: This row is not for me.', 'fulfilled'],
  )
  assert.notEqual(await platform.runs.find('d', 'good'), null)
  assert.notEqual(await platform.runs.find('d', 'better'), null)
  assert.equal((await platform.backfills.listActive()).length, 1)
})

test('commands of a store that is away are refused at once, and none is carried out', async () => {
  const platform = inlinePlatform()
  await platform.save(wide())
  await platform.settle()
  let commits = 0
  refuse(
    platform,
    () => {
      commits += 1
      return true
    },
    () => new AppError('unavailable', 'The store is away.'),
  )
  const answers = await Promise.allSettled(['a', 'b'].map((runId) => platform.scheduler.trigger('d', { runId }, 'user:ann')))
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(commits, 1)
})
