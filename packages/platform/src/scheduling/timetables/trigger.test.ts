import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DataInterval, isLatest, type Timetable, timetable } from '../timetable.ts'

const at = (text: string) => new Date(text)

const trigger = (expressions: string[], { intervalSeconds = 0, runImmediately = false as boolean | number, timezone = 'UTC' } = {}) =>
  timetable({ kind: 'cronTrigger', expressions, intervalSeconds, runImmediately, text: expressions.join(', ') }, timezone)

const free = { earliest: null, latest: null, catchup: false }

const tick = (text: string): DataInterval => ({ start: at(text), end: at(text) })

const firstAt = (table: Timetable, now: string, restriction = {}) =>
  table
    .next(null, { ...free, ...restriction }, at(now))
    ?.runAfter.toISOString()
    .slice(0, 16) ?? null

test('a daily trigger enabled at 15:00 on 31 January runs first at midnight of 1 February', () => {
  assert.equal(firstAt(trigger(['0 0 * * *']), '2024-01-31T15:00:00Z'), '2024-02-01T00:00')
})

test('a tick that has just gone by counts when it is no longer ago than a tenth of the gap, or five minutes', () => {
  const daily = trigger(['0 0 * * *'])
  assert.equal(firstAt(daily, '2024-01-31T02:24:00Z'), '2024-01-31T00:00')
  assert.equal(firstAt(daily, '2024-01-31T02:24:01Z'), '2024-02-01T00:00')
  const quarterly = trigger(['*/15 * * * *'])
  assert.equal(firstAt(quarterly, '2024-01-31T12:05:00Z'), '2024-01-31T12:00')
  assert.equal(firstAt(quarterly, '2024-01-31T12:05:01Z'), '2024-01-31T12:15')
})

test('an author may say that the last tick always counts, or for how long it does', () => {
  assert.equal(firstAt(trigger(['0 0 * * *'], { runImmediately: true }), '2024-01-31T15:00:00Z'), '2024-01-31T00:00')
  assert.equal(firstAt(trigger(['0 0 * * *'], { runImmediately: 60 }), '2024-01-31T00:01:00Z'), '2024-01-31T00:00')
  assert.equal(firstAt(trigger(['0 0 * * *'], { runImmediately: 60 }), '2024-01-31T00:01:01Z'), '2024-02-01T00:00')
})

test('with a start date in the past the last tick makes the first run, whatever the author says of running immediately', () => {
  const earliest = at('2024-01-02T00:00:00Z')
  assert.equal(firstAt(trigger(['0 0 * * *']), '2024-01-31T15:00:00Z', { earliest }), '2024-01-31T00:00')
  assert.equal(firstAt(trigger(['0 0 * * *']), '2023-12-31T15:00:00Z', { earliest }), '2024-01-02T00:00')
})

test('after a pause only the last tick gets its run, with catchup every one that was missed', () => {
  const daily = trigger(['0 0 * * *'])
  const now = at('2024-01-31T15:00:00Z')
  const last = tick('2024-01-10T00:00:00Z')
  assert.deepEqual(daily.next(last, free, now)?.runAfter, at('2024-01-31T00:00:00Z'))
  assert.deepEqual(daily.next(tick('2024-01-31T00:00:00Z'), free, now)?.runAfter, at('2024-02-01T00:00:00Z'))
  assert.deepEqual(daily.next(last, { ...free, catchup: true }, now)?.runAfter, at('2024-01-11T00:00:00Z'))
})

test('the run of a trigger stands for its tick, or for a time of fixed length that ends there', () => {
  const bare = trigger(['0 0 * * *']).next(null, { ...free, earliest: at('2024-01-02T00:00:00Z') }, at('2024-01-02T00:00:00Z'))
  assert.deepEqual(bare?.interval, tick('2024-01-02T00:00:00Z'))
  assert.deepEqual(bare?.logicalDate, at('2024-01-02T00:00:00Z'))
  const week = trigger(['0 0 * * 1'], { intervalSeconds: 7 * 86_400 })
  const due = week.next(null, { ...free, earliest: at('2024-01-03T00:00:00Z') }, at('2024-01-02T00:00:00Z'))
  assert.deepEqual(due?.interval, { start: at('2024-01-01T00:00:00Z'), end: at('2024-01-08T00:00:00Z') })
  assert.deepEqual(due?.logicalDate, at('2024-01-01T00:00:00Z'))
  assert.deepEqual(week.inferManual(at('2024-01-10T09:30:00Z')).start, at('2024-01-03T09:30:00Z'))
})

test('no trigger fires after the end date', () => {
  const latest = at('2024-01-02T12:00:00Z')
  const daily = trigger(['0 0 * * *'])
  assert.equal(daily.next(tick('2024-01-02T00:00:00Z'), { ...free, latest, catchup: true }, at('2024-02-01T00:00:00Z')), null)
})

