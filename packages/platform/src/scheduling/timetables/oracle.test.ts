/** Ticks held against a walk, minute by minute, over what the clocks show. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  generator,
  MINUTE,
  matcher,
  RANGES,
  randomExpression,
  randomField,
  randomTime,
  shownAt,
  walk,
  whole,
  ZONES,
} from '../../../test/cron-walk.ts'
import { CronTicks } from './ticks.ts'

const CASES = 2000

test('ticks are those that a walk over the clocks finds', () => {
  const random = generator(20_240_331)
  for (let i = 0; i < CASES; i++) {
    const expression = randomExpression(random)
    const zone = ZONES[whole(random, 0, ZONES.length - 1)] as string
    const at = randomTime(random)
    const ticks = new CronTicks(expression, zone)
    for (const step of [1, -1] as const) {
      const expected = walk(expression, zone, at, step)
      if (expected === null) continue
      const found = step === 1 ? ticks.after(new Date(at)) : ticks.before(new Date(at))
      const what = `${expression} ${zone} ${step === 1 ? 'after' : 'before'} ${new Date(at).toISOString()}`
      assert.equal(found.toISOString(), new Date(expected).toISOString(), what)
    }
  }
})

test('an expression of every hour ticks at every instant at which the clocks show a match', () => {
  const random = generator(7)
  for (const zone of ['Europe/Paris', 'America/New_York', 'America/St_Johns']) {
    for (let i = 0; i < 20; i++) {
      const expression = `${randomField(random, RANGES[0], 0)} * * * *`
      const matches = matcher(expression)
      const ticks = new CronTicks(expression, zone)
      const from = randomTime(random)
      const begin = Math.ceil(from / MINUTE) * MINUTE
      const minutes = Array.from({ length: 6 * 60 }, (_, m) => begin + m * MINUTE)
      const expected = minutes.filter((at) => matches(shownAt(at, zone)))
      const found: number[] = []
      let at = ticks.after(new Date(begin - 1))
      for (; at.getTime() <= (minutes.at(-1) as number); at = ticks.after(at)) found.push(at.getTime())
      assert.deepEqual(found, expected, `${expression} ${zone} from ${new Date(begin).toISOString()}`)
    }
  }
})
