/** What throws for one run or one DAG is the trouble of that one: it is held and shown, it is tried again, and all others go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asset, type DagDocument, dag, type TaskDocument } from '@daggerboard/dag'
import { changed, inlinePlatform } from '../../test/inline-platform.ts'
import { AppError } from '../core/app-error.ts'
import type { Changes } from './dag-run.ts'

type Platform = ReturnType<typeof inlinePlatform>

const chain = (dagId: string, options: Parameters<typeof dag>[1] = {}) =>
  dag(dagId, options, ({ task }) => void task('b', async () => {}).after(task('a', async () => {}))).document

/** The document as it is, but for one fact that cannot be had while `isBad` says so. */
function poisoned<T extends object>(document: T, fact: keyof T, isBad: () => boolean): T {
  return new Proxy(document, {
    get(target, name) {
      if (name === fact && isBad()) throw new Error(`"${String(fact)}" is not for you.`)
      return Reflect.get(target, name)
    },
  })
}

function poisonedTask(document: DagDocument, taskId: string, fact: keyof TaskDocument, isBad: () => boolean): DagDocument {
  return { ...document, tasks: document.tasks.map((task) => (task.taskId === taskId ? poisoned(task, fact, isBad) : task)) }
}

/** The store answers this document for its DAG. */
function answer({ dags, scheduler }: Platform, document: DagDocument): void {
  const { list, find } = { list: dags.list.bind(dags), find: dags.find.bind(dags) }
  const swap = <R extends { dagId: string; document: DagDocument }>(record: R): R =>
    record.dagId === document.dagId ? { ...record, document } : record
  dags.list = async (options) => (await list(options)).map(swap)
  dags.find = async (dagId) => {
    const found = await find(dagId)
    return found && swap(found)
  }
  scheduler.dagsChanged()
}

async function live({ settle, clock }: Platform, seconds: number): Promise<void> {
  for (let i = 0; i <= seconds; i++) {
    await settle()
    clock.advance(1_000)
  }
}

const sentences = ({ scheduler }: Platform) => scheduler.troubles.map(({ sentence }) => sentence)
const DONE = { run: 'success', a: 'success', b: 'success' }

test('a run that cannot be followed is held as it is and shown, all others go on, and it goes on once it can', async () => {
  const platform = inlinePlatform()
  let isBad = false
  const bad = chain('bad')
  await platform.save(bad)
  await platform.save(chain('good'))
  answer(
    platform,
    poisonedTask(bad, 'b', 'pool', () => isBad),
  )
  const { runId } = await platform.scheduler.trigger('bad', {}, 'user:ann')
  isBad = true
  const other = await platform.scheduler.trigger('good', {}, 'user:ann')
  await platform.settle()
  assert.deepEqual(await platform.states('good', other.runId), DONE)
  // What has been reported is recorded, and nothing that comes of it is.
  assert.deepEqual(await platform.states('bad', runId), { run: 'running', a: 'success', b: 'none' })
  assert.deepEqual(sentences(platform), [`The scheduler cannot go on with run "${runId}" of DAG "bad": "pool" is not for you.`])
  const { reasons } = await platform.scheduler.explain('bad', runId, 'b')
  assert.match(reasons[0]?.sentence ?? '', /cannot go on with run/)
  assert.equal(reasons[0]?.at, platform.scheduler.troubles[0]?.triesAgainAt)
  await live(platform, 20)
  assert.deepEqual((await platform.states('bad', runId)).b, 'none')
  isBad = false
  await live(platform, 40)
  assert.deepEqual(await platform.states('bad', runId), DONE)
  assert.deepEqual(platform.scheduler.troubles, [])
})

test('it is tried again ever more rarely', async () => {
  const platform = inlinePlatform()
  let isBad = false
  let asked = 0
  const bad = chain('bad')
  await platform.save(bad)
  answer(
    platform,
    poisonedTask(bad, 'a', 'pool', () => {
      asked += Number(isBad)
      return isBad
    }),
  )
  await platform.scheduler.trigger('bad', {}, 'user:ann')
  isBad = true
  await live(platform, 60)
  assert.equal(asked, 6, 'after 0, 1, 3, 7, 15 and 31 seconds')
})

