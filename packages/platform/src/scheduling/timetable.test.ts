import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DataInterval, type DueRun, type Timetable, timetable } from './timetable.ts'

const cron = (expression: string, timezone = 'UTC') => timetable({ kind: 'cron', expression, interval: true, text: expression }, timezone)
const at = (text: string) => new Date(text)
const forever = { earliest: null, latest: null, catchup: false }

/** The interval right after one that ends at `interval.end`. */
const following = (table: Timetable, interval: DataInterval) =>
  (table.next(interval, { earliest: null, latest: null, catchup: true }, at('2030-01-01T00:00:00Z')) as DueRun).interval

const shown = (due: { interval: DataInterval; runAfter: Date; logicalDate: Date } | null) => {
  if (!due) return null
  assert.equal(due.logicalDate.getTime(), due.interval.start.getTime())
  assert.equal(due.runAfter.getTime(), due.interval.end.getTime())
  return `${due.interval.start.toISOString().slice(0, 16)} ${due.interval.end.toISOString().slice(0, 16)}`
}

test('the weekly run of Monday 05:00 covers the week that ends then', () => {
  const weekly = cron('0 5 * * 1')
  const first = weekly.next(null, forever, at('2019-10-09T12:00:00Z'))
  assert.equal(shown(first), '2019-09-30T05:00 2019-10-07T05:00')
  assert.equal(shown(weekly.next(first?.interval ?? null, forever, at('2019-10-09T12:00:00Z'))), '2019-10-07T05:00 2019-10-14T05:00')
})

test('without catchup only the last complete interval is made up for, also exactly on the tick', () => {
  const daily = cron('0 0 * * *')
  const last = { start: at('2024-01-01T00:00:00Z'), end: at('2024-01-02T00:00:00Z') }
  assert.equal(shown(daily.next(last, forever, at('2024-01-20T15:00:00Z'))), '2024-01-19T00:00 2024-01-20T00:00')
  assert.equal(shown(daily.next(last, forever, at('2024-01-20T00:00:00Z'))), '2024-01-19T00:00 2024-01-20T00:00')
  assert.equal(shown(daily.next(last, forever, at('2024-01-19T23:59:59.999Z'))), '2024-01-18T00:00 2024-01-19T00:00')
})

test('with catchup each interval since the start date gets its run', () => {
  const daily = cron('0 0 * * *')
  const restriction = { earliest: at('2024-01-01T07:30:00Z'), latest: null, catchup: true }
  const now = at('2024-03-01T00:00:00Z')
  const first = daily.next(null, restriction, now)
  assert.equal(shown(first), '2024-01-02T00:00 2024-01-03T00:00')
  assert.equal(shown(daily.next(first?.interval ?? null, restriction, now)), '2024-01-03T00:00 2024-01-04T00:00')
  assert.equal(daily.next(null, { ...restriction, earliest: null }, now), null)
})

test('a start date in the future holds the first run back until its interval is over', () => {
  const due = cron('0 0 * * *').next(null, { ...forever, earliest: at('2024-02-01T00:00:00Z') }, at('2024-01-20T15:00:00Z'))
  assert.equal(shown(due), '2024-02-01T00:00 2024-02-02T00:00')
})

test('no interval begins after the end date', () => {
  const daily = cron('0 0 * * *')
  const restriction = { earliest: at('2024-01-01T00:00:00Z'), latest: at('2024-01-02T00:00:00Z'), catchup: true }
  const last = { start: at('2024-01-01T00:00:00Z'), end: at('2024-01-02T00:00:00Z') }
  assert.equal(shown(daily.next(last, restriction, at('2024-06-01T00:00:00Z'))), '2024-01-02T00:00 2024-01-03T00:00')
  assert.equal(
    daily.next({ start: at('2024-01-02T00:00:00Z'), end: at('2024-01-03T00:00:00Z') }, restriction, at('2024-06-01T00:00:00Z')),
    null,
  )
})

test('a daily schedule keeps to the clocks of its zone through both changes of a year', () => {
  const daily = cron('0 5 * * *', 'Europe/Paris')
  const after = (text: string) => {
    const found = following(daily, { start: new Date(at(text).getTime() - 86_400_000), end: at(text) })
    return `${found.start.toISOString().slice(0, 16)} ${found.end.toISOString().slice(0, 16)}`
  }
  assert.equal(after('2024-03-30T04:00:00Z'), '2024-03-30T04:00 2024-03-31T03:00')
  assert.equal(after('2024-10-26T03:00:00Z'), '2024-10-26T03:00 2024-10-27T04:00')
})

test('a schedule that has become coarser does not begin again with what the last run has covered', () => {
  const last = { start: at('2024-01-05T10:00:00Z'), end: at('2024-01-05T11:00:00Z') }
  assert.deepEqual(following(cron('0 0 * * *'), last), { start: at('2024-01-06T00:00:00Z'), end: at('2024-01-07T00:00:00Z') })
})

