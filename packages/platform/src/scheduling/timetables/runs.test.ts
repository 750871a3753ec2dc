/** Runs of cron timetables held against lists of all minutes that match. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generator, MINUTE, matcher, randomExpression, whole } from '../../../test/cron-walk.ts'
import { type DataInterval, type Restriction, type Timetable, timetable } from '../timetable.ts'

const BEGIN = Date.parse('2024-02-20T00:00Z')
const DAYS = 24
const END = BEGIN + DAYS * 24 * 60 * MINUTE

/** All ticks of the time that a case is about; null when there are too few or too many to say something. */
function ticksOf(expression: string): number[] | null {
  const matches = matcher(expression)
  const found: number[] = []
  for (let at = BEGIN; at < END; at += MINUTE) if (matches(at)) found.push(at)
  return found.length >= 8 && found.length <= 2000 ? found : null
}

interface Case {
  readonly expression: string
  readonly ticks: readonly number[]
  readonly random: () => number
  /** A time in the middle, so that ticks lie before and after it; one in three is a tick. */
  readonly middle: () => number
}

function cases(seed: number, count: number): Case[] {
  const random = generator(seed)
  const found: Case[] = []
  while (found.length < count) {
    const expression = randomExpression(random)
    const ticks = ticksOf(expression)
    if (!ticks) continue
    const inner = ticks.slice(3, -3)
    const middle = () => {
      const tick = inner[whole(random, 0, inner.length - 1)] as number
      return random() < 0.33 ? tick : Math.min(tick + whole(random, 1, 90) * MINUTE, inner.at(-1) as number)
    }
    found.push({ expression, ticks, random, middle })
  }
  return found
}

function runs(table: Timetable, restriction: Restriction, now: number, most: number): string[] {
  const found: string[] = []
  let last: DataInterval | null = null
  for (let i = 0; i < most; i++) {
    const due = table.next(last, restriction, new Date(now))
    if (!due || due.runAfter.getTime() > now) break
    found.push(`${due.interval.start.toISOString()} ${due.runAfter.toISOString()}`)
    last = due.interval
  }
  return found
}

const shown = (start: number, end: number) => `${new Date(start).toISOString()} ${new Date(end).toISOString()}`

test('with catchup there is a run for each interval that begins after the start date and not after the end date, and is over', () => {
  for (const { expression, ticks, middle } of cases(1, 60)) {
    const table = timetable({ kind: 'cron', expression, interval: true, text: expression }, 'UTC')
    const [earliest, latest, now] = [middle(), middle(), middle()].sort((a, b) => a - b) as [number, number, number]
    const expected = ticks.flatMap((start, i) => {
      const end = ticks[i + 1]
      return end !== undefined && start >= earliest && start <= latest && end <= now ? [shown(start, end)] : []
    })
    const restriction = { earliest: new Date(earliest), latest: new Date(latest), catchup: true }
    assert.deepEqual(runs(table, restriction, now, 3000), expected, `${expression} ${JSON.stringify(restriction)}`)
    const dates = table.between(new Date(earliest), new Date(latest)).map(({ logicalDate }) => logicalDate.getTime())
    assert.deepEqual(
      dates,
      ticks.filter((tick) => tick >= earliest && tick <= latest),
      `${expression} between`,
    )
  }
})

test('without catchup only the last interval that is over gets its run, however many were missed', () => {
  for (const { expression, ticks, middle } of cases(2, 100)) {
    const table = timetable({ kind: 'cron', expression, interval: true, text: expression }, 'UTC')
    const now = middle()
    const at = ticks.findLastIndex((tick) => tick <= now)
    const expected = [shown(ticks[at - 1] as number, ticks[at] as number)]
    const restriction = { earliest: new Date(ticks[0] as number), latest: null, catchup: false }
    assert.deepEqual(runs(table, restriction, now, 3000), expected, `${expression} at ${new Date(now).toISOString()}`)
    const start = new Date(ticks[at - 3] as number)
    const paused = { start, end: new Date(ticks[at - 2] as number) }
    const due = table.next(paused, restriction, new Date(now))
    assert.equal(due && shown(due.interval.start.getTime(), due.runAfter.getTime()), expected[0], `${expression} after a pause`)
  }
})

test('a trigger fires at each tick of any of its expressions, once where they meet', () => {
  const all = cases(3, 120)
  for (let i = 0; i + 1 < all.length; i += 2) {
    const [one, other] = [all[i], all[i + 1]] as [Case, Case]
    const expressions = [one.expression, other.expression]
    const table = timetable({ kind: 'cronTrigger', expressions, intervalSeconds: 0, runImmediately: false, text: '' }, 'UTC')
    const ticks = [...new Set([...one.ticks, ...other.ticks])].sort((a, b) => a - b)
    const [earliest, now] = [one.middle(), other.middle()].sort((a, b) => a - b) as [number, number]
    const expected = ticks.filter((tick) => tick >= earliest && tick <= now).map((tick) => shown(tick, tick))
    const restriction = { earliest: new Date(earliest), latest: null, catchup: true }
    assert.deepEqual(runs(table, restriction, now, 5000), expected, expressions.join(' and '))
    const missed = runs(table, { ...restriction, catchup: false }, now, 5000)
    assert.deepEqual(missed, expected.slice(-1), `${expressions.join(' and ')} without catchup`)
  }
})
