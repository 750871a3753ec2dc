import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cronTrigger, type DagOptions, dag, deltaTrigger, events } from '@daggerboard/dag'
import { inlinePlatform, START } from '../../test/inline-platform.ts'
import { AppError } from '../core/app-error.ts'
import { ManualClock } from '../core/clock.ts'

const datesOf = async ({ runs }: ReturnType<typeof inlinePlatform>): Promise<string[]> =>
  (await runs.list({ dagId: 'd', limit: 100, offset: 0, descending: false })).runs
    .map(({ logicalDate }) => (logicalDate as string).slice(11, 23))
    .toSorted()

/** The logical dates of the runs that are there after each of `seconds` from the start; the clock is looked at a little late. */
async function made(options: DagOptions, seconds: readonly number[], start = START): Promise<string[][]> {
  const platform = inlinePlatform({ clock: new ManualClock(start) })
  const { save, settle, clock } = platform
  await save(dag('d', options, ({ task }) => void task('work', () => null)).document)
  await settle()
  const found: string[][] = []
  let gone = 0
  for (const at of seconds) {
    clock.advance((at - gone) * 1000)
    gone = at
    await settle()
    found.push(await datesOf(platform))
  }
  return found
}

test('events bring their runs without catchup, also when they are looked at a moment late; those from before are left out', async () => {
  const schedule = events(['2019-10-09T11:00', '2019-10-09T12:00:10', '2019-10-09T12:00:20', '2019-10-09T13:00'])
  assert.deepEqual(await made({ schedule }, [9, 10.005, 20.003]), [[], ['12:00:10.000'], ['12:00:10.000', '12:00:20.000']])
  const since = { schedule, startDate: '2019-01-01' }
  assert.deepEqual(await made(since, [10.005]), [['12:00:10.000']])
})

test('a trigger that grants no time runs at its next tick all the same', async () => {
  const schedule = cronTrigger('* * * * *', { runImmediately: '0s' })
  assert.deepEqual(await made({ schedule }, [30.004, 90.006], '2019-10-09T12:00:30Z'), [['12:01:00.000'], ['12:01:00.000', '12:02:00.000']])
})

test('a trigger of every so often keeps its distance, however late it is looked at; what was slept through is not made up for', async () => {
  const [first, second, last] = await made({ schedule: deltaTrigger('10s') }, [10.004, 20.006, 95])
  assert.deepEqual(first, ['12:00:00.000', '12:00:10.000'])
  assert.deepEqual(second, ['12:00:00.000', '12:00:10.000', '12:00:20.000'])
  assert.deepEqual(last, ['12:00:00.000', '12:00:10.000', '12:00:20.000', '12:01:35.000'])
})

test('without catchup, of several intervals that are over meanwhile only the last one gets its run', async () => {
  const [first, last] = await made({ schedule: '* * * * *', startDate: '2019-10-09T12:00:00Z' }, [60.004, 300.5])
  assert.deepEqual(first, ['12:00:00.000'])
  assert.deepEqual(last, ['12:00:00.000', '12:04:00.000'])
})

test('an event whose run the store could not keep at its time gets it later', async () => {
  const platform = inlinePlatform()
  const { save, settle, clock, runs } = platform
  const schedule = events(['2019-10-09T12:00:10', '2019-10-09T13:00'])
  await save(dag('d', { schedule }, ({ task }) => void task('work', () => null)).document)
  await settle()
  const record = runs.record.bind(runs)
  runs.record = async () => {
    throw new AppError('unavailable', 'The store is away.')
  }
  clock.advance(10_005)
  await platform.scheduler.poll().catch(() => {})
  clock.advance(2000)
  await platform.scheduler.poll().catch(() => {})
  runs.record = record
  clock.advance(60_000)
  await settle()
  assert.deepEqual(await datesOf(platform), ['12:00:10.000'])
})
