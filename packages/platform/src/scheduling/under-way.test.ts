/** What changes while runs are under way: documents, backfills that take runs over, tasks cleared twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { changed, inlinePlatform, START } from '../../test/inline-platform.ts'
import { ManualClock } from '../core/clock.ts'
import { Board } from './board.ts'
import { type DagRun, scheduledRun } from './dag-run.ts'

const one = () => dag('d', {}, ({ task }) => void task('a', async () => {})).document
const never = () => new Promise(() => {})

test('a limit of time that a DAG is given while it runs holds for the run under way', async () => {
  const { save, scheduler, settle, states, clock } = inlinePlatform({ task: never })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await save(changed(one(), {}, { runTimeoutSeconds: 30 }))
  await settle()
  assert.equal(await scheduler.poll(), 30_000)
  clock.advance(30_000)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'failed', a: 'skipped' })
})

test('a task that is cleared twice before it runs again keeps its earlier try as it ended', async () => {
  const { save, scheduler, settle, tries } = inlinePlatform()
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.setPaused('d', true)
  for (let i = 0; i < 2; i++) await scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  assert.deepEqual(
    (await tries.list('d', runId, 'a', -1)).map(({ tryNumber, state, endedAt }) => [tryNumber, state, endedAt !== null]),
    [[1, 'success', true]],
  )
})

test('a run that a backfill takes over counts as one of the backfill from then on', () => {
  const board = new Board()
  const at = new Date(START)
  const due = { logicalDate: at, interval: { start: at, end: at }, runAfter: at }
  const run: DagRun = scheduledRun('d', due, at)
  board.putRun({ ...run, state: 'success' })
  const of = board.putRun({ ...run, runType: 'backfill', backfill: { id: 1, ordinal: 1 } })
  board.putRun({ ...run, runId: 'other' })
  assert.equal(board.runsOf('d').ofBackfills, 1)
  board.forget(of)
  assert.equal(board.runsOf('d').ofBackfills, 0)
})

test('the time of the next run of a DAG is kept once, however often it is asked for', () => {
  const board = new Board()
  for (let i = 0; i < 3; i++) board.wakeDag('d', 5_000)
  assert.equal(board.wakes.size, 1)
  board.wakeDag('d', 4_000)
  assert.equal(board.nextWake(), 4_000)
})

test('a scheduler that rests begins a backfill at once, and makes room for others when a run is deleted', async () => {
  const { save, scheduler, runs } = inlinePlatform({ task: never })
  const daily = dag(
    'd',
    { schedule: '@daily', startDate: '2019-09-01T00:00:00Z', catchup: false },
    ({ task }) => void task('a', async () => {}),
  )
  await save(daily.document, true)
  await scheduler.start()
  const idle = async () => {
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  }
  await idle()
  const dates = { from: new Date('2019-09-01T00:00:00Z'), to: new Date('2019-09-01T00:00:00Z') }
  const facts = { reprocess: 'none', maxActiveRuns: 1, isBackwards: false, conf: {}, tasks: null } as const
  await scheduler.createBackfill({ dagId: 'd', ...dates, ...facts }, 'user:ann')
  await idle()
  assert.equal((await runs.list({ dagId: 'd', limit: 9, offset: 0, descending: false })).total, 1)
  await scheduler.stop()
})

test('a run that is marked and deleted at the same time is gone, and both are answered', async () => {
  const { save, scheduler, settle, runs } = inlinePlatform({ task: never })
  await save(one(), true)
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await Promise.all([scheduler.setRunState('d', runId, 'failed', 'user:ann'), scheduler.deleteRun('d', runId)])
  assert.equal(await runs.find('d', runId), null)
  const [other] = await Promise.all([scheduler.trigger('d', { runId: 'other' }, 'user:ann'), scheduler.deleteRun('d', 'other')])
  assert.equal(await runs.find('d', other.runId), null)
})

test('a date that the schedule and a backfill bring in the same moment gets one run, and the others go on', async () => {
  const { save, scheduler, settle, runs, backfills } = inlinePlatform({ clock: new ManualClock(START) })
  const hourly = dag('d', { schedule: '@hourly', startDate: '2019-10-09T11:00:00Z' }, ({ task }) => void task('a', async () => {}))
  await save(hourly.document, true)
  const dates = { from: new Date('2019-10-09T11:00:00Z'), to: new Date('2019-10-09T11:00:00Z') }
  const facts = { reprocess: 'none', maxActiveRuns: 1, isBackwards: false, conf: {}, tasks: null } as const
  const { id } = await scheduler.createBackfill({ dagId: 'd', ...dates, ...facts }, 'user:ann')
  await scheduler.setPaused('d', false)
  await settle()
  assert.deepEqual(
    (await runs.list({ dagId: 'd', limit: 9, offset: 0, descending: false })).runs.map(({ runType, state }) => [runType, state]),
    [['scheduled', 'success']],
  )
  assert.deepEqual(
    (await backfills.dates(id)).map(({ exceptionReason }) => exceptionReason),
    ['in flight'],
  )
})