test('several expressions make one run for each time at which any of them ticks', () => {
  const table = trigger(['0 0 * * *', '0 12 * * 1', '0 0 1 * *'])
  const times = table
    .between(at('2024-01-01T00:00:00Z'), at('2024-01-02T12:00:00Z'))
    .map(({ runAfter }) => runAfter.toISOString().slice(0, 16))
  assert.deepEqual(times, ['2024-01-01T00:00', '2024-01-01T12:00', '2024-01-02T00:00'])
  const missed = table.next(tick('2023-12-01T00:00:00Z'), free, at('2024-01-01T18:00:00Z'))
  assert.deepEqual(missed?.runAfter, at('2024-01-01T12:00:00Z'), 'of the ticks gone by the latest')
  const ahead = table.next(tick('2024-01-01T12:00:00Z'), free, at('2024-01-01T18:00:00Z'))
  assert.deepEqual(ahead?.runAfter, at('2024-01-02T00:00:00Z'))
})

test('every day by cron keeps to midnight, every 24 hours to the start date', () => {
  const restriction = { earliest: at('2024-03-01T10:30:00Z'), latest: null, catchup: true }
  const now = at('2024-06-01T00:00:00Z')
  const starts = (table: Timetable) => {
    const first = table.next(null, restriction, now)
    const second = table.next(first?.interval ?? null, restriction, now)
    return [first, second].map((due) => due?.interval.start.toISOString().slice(0, 16))
  }
  assert.deepEqual(starts(timetable({ kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' }, 'UTC')), [
    '2024-03-02T00:00',
    '2024-03-03T00:00',
  ])
  assert.deepEqual(starts(timetable({ kind: 'delta', seconds: 86_400, interval: true, text: 'every day' }, 'UTC')), [
    '2024-03-01T10:30',
    '2024-03-02T10:30',
  ])
})

test('without catchup the first interval of a fixed length is the last whole one, the next ones begin where the last one ended', () => {
  const hourly = timetable({ kind: 'delta', seconds: 3600, interval: true, text: 'every hour' }, 'UTC')
  const first = hourly.next(null, { ...free, earliest: at('2024-01-01T00:17:00Z') }, at('2024-01-05T15:40:00Z'))
  assert.deepEqual(first?.interval, { start: at('2024-01-05T14:00:00Z'), end: at('2024-01-05T15:00:00Z') })
  const last = { start: at('2024-01-05T14:17:00Z'), end: at('2024-01-05T15:17:00Z') }
  assert.deepEqual(hourly.next(last, free, at('2024-01-05T15:40:00Z'))?.interval.start, last.end)
  assert.deepEqual(hourly.inferManual(at('2024-01-05T15:40:00Z')).start, at('2024-01-05T14:40:00Z'))
})

test('a trigger of a fixed distance runs at once, then each time so much later', () => {
  const table = timetable({ kind: 'deltaTrigger', seconds: 3600, intervalSeconds: 600, text: 'every hour' }, 'UTC')
  const now = at('2024-01-05T15:40:00Z')
  const first = table.next(null, free, now)
  assert.deepEqual(first?.interval, { start: at('2024-01-05T15:30:00Z'), end: now })
  assert.deepEqual(table.next(first?.interval ?? null, free, now)?.runAfter, at('2024-01-05T16:40:00Z'))
  assert.throws(() => timetable({ kind: 'delta', seconds: 0, interval: true, text: '' }, 'UTC'), /every 0 seconds cannot be kept/)
})

test('the neighbours of an interval are those of the schedule, and of a trigger only the next one is there', () => {
  const daily = timetable({ kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' }, 'UTC')
  const interval = { start: at('2024-01-02T00:00:00Z'), end: at('2024-01-03T00:00:00Z') }
  assert.deepEqual(daily.nextOf(interval)?.logicalDate, at('2024-01-03T00:00:00Z'))
  assert.deepEqual(daily.previousOf(interval)?.logicalDate, at('2024-01-01T00:00:00Z'))
  assert.deepEqual(trigger(['0 0 * * *']).nextOf(tick('2024-01-03T00:00:00Z'))?.logicalDate, at('2024-01-04T00:00:00Z'))
  assert.equal(trigger(['0 0 * * *']).previousOf(tick('2024-01-03T00:00:00Z')), null)
})

test('a run is the latest one until the run after it is due', () => {
  const daily = timetable({ kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' }, 'UTC')
  const interval = { start: at('2024-01-02T00:00:00Z'), end: at('2024-01-03T00:00:00Z') }
  assert.equal(isLatest(daily, interval, at('2024-01-03T00:00:01Z')), true)
  assert.equal(isLatest(daily, interval, at('2024-01-04T00:00:00Z')), true)
  assert.equal(isLatest(daily, interval, at('2024-01-04T00:00:01Z')), false)
  assert.equal(isLatest(trigger(['0 0 * * *']), tick('2024-01-03T00:00:00Z'), at('2024-01-03T18:00:00Z')), true)
  assert.equal(isLatest(trigger(['0 0 * * *']), tick('2024-01-03T00:00:00Z'), at('2024-01-04T18:00:00Z')), false)
  assert.equal(isLatest(timetable({ kind: 'once', text: '@once' }, 'UTC'), tick('2020-01-03T00:00:00Z'), at('2024-01-04T18:00:00Z')), true)
})
