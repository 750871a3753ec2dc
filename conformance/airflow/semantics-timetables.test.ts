/** Our timetables against Airflow's own classes, on made-up schedules, dates and clocks. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { TimeDocument } from '@daggerboard/dag'
import { type DataInterval, type DueRun, timetable } from '../../packages/platform/src/scheduling/timetable.ts'
import { generator, MINUTE, randomExpression, randomTime, whole } from '../../packages/platform/test/cron-walk.ts'
import { askPython } from '../python.ts'
import { pythonWithAirflow } from './python-with-airflow.ts'

interface Case {
  readonly schedule: TimeDocument
  readonly zone: string
  readonly startDate: string | null
  readonly endDate: string | null
  readonly catchup: boolean
  /** The interval of a run under another schedule, before this one. */
  readonly last: readonly [string, string] | null
  /** The times at which the next run is asked for, ascending. */
  readonly nows: readonly string[]
}

/** Milliseconds: logical date, start and end of the interval, the time from which it may start. */
type Run = readonly [number, number, number, number]
/** A sentence where Airflow breaks. */
type Answer =
  | {
      readonly run: Run | null
      readonly manual: readonly [number, number]
      /** Logical dates of the runs around it. */
      readonly next: number | null
      readonly previous: number | null
    }
  | string

const CASES = 700
const ZONES = ['UTC', 'Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']
const EXPRESSIONS = [
  ...['0 * * * *', '0 0 * * *', '0 0 * * 0', '0 0 1 * *', '0 0 1 */3 *', '0 0 1 1 *', '0 5 * * 1', '*/15 * * * *', '30 2 * * *'],
  ...['0 */6 * * *', '15 1-4 * * *', '0 0 13 * 5', '0 12 L * *', '0 12 * * 7', '0 8 * * MON-FRI', '0 0 29 2 *', '5 4 * JAN,JUL sun'],
  ...['0 9 * * 1#1', '0 9 * * 5#3', '0 22 * * L5', '45 23 31 * *', '*/7 */5 * * *', '0 0 */2 * 1', '0 0 1-7 * */2'],
]

const HOUR = 60 * MINUTE
const iso = (at: number): string => new Date(at).toISOString()

/** Airflow's parser reads `5-5` as a range around the whole clock; ours as 5. */
const withoutOneLong = (expression: string): string => expression.replaceAll(/\b(\d+)-\1\b(\/\d+)?/g, '$1')

function randomCase(random: () => number): Case {
  const pick = <Item>(items: readonly Item[]): Item => items[whole(random, 0, items.length - 1)] as Item
  const expression = () => (random() < 0.5 ? pick(EXPRESSIONS) : withoutOneLong(randomExpression(random)))
  const minute = (at: number) => Math.floor(at / MINUTE) * MINUTE
  const begin = minute(randomTime(random))
  const around = () => begin + whole(random, -40 * 24 * 60, 40 * 24 * 60) * MINUTE
  const length = () => pick([0, 60, 3600, 5400, 86_400, 604_800])
  const several = () => Array.from({ length: whole(random, 1, 3) }, expression)
  const dates = () => [...new Set(Array.from({ length: whole(random, 1, 6) }, around))].sort((a, b) => a - b).map(iso)
  const schedule: TimeDocument = pick([
    (): TimeDocument => ({ kind: 'cron', expression: expression(), interval: true, text: '' }),
    (): TimeDocument => ({ kind: 'cron', expression: expression(), interval: true, text: '' }),
    (): TimeDocument => {
      const expressions = several()
      const runImmediately = pick([true, false, 60, 3600, 864_000])
      return { kind: 'cronTrigger', expressions, intervalSeconds: expressions.length > 1 ? 0 : length(), runImmediately, text: '' }
    },
    (): TimeDocument => ({ kind: 'delta', seconds: pick([60, 3600, 5000, 86_400, 604_800]), interval: true, text: '' }),
    (): TimeDocument => ({ kind: 'deltaTrigger', seconds: pick([60, 3600, 5000, 86_400]), intervalSeconds: length(), text: '' }),
    (): TimeDocument => ({ kind: 'events', dates: dates(), restricts: random() < 0.5, text: '' }),
    (): TimeDocument => ({ kind: 'once', text: '' }),
    (): TimeDocument => ({ kind: 'continuous', text: '' }),
  ])()
  const startDate = random() < 0.25 ? null : around()
  const endDate = random() < 0.7 ? null : Math.max(startDate ?? 0, around())
  let now = begin + whole(random, 0, 59_999)
  const nows = Array.from({ length: whole(random, 1, 12) }, () => {
    now += Math.floor(random() ** 3 * pick([HOUR, 24 * HOUR, 30 * 24 * HOUR]))
    return iso(random() < 0.3 ? minute(now) : now)
  })
  nows.sort()
  const before = begin - whole(random, 0, 3000) * MINUTE
  return {
    schedule,
    zone: pick(ZONES),
    startDate: startDate === null ? null : iso(startDate),
    endDate: endDate === null ? null : iso(endDate),
    catchup: random() < 0.5,
    last: random() < 0.8 ? null : [iso(before - pick([0, 1, 60, 1440, 10_080]) * MINUTE), iso(before)],
    nows,
  }
}

/** The same walk as that of the script. */
function ours(one: Case): Answer[] {
  try {
    return walked(one)
  } catch (error) {
    return [String(error)]
  }
}

