import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DataInterval, isLatest, timetable } from '../timetable.ts'

const at = (text: string) => new Date(text)
const free = { earliest: null, latest: null, catchup: false }
const MATCHES = ['2024-06-14T19:00:00Z', '2024-06-20T19:00:00Z', '2024-07-14T19:00:00Z']
const events = (restricts: boolean) => timetable({ kind: 'events', dates: MATCHES, restricts, text: 'match days' }, 'UTC')
const day = (due: { logicalDate: Date } | null) => due?.logicalDate.toISOString().slice(0, 10) ?? null

test('a schedule of events runs at each of them, without catchup only at those still to come', () => {
  const now = at('2024-06-15T00:00:00Z')
  assert.equal(day(events(false).next(null, free, now)), '2024-06-20')
  assert.equal(day(events(false).next(null, { ...free, catchup: true }, now)), '2024-06-14')
  const last = { start: at(MATCHES[1] as string), end: at(MATCHES[1] as string) }
  assert.equal(day(events(false).next(last, free, now)), '2024-07-14')
  assert.equal(events(false).next({ start: at(MATCHES[2] as string), end: at(MATCHES[2] as string) }, free, now), null)
  assert.equal(events(false).next(last, { ...free, latest: at('2024-07-01T00:00:00Z') }, now), null)
})

test('a run by hand stands for its own time, or for the last event when the author restricts it', () => {
  const now = at('2024-06-25T00:00:00Z')
  assert.deepEqual(events(false).inferManual(now).start, now)
  assert.deepEqual(events(true).inferManual(now).start, at(MATCHES[1] as string))
  assert.deepEqual(events(true).inferManual(at('2024-01-01T00:00:00Z')).start, at(MATCHES[0] as string))
  assert.deepEqual(events(true).inferManual(at('2025-01-01T00:00:00Z')).start, at(MATCHES[2] as string))
})

test('events in a range of dates can be backfilled, both ends included', () => {
  const found = events(false).between(at(MATCHES[0] as string), at(MATCHES[1] as string))
  assert.deepEqual(found.map(day), ['2024-06-14', '2024-06-20'])
})

test('a continuous schedule covers the time since its last run, and its first run the time since the start date', () => {
  const table = timetable({ kind: 'continuous', text: '@continuous' }, 'UTC')
  const first = table.next(null, { ...free, earliest: at('2024-01-01T00:00:00Z') }, at('2024-01-01T12:00:00Z'))
  assert.deepEqual(first?.interval, { start: at('2024-01-01T00:00:00Z'), end: at('2024-01-01T12:00:00Z') })
  const second = table.next(first?.interval ?? null, free, at('2024-01-01T12:30:00Z'))
  assert.deepEqual(second?.interval, { start: at('2024-01-01T12:00:00Z'), end: at('2024-01-01T12:30:00Z') })
  assert.deepEqual(table.nextOf(first?.interval as DataInterval)?.logicalDate, first?.interval.end)
  assert.ok(isLatest(table, first?.interval as DataInterval, at('2024-01-02T00:00:00Z')))
  const ahead = table.next(null, { ...free, earliest: at('2024-02-01T00:00:00Z') }, at('2024-01-01T12:00:00Z'))
  assert.deepEqual(ahead?.runAfter, at('2024-02-01T00:00:00Z'))
})

test('a continuous schedule that begins now leaves no time between its runs, and has no logical date twice', () => {
  const table = timetable({ kind: 'continuous', text: '@continuous' }, 'UTC')
  const first = table.next(null, free, at('2024-01-01T12:00:00.000Z'))
  const second = table.next(first?.interval ?? null, free, at('2024-01-01T12:30:00.000Z'))
  const third = table.next(second?.interval ?? null, free, at('2024-01-01T13:00:00.000Z'))
  assert.deepEqual(second?.interval, { start: at('2024-01-01T12:00:00.001Z'), end: at('2024-01-01T12:30:00.000Z') })
  assert.deepEqual(third?.interval, { start: second?.interval.end, end: at('2024-01-01T13:00:00.000Z') })
  assert.equal(new Set([first, second, third].map((run) => run?.logicalDate.getTime())).size, 3)
})

test('only schedules with dates of their own can be backfilled', () => {
  const cron = { kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' } as const
  const condition = { asset: { name: 'a', uri: 'a', group: 'asset', extra: {} } }
  const periodic = (schedule: Parameters<typeof timetable>[0]) => timetable(schedule, 'UTC').isPeriodic
  assert.deepEqual([cron, { kind: 'assetsOrTime', condition, time: cron, text: '' } as const].map(periodic), [true, true])
  assert.deepEqual(
    [{ kind: 'none' }, { kind: 'once', text: '' }, { kind: 'continuous', text: '' }, { kind: 'assets', condition, text: '' }].map((one) =>
      periodic(one as Parameters<typeof timetable>[0]),
    ),
    [false, false, false, false],
  )
})

test('a DAG of assets and time keeps to the time, too', () => {
  const cron = { kind: 'cron', expression: '0 0 * * *', interval: true, text: '@daily' } as const
  const condition = { asset: { name: 'a', uri: 'a', group: 'asset', extra: {} } }
  const table = timetable({ kind: 'assetsOrTime', condition, time: cron, text: 'a, @daily' }, 'UTC')
  assert.equal(table.summary, 'a, @daily')
  assert.equal(day(table.next(null, free, at('2024-01-03T10:00:00Z'))), '2024-01-02')
  assert.deepEqual(table.inferManual(at('2024-01-03T10:00:00Z')).end, at('2024-01-03T00:00:00Z'))
})
