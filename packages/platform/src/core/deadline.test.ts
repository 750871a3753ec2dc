import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from './deadline.ts'

test('work that ends in time answers, also with what it throws; what computes on is ended', () => {
  assert.deepEqual(
    within(1000, () => [1]),
    { answer: [1] },
  )
  assert.throws(() => within(1000, () => assert.fail('no')), /no/)
  assert.equal(
    within(20, () => /^(a+)+$/.test(`${'a'.repeat(60)}!`)),
    null,
  )
})
