import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastWeek } from './demo.ts'

test('last week is the interval of the schedule that ended with the last Monday 05:00', () => {
  const week = (now: string) => Object.values(lastWeek(new Date(now))).map((date) => date.toISOString().slice(0, 16))
  assert.deepEqual(week('2026-11-23T05:00:00Z'), ['2026-11-16T05:00', '2026-11-23T05:00'])
  assert.deepEqual(week('2026-11-23T04:59:59Z'), ['2026-11-09T05:00', '2026-11-16T05:00'])
  assert.deepEqual(week('2026-11-29T23:00:00Z'), ['2026-11-16T05:00', '2026-11-23T05:00'])
})
