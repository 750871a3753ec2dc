import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryDelaySeconds } from './retry.ts'

const task = { taskId: 't', retryDelaySeconds: 300, retryBackoff: 0, maxRetryDelaySeconds: null }
const attempt = { dagId: 'd', logicalDate: new Date('2019-10-07T05:00:00Z'), tryNumber: 1 }

test('without backoff each wait is the retry delay', () => {
  assert.equal(retryDelaySeconds(task, { ...attempt, tryNumber: 5 }), 300)
  assert.equal(retryDelaySeconds({ ...task, retryBackoff: 1 }, { ...attempt, tryNumber: 5 }), 300)
  assert.equal(retryDelaySeconds({ ...task, retryDelaySeconds: 172_800, maxRetryDelaySeconds: 60 }, attempt), 172_800)
})

test('with backoff the wait of try n lies in [delay × 2ⁿ⁻¹, twice that) and is the same every time', () => {
  for (let tryNumber = 1; tryNumber < 8; tryNumber++) {
    const wait = retryDelaySeconds({ ...task, retryBackoff: 2 }, { ...attempt, tryNumber })
    assert.ok(wait >= 300 * 2 ** (tryNumber - 1) && wait < 600 * 2 ** (tryNumber - 1), `${wait} after try ${tryNumber}`)
    assert.equal(retryDelaySeconds({ ...task, retryBackoff: 2 }, { ...attempt, tryNumber }), wait)
  }
})

test("the jitter is the SHA-1 of Airflow's text for the try", () => {
  // sha1("d#t#2019-10-07 05:00:00+00:00#1") modulo 300, worked out with Python.
  assert.equal(retryDelaySeconds({ ...task, retryBackoff: 2 }, attempt), 300 + 94)
})

test('no wait grows beyond its own limit, or a day', () => {
  assert.equal(retryDelaySeconds({ ...task, retryBackoff: 2, maxRetryDelaySeconds: 400 }, { ...attempt, tryNumber: 6 }), 400)
  assert.equal(retryDelaySeconds({ ...task, retryBackoff: 10 }, { ...attempt, tryNumber: 40 }), 86_400)
})