test('the last Friday of a month is written as in Airflow, or as in Quartz', () => {
  for (const expression of ['0 22 * * L5', '0 22 * * 5L']) {
    assert.equal(cron(expression).next(null, forever, at('2024-03-01T00:00:00Z'))?.runAfter.toISOString(), '2024-02-23T22:00:00.000Z')
  }
})

test('a time that the clocks leave out is moved on, one that they show twice means the second', () => {
  const spring = cron('30 2 * * *', 'Europe/Paris').next(null, forever, at('2024-03-31T01:45:00Z'))
  assert.equal(spring?.runAfter.toISOString(), '2024-03-31T01:30:00.000Z')
  const autumn = cron('30 1 * * *', 'America/New_York').next(null, forever, at('2024-11-03T07:00:00Z'))
  assert.equal(autumn?.runAfter.toISOString(), '2024-11-03T06:30:00.000Z')
})

test('an hourly schedule runs every hour although the clocks change', () => {
  const hourly = cron('0 * * * *', 'Europe/Paris')
  let interval: DataInterval = { start: at('2024-10-26T23:00:00Z'), end: at('2024-10-27T00:00:00Z') }
  for (let hour = 0; hour < 4; hour++) {
    interval = following(hourly, interval)
    assert.equal(interval.start.toISOString(), `2024-10-27T0${hour}:00:00.000Z`)
    assert.equal(interval.end.getTime() - interval.start.getTime(), 3_600_000)
  }
})

test('an hourly schedule goes on where the clocks change by half an hour', () => {
  for (const [change, expression] of [
    ['2019-04-06', '15 * * * *'],
    ['2019-04-06', '0 * * * *'],
    ['2019-10-05', '15 * * * *'],
  ] as const) {
    const hourly = cron(expression, 'Australia/Lord_Howe')
    let interval = hourly.inferManual(at(`${change}T12:00:00Z`))
    for (let i = 0; i < 8; i++) {
      const next = following(hourly, interval)
      assert.equal(next.start.getTime(), interval.end.getTime())
      const minutes = (next.end.getTime() - next.start.getTime()) / 60_000
      assert.ok(minutes >= 30 && minutes <= 90, `${next.start.toISOString()} lasts ${minutes} minutes`)
      interval = next
    }
  }
})

test('a run by hand stands for the last complete interval', () => {
  const weekly = cron('0 5 * * 1')
  const { start, end } = weekly.inferManual(at('2019-10-09T12:00:00Z'))
  assert.deepEqual([start, end], [at('2019-09-30T05:00:00Z'), at('2019-10-07T05:00:00Z')])
  assert.deepEqual(weekly.inferManual(at('2019-10-07T05:00:00Z')).end, at('2019-10-07T05:00:00Z'))
})

test('a DAG without a schedule never comes due, and one for @once comes due once', () => {
  const now = at('2024-01-01T00:00:00Z')
  assert.equal(timetable({ kind: 'none' }, 'UTC').next(null, forever, now), null)
  const once = timetable({ kind: 'once', text: '@once' }, 'UTC')
  const due = once.next(null, { ...forever, earliest: at('2023-05-01T00:00:00Z') }, now)
  assert.deepEqual(due?.runAfter, at('2023-05-01T00:00:00Z'))
  assert.equal(once.next(due?.interval ?? null, forever, now), null)
})

test('the runs of a catchup follow each other without a gap around every change of the clocks', () => {
  const days = ['2024-03-09', '2024-03-30', '2024-04-06', '2024-10-05', '2024-10-26', '2024-11-02']
  for (const timezone of ['UTC', 'Europe/Paris', 'America/New_York', 'America/St_Johns']) {
    for (const expression of ['30 2 * * *', '0 * * * *', '15 */6 * * *', '*/20 1-3 * * *']) {
      const table = cron(expression, timezone)
      for (const day of days) {
        const restriction = { earliest: at(`${day}T10:00:00Z`), latest: null, catchup: true }
        let last: DataInterval | null = null
        for (let i = 0; i < 24; i++) {
          const due = table.next(last, restriction, at('2030-01-01T00:00:00Z'))
          assert.ok(due && due.interval.end > due.interval.start, `${expression} ${timezone}`)
          if (last)
            assert.equal(due.interval.start.getTime(), last.end.getTime(), `${expression} ${timezone} after ${last.end.toISOString()}`)
          last = due.interval
        }
      }
    }
  }
})

test('fields that make no sense are refused with the schedule and an example', () => {
  assert.throws(() => cron('0 25 * * 1'), /The schedule "0 25 \* \* 1" cannot be read: .*25.*0-23.*Write five cron fields/)
})
