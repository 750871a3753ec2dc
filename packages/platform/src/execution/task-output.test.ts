import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJson } from './task-output.ts'

test('what is nested thousands deep is no answer of a task: nothing could keep it', () => {
  assert.throws(() => toJson(JSON.parse('['.repeat(1000) + ']'.repeat(1000))), /more than 200 deep in each other\. Answer flatter data\./)
  assert.deepEqual(toJson({ a: [{ at: new Date(0) }] }), { a: [{ at: '1970-01-01T00:00:00.000Z' }] })
})