test('a DAG that changes is tried again at once', async () => {
  const platform = inlinePlatform()
  const bad = changed(chain('bad'), { b: { triggerRule: 'nonsense' as never } })
  await platform.save(bad)
  const { runId } = await platform.scheduler.trigger('bad', {}, 'user:ann')
  await live(platform, 30)
  assert.equal(sentences(platform).length, 1)
  await platform.save(chain('bad'))
  await platform.settle()
  assert.deepEqual(await platform.states('bad', runId), DONE)
  assert.deepEqual(sentences(platform), [])
})

test('of a DAG whose timetable throws the runs that there are go on, and other DAGs get theirs', async () => {
  const platform = inlinePlatform()
  const schedule = { schedule: '@daily', startDate: '2019-10-01T00:00:00Z', catchup: true } as const
  const bad = chain('bad', schedule)
  await platform.save(bad, true)
  await platform.save(chain('good', schedule))
  let isBad = false
  answer(
    platform,
    poisoned(bad, 'endDate', () => isBad),
  )
  const { runId } = await platform.scheduler.trigger('bad', {}, 'user:ann')
  isBad = true
  assert.equal(platform.scheduler.nextRun('bad'), null)
  await platform.scheduler.setPaused('bad', false)
  await platform.settle()
  assert.deepEqual(await platform.states('bad', runId), DONE)
  assert.equal((await platform.runs.list({ dagId: 'good', limit: 20, offset: 0, descending: false })).total, 8)
  assert.deepEqual(sentences(platform), [
    'The scheduler cannot make the runs that the schedule of DAG "bad" brings: "endDate" is not for you.',
  ])
})

test('a DAG whose document cannot be followed at all stops nobody', async () => {
  const platform = inlinePlatform()
  await platform.save({ ...chain('bad'), schedule: { kind: 'cron', expression: 'never', text: 'never' } as never })
  await platform.save({ ...chain('worse'), groups: null as never })
  await platform.save(chain('good'))
  const { runId } = await platform.scheduler.trigger('good', {}, 'user:ann')
  await platform.settle()
  assert.deepEqual(await platform.states('good', runId), DONE)
  assert.deepEqual(
    platform.scheduler.troubles.map(({ subject, triesAgainAt }) => [subject.kind, subject.dagId, triesAgainAt]),
    [
      ['document', 'bad', null],
      ['document', 'worse', null],
    ],
  )
})

test('a slot that cannot be given to one run goes to another', async () => {
  const platform = inlinePlatform({ limits: { parallelism: 1 } })
  const bad = changed(chain('bad'), { a: { priorityWeight: 99 } })
  await platform.save(bad)
  await platform.save(chain('good'))
  answer(
    platform,
    poisoned(bad, 'maxActiveTasks', () => true),
  )
  await platform.scheduler.trigger('bad', {}, 'user:ann')
  const { runId } = await platform.scheduler.trigger('good', {}, 'user:ann')
  await platform.settle()
  assert.deepEqual(await platform.states('good', runId), DONE)
  assert.equal(platform.scheduler.troubles.length, 1)
})

test('a time that comes and throws is the trouble of its run', async () => {
  const platform = inlinePlatform({ task: () => new Promise(() => {}) })
  const bad = chain('bad', { runTimeout: '10s' })
  await platform.save(bad)
  let isBad = false
  answer(
    platform,
    poisoned(bad, 'runTimeoutSeconds', () => isBad),
  )
  const { runId } = await platform.scheduler.trigger('bad', {}, 'user:ann')
  await platform.settle()
  isBad = true
  await live(platform, 15)
  assert.deepEqual(await platform.states('bad', runId), { run: 'running', a: 'running', b: 'none' })
  assert.equal(sentences(platform).length, 1)
  isBad = false
  await live(platform, 30)
  assert.deepEqual(await platform.states('bad', runId), { run: 'failed', a: 'skipped', b: 'skipped' })
})

