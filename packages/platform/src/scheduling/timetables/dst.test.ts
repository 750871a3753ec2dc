import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CronTicks } from './ticks.ts'

/** Ticks after an instant, in minutes of UTC. */
function ticks(expression: string, timezone: string, from: string, count: number): string[] {
  const source = new CronTicks(expression, timezone)
  const found: string[] = []
  let at = new Date(from)
  for (let i = 0; i < count; i++) {
    at = source.after(at)
    found.push(at.toISOString().slice(5, 16))
  }
  const back = found.map(() => {
    const shown = at.toISOString().slice(5, 16)
    at = source.before(at)
    return shown
  })
  assert.deepEqual(back.reverse(), found, 'the way back is the way there')
  return found
}

test('Paris, spring: every day at 02:30 is moved to 03:30 on the day that has no 02:30', () => {
  const found = ticks('30 2 * * *', 'Europe/Paris', '2024-03-29T12:00:00Z', 3)
  assert.deepEqual(found, ['03-30T01:30', '03-31T01:30', '04-01T00:30'])
})

test('Paris, autumn: every day at 02:30 runs once on the day that has it twice, the second time', () => {
  const found = ticks('30 2 * * *', 'Europe/Paris', '2024-10-25T12:00:00Z', 3)
  assert.deepEqual(found, ['10-26T00:30', '10-27T01:30', '10-28T01:30'])
})

test('Paris: every hour goes without a gap through both nights', () => {
  assert.deepEqual(ticks('0 * * * *', 'Europe/Paris', '2024-03-30T23:30:00Z', 3), ['03-31T00:00', '03-31T01:00', '03-31T02:00'])
  assert.deepEqual(ticks('0 * * * *', 'Europe/Paris', '2024-10-26T23:30:00Z', 4), [
    '10-27T00:00',
    '10-27T01:00',
    '10-27T02:00',
    '10-27T03:00',
  ])
})

test('New York, spring: every two hours skips from 00:00 to 03:00, where 02:00 has gone', () => {
  const found = ticks('0 */2 * * *', 'America/New_York', '2024-03-10T04:30:00Z', 3)
  assert.deepEqual(found, ['03-10T05:00', '03-10T07:00', '03-10T08:00'])
})

test('New York, autumn: every twenty minutes repeats the hour that comes twice', () => {
  const found = ticks('*/20 * * * *', 'America/New_York', '2024-11-03T05:30:00Z', 6)
  assert.deepEqual(found, ['11-03T05:40', '11-03T06:00', '11-03T06:20', '11-03T06:40', '11-03T07:00', '11-03T07:20'])
})

test('New York, autumn: on weekdays at 09:00 keeps to the clock', () => {
  const found = ticks('0 9 * * 1-5', 'America/New_York', '2024-11-01T00:00:00Z', 3)
  assert.deepEqual(found, ['11-01T13:00', '11-04T14:00', '11-05T14:00'])
})

test('Lord Howe, where clocks change by half an hour: 02:15 is moved to 02:45, and 01:45 means the second one', () => {
  assert.deepEqual(ticks('15 2 * * *', 'Australia/Lord_Howe', '2024-10-04T20:00:00Z', 2), ['10-05T15:45', '10-06T15:15'])
  assert.deepEqual(ticks('45 1 * * *', 'Australia/Lord_Howe', '2024-04-05T20:00:00Z', 2), ['04-06T15:15', '04-07T15:15'])
})

test('every hour of one day of the week begins at midnight also after a change of the clocks', () => {
  const found = ticks('0 * * * 1', 'Europe/Paris', '2024-03-26T12:00:00Z', 2)
  assert.deepEqual(found, ['03-31T22:00', '03-31T23:00'])
})