function walked({ schedule, zone, startDate, endDate, catchup, last: before, nows }: Case): Answer[] {
  const found = timetable(schedule, zone)
  const restriction = { earliest: startDate ? new Date(startDate) : null, latest: endDate ? new Date(endDate) : null, catchup }
  let last: DataInterval | null = before && { start: new Date(before[0]), end: new Date(before[1]) }
  return nows.map((text) => {
    const now = new Date(text)
    const due = found.next(last, restriction, now)
    const manual = found.inferManual(now)
    const run: Run | null = due && [+due.logicalDate, +due.interval.start, +due.interval.end, +due.runAfter]
    if (due && (catchup || due.runAfter <= now)) last = due.interval
    const dateOf = (one: DueRun | null) => (one ? +one.logicalDate : null)
    const [next, previous] = due ? [dateOf(found.nextOf(due.interval)), dateOf(found.previousOf(due.interval))] : [null, null]
    return { run, manual: [+manual.start, +manual.end], next, previous }
  })
}

/**
 * Airflow counts ticks of expressions that have every hour, but not every day, by what the clocks show, and adds the distance to the instant: across
 * a change of the clocks it is an hour off. Ours are at the times that the expression names.
 */
function isLostAtClockChange({ schedule, zone }: Pick<Case, 'schedule' | 'zone'>): boolean {
  const expressions = schedule.kind === 'cron' ? [schedule.expression] : schedule.kind === 'cronTrigger' ? schedule.expressions : []
  const changes = zone !== 'UTC' && zone !== 'Asia/Kolkata'
  return (
    changes &&
    expressions.some(
      (expression) => / \* (?!\* \* \*$)|^[^ ]+ \*\/1 /.test(expression) || (zone === 'Australia/Lord_Howe' && / \* /.test(expression)),
    )
  )
}

/**
 * After a continuous run whose interval is a single instant, Airflow names another one with the same logical date, which cannot be made. Ours begins a
 * millisecond later.
 */
function apart({ schedule, last, catchup, endDate, nows }: Case, answers: readonly Answer[]): readonly Answer[] {
  if (schedule.kind !== 'continuous') return answers
  let before: readonly [number, number] | null = last && [Date.parse(last[0]), Date.parse(last[1])]
  return answers.map((answer, step) => {
    if (typeof answer === 'string' || !answer.run) return answer
    const [, start, end] = answer.run
    const from = before ? before[1] + (before[0] === before[1] ? 1 : 0) : start
    const to = Math.max(from, end)
    if (endDate && to > Date.parse(endDate)) return { ...answer, run: null, next: null }
    if (catchup || to <= Date.parse(nows[step] as string)) before = [from, to]
    return { ...answer, run: [from, from, to, to], next: to }
  })
}

const readable = (answer: Answer | undefined): unknown =>
  typeof answer === 'object' ? { ...answer, run: answer.run?.map(iso) ?? null, manual: answer.manual.map(iso) } : answer

const BACKFILLS = 300
const LIMIT = 100
const random = generator(20_261_104)
const cases = Array.from({ length: CASES }, () => randomCase(random))
const backfills = Array.from({ length: BACKFILLS }, () => {
  const { schedule, zone, nows } = randomCase(random)
  const from = Date.parse(nows[0] as string)
  return { schedule, zone, from: iso(from), to: iso(from + whole(random, 0, 20 * 24) * HOUR), limit: LIMIT }
}).filter(
  ({ schedule }) => !['once', 'continuous'].includes(schedule.kind) && !('intervalSeconds' in schedule && schedule.intervalSeconds > 0),
)

let theirs: { readonly chains: readonly Answer[][]; readonly backfills: readonly (readonly number[])[][] }
before(async () => {
  theirs = await askPython(await pythonWithAirflow(), join(import.meta.dirname, 'semantics_timetables.py'), { chains: cases, backfills })
})

test('timetables give the runs and intervals that those of Airflow give', (t) => {
  let compared = 0
  let unlike = 0
  for (const [i, one] of cases.entries()) {
    const own = ours(one)
    for (const [step, expected] of apart(one, theirs.chains[i] as Answer[]).entries()) {
      const isSame = JSON.stringify(own[step]) === JSON.stringify(expected)
      compared += 1
      if (isSame) continue
      unlike += 1
      const facts = { case: one, now: one.nows[step], ours: readable(own[step]), airflow: readable(expected) }
      assert.ok(isLostAtClockChange(one), JSON.stringify(facts, null, 1))
      break
    }
  }
  t.diagnostic(`${compared} answers compared, ${unlike} of them another one where the clocks change`)
  assert.ok(compared > 5 * CASES)
  assert.ok(unlike < CASES / 100)
})

test('a backfill has the dates that it has in Airflow', (t) => {
  let compared = 0
  for (const [i, { schedule, zone, from, to }] of backfills.entries()) {
    const found = timetable(schedule, zone).between(new Date(from), new Date(to), LIMIT)
    const dates = found.map(({ logicalDate, interval }) => [+logicalDate, +interval.start, +interval.end])
    compared += dates.length
    if (isLostAtClockChange({ schedule, zone })) continue
    assert.deepEqual(dates, theirs.backfills[i], JSON.stringify(backfills[i]))
  }
  t.diagnostic(`${compared} dates`)
})
