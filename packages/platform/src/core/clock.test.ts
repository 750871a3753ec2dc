import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'

const DAY_MS = 86_400_000

test('a sleep of a month lasts a month, although no timer can be set for so long', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let isAwake = false
  void systemClock.sleep(30 * DAY_MS).then(() => (isAwake = true))
  const turn = () => new Promise(setImmediate)
  const longest = 2 ** 31 - 1
  for (const ms of [longest, 30 * DAY_MS - longest - 1]) t.mock.timers.tick(ms)
  await turn()
  assert.equal(isAwake, false)
  t.mock.timers.tick(1)
  await turn()
  assert.equal(isAwake, true)
})

test('a sleep ends with its signal', async () => {
  const cancellation = new AbortController()
  const slept = systemClock.sleep(30 * DAY_MS, cancellation.signal)
  cancellation.abort()
  await slept
  await systemClock.sleep(DAY_MS, cancellation.signal)
})
