import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDate } from './command.ts'

test('a date without an offset is meant in the default zone, also when the clocks change', () => {
  assert.equal(readDate('2026-11-23', 'UTC'), '2026-11-23T00:00:00.000Z')
  assert.equal(readDate('2026-11-23T05:30+01:00', 'America/New_York'), '2026-11-23T04:30:00.000Z')
  assert.equal(readDate('2026-11-23 05:30', 'Europe/Paris'), '2026-11-23T04:30:00.000Z')
  assert.equal(readDate('2026-07-01', 'Europe/Paris'), '2026-06-30T22:00:00.000Z')
  assert.equal(readDate('2026-03-29', 'Europe/Paris'), '2026-03-28T23:00:00.000Z')
  assert.equal(readDate('2026-03-29T12:00', 'Europe/Paris'), '2026-03-29T10:00:00.000Z')
  // Shown twice: the first one. Never shown: an hour later.
  assert.equal(readDate('2026-10-25T02:30', 'Europe/Paris'), '2026-10-25T00:30:00.000Z')
  assert.equal(readDate('2026-03-29T02:30', 'Europe/Paris'), '2026-03-29T01:30:00.000Z')
})

test('what is no date is refused', () => {
  for (const text of ['yesterday', '2026-13-01', '2026-11-23T25:00', '23.11.2026', ''])
    assert.throws(() => readDate(text, 'UTC'), /must be a date/)
})
