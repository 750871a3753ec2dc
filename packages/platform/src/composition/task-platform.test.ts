import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { InlineRunner } from '../adapters/memory/task-runner.ts'
import { SqliteAssetStore } from '../adapters/sqlite/asset.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../adapters/sqlite/dag-run.ts'
import { SqliteDagRunList } from '../adapters/sqlite/dag-run-list.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { ManualClock } from '../core/clock.ts'
import { Events } from '../core/events.ts'
import type { PlatformQuestion } from '../execution/task-question.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { StoredTaskPlatform } from './task-platform.ts'

async function platform(t: TestContext) {
  const db = new Database(':memory:')
  const clock = new ManualClock('2019-10-07T05:00:00Z')
  const dags = new SqliteDagStore(db)
  const runs = new SqliteDagRunStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const assets = new SqliteAssetStore(db)
  const runner = new InlineRunner(() => 1)
  const events = new Events(clock)
  const scheduler = new Scheduler({ dags, runs, instances, runner, clock, events })
  const { document } = dag('other', { schedule: '@daily' }, ({ task, group }) => {
    task('a', async () => 1)
    group('g', {}, ({ task, group }) => {
      task('b', async () => 1)
      group('h', {}, ({ task }) => void task('c', async () => 1))
    })
  })
  await dags.saveReading({ file: 'other.ts', source: '', documents: [document] }, clock.now().toISOString(), false)
  t.after(() => scheduler.stop())
  const answering = new StoredTaskPlatform({
    scheduler: () => scheduler,
    dags,
    runs,
    runList: new SqliteDagRunList(db, runs),
    instances,
    assets,
  })
  const ask = (question: PlatformQuestion) => answering.answer(question, 'task:d/r/t#1') as Promise<never>
  /** The scheduler turns until nothing is left to do. */
  const settle = async () => {
    for (let i = 0; i < 20; i++) {
      await scheduler.poll()
      await new Promise(setImmediate)
    }
  }
  return { ask, settle, runs, assets }
}

const TRIGGER = {
  what: 'triggerRun',
  dagId: 'other',
  conf: { x: 1 },
  runId: null,
  logicalDate: '2019-10-06T00:00:00Z',
  note: null,
  reset: false,
} as const

test('a task triggers a run of another DAG, finds it, and reads the states of its tasks', async (t) => {
  const { ask, settle, runs } = await platform(t)
  const { runId } = (await ask(TRIGGER)) as { runId: string }
  const run = await runs.find('other', runId)
  assert.deepEqual([run?.triggeredBy, run?.createdBy, run?.conf], ['operator', 'task:d/r/t#1', { x: 1 }])
  assert.equal(await ask({ what: 'findRun', dagId: 'other', runId: 'none' }), null)
  await settle()
  const found = { dagId: 'other', runId, state: 'success', logicalDate: '2019-10-06T00:00:00.000Z' }
  assert.deepEqual(await ask({ what: 'findRun', dagId: 'other', logicalDate: '2019-10-06' }), found)
  const states = (query: object) => ask({ what: 'taskStates', dagId: 'other', runId, ...query })
  assert.deepEqual(await states({ taskIds: ['a'] }), [{ taskId: 'a', mapIndex: -1, state: 'success' }])
  assert.deepEqual(
    ((await states({ groupId: 'g' })) as { taskId: string }[]).map(({ taskId }) => taskId),
    ['g.b', 'g.h.c'],
  )
  assert.deepEqual(await ask({ what: 'taskStates', dagId: 'other', runId: 'none' }), [])
  assert.deepEqual(await ask({ what: 'dagParts', dagId: 'other' }), { taskIds: ['a', 'g.b', 'g.h.c'], groupIds: ['g', 'g.h'] })
  assert.equal(await ask({ what: 'dagParts', dagId: 'none' }), null)
})

test('a run that is there already is refused, or cleared when that is asked for', async (t) => {
  const { ask, settle } = await platform(t)
  await ask(TRIGGER)
  await settle()
  await assert.rejects(ask(TRIGGER), { code: 'conflict' })
  const again = (await ask({ ...TRIGGER, reset: true })) as { state: string }
  assert.match(again.state, /queued|running/)
})

test('the latest successful run before a date is known', async (t) => {
  const { ask, settle } = await platform(t)
  await ask(TRIGGER)
  await settle()
  const before = (at: string) => ask({ what: 'previousSuccess', dagId: 'other', before: at }) as Promise<{ logicalDate: string } | null>
  assert.equal((await before('2019-10-07T00:00:00.000Z'))?.logicalDate, '2019-10-06T00:00:00.000Z')
  assert.equal(await before('2019-10-06T00:00:00.000Z'), null)
})

test('the last events of assets are told, oldest first', async (t) => {
  const { ask, assets } = await platform(t)
  const [rows] = await assets.ensure([{ name: 'rows', uri: 'rows', group: 'asset', extra: {} }], '2019-10-07T05:00:00Z')
  for (let id = 1; id <= 120; id++) {
    const facts = {
      id,
      assetId: rows?.id ?? 0,
      name: 'rows',
      uri: 'rows',
      group: 'asset',
      extra: { n: id },
      at: '2019-10-07T05:00:00.000Z',
    }
    assets.putEvent({ ...facts, source: null, createdBy: 'user:anna', aliases: [] })
  }
  const found = (await ask({ what: 'inletEvents', assets: ['rows', 'none'] })) as Record<string, { extra: { n: number } }[]>
  assert.deepEqual(
    found.rows?.map(({ extra }) => extra.n),
    Array.from({ length: 100 }, (_, i) => i + 21),
  )
  assert.deepEqual(found.none, [])
})