test('a DAG with many runs in trouble is held as one', async () => {
  const platform = inlinePlatform()
  let isBad = false
  const bad = chain('bad', { maxActiveRuns: 100 })
  await platform.save(bad)
  answer(
    platform,
    poisonedTask(bad, 'b', 'pool', () => isBad),
  )
  const runIds = Array.from({ length: 50 }, (_, i) => `r${i}`)
  await platform.scheduler.setPaused('bad', true)
  for (const [i, runId] of runIds.entries())
    await platform.scheduler.trigger('bad', { runId, logicalDate: new Date(i * 1_000) }, 'user:ann')
  isBad = true
  await platform.scheduler.setPaused('bad', false)
  await live(platform, 30)
  assert.deepEqual(sentences(platform), ['The scheduler cannot go on with the runs of DAG "bad": "pool" is not for you.'])
  isBad = false
  await live(platform, 60)
  for (const runId of runIds) assert.deepEqual(await platform.states('bad', runId), DONE)
})

test('a consumer of assets that can get no run holds up neither who updates them nor other consumers, and gets its run later', async () => {
  const platform = inlinePlatform()
  const sales = asset('sales')
  await platform.save(dag('producer', {}, ({ task }) => void task('a', async () => {}, { outlets: [sales] })).document)
  const bad = chain('bad', { schedule: [sales] })
  await platform.save(bad)
  await platform.save(chain('good', { schedule: [sales] }))
  let isBad = false
  answer(
    platform,
    poisoned(bad, 'deadlines', () => isBad),
  )
  await platform.settle()
  isBad = true
  const { runId } = await platform.scheduler.trigger('producer', {}, 'user:ann')
  await platform.settle()
  assert.deepEqual(await platform.states('producer', runId), { run: 'success', a: 'success' })
  const statesOf = async (dagId: string) =>
    (await platform.runs.list({ dagId, limit: 9, offset: 0, descending: false })).runs.map(({ state }) => state)
  assert.deepEqual([await statesOf('good'), await statesOf('bad')], [['success'], []])
  isBad = false
  await live(platform, 5)
  assert.deepEqual([await statesOf('good'), await statesOf('bad')], [['success'], ['success']])
})

/** The store refuses the commits that `isRefused` picks. */
function refuse({ runs }: Platform, isRefused: (changes: Changes) => boolean, error = () => new Error('This row is not for me.')) {
  const record = runs.record.bind(runs)
  runs.record = async (changes) => {
    if (isRefused(changes)) throw error()
    await record(changes)
  }
}

test('a turn that has heard nothing and is refused holds up those whose rows are refused, and nobody else', async () => {
  const platform = inlinePlatform()
  const names = Array.from({ length: 6 }, (_, i) => `d${i}`)
  for (const name of names) await platform.save(chain(name, { schedule: '@daily', startDate: '2019-10-09T00:00:00Z', catchup: true }))
  platform.clock.advance(86_400_000)
  let isBad = true
  refuse(platform, ({ created }) => isBad && created.some(({ dagId }) => dagId === 'd3'))
  for (let i = 0; i < 2; i++) await assert.rejects(platform.scheduler.poll(), /not for me/)
  await live(platform, 10)
  const count = async (dagId: string) => (await platform.runs.list({ dagId, limit: 9, offset: 0, descending: false })).total
  assert.deepEqual(await Promise.all(names.map(count)), [1, 1, 1, 0, 1, 1])
  assert.deepEqual(sentences(platform), [
    'The scheduler cannot make the runs that the schedule of DAG "d3" brings: This row is not for me.',
  ])
  isBad = false
  await live(platform, 40)
  assert.equal(await count('d3'), 1)
})

test("a store that is away is nobody's trouble", async () => {
  const platform = inlinePlatform()
  await platform.save(chain('d'))
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  let isAway = true
  refuse(
    platform,
    () => isAway,
    () => new AppError('unavailable', 'The store is away.'),
  )
  for (let i = 0; i < 10; i++) await assert.rejects(platform.scheduler.poll())
  assert.deepEqual(sentences(platform), [])
  isAway = false
  await platform.settle()
  assert.deepEqual(await platform.states('d', runId), DONE)
})
