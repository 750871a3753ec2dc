import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_NESTED } from '../core/json.ts'
import { messagesOf } from './worker-protocol.ts'

test('what comes from a worker is heard when all of it are messages: the code of tasks shares its process', () => {
  const log = { type: 'log', job: 1, text: 'hello' }
  const done = { type: 'done', job: 1, outcome: { state: 'success', output: 1, renderedFields: null }, startedAt: 1, endedAt: 2 }
  const ask = { type: 'ask', job: 1, question: 2, ask: { what: 'variable', key: 'a' } }
  const known = [{ type: 'ready' }, log, ask, { type: 'exits', job: 1 }, { type: 'listens', job: 1 }, done]
  assert.deepEqual(messagesOf(known), known)
  assert.deepEqual(messagesOf([]), [])
  const garbage = [
    null,
    7,
    'text',
    [],
    {},
    { ...log, text: undefined },
    { ...ask, ask: null },
    { ...done, outcome: null },
    { type: 'log' },
    { ...done, startedAt: 'never' },
    { ...done, endedAt: 1e17 },
  ]
  for (const one of [...garbage, { ...done, outcome: { state: 'lost' } }, { type: 'other', job: 1 }])
    assert.equal(messagesOf([log, one, log]), null, JSON.stringify(one))
})

test('what is nested without end is no message: it would end whatever walks through it', () => {
  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  const done = (output: unknown) => [
    { type: 'done', job: 1, outcome: { state: 'success', output, renderedFields: null }, startedAt: 1, endedAt: 2 },
  ]
  const push = (value: unknown) => [{ type: 'ask', job: 1, question: 1, ask: { what: 'xcomPush', key: 'k', value } }]
  for (const depth of [1, MOST_NESTED]) assert.ok(messagesOf(done(nested(depth))) && messagesOf(push(nested(depth))))
  for (const depth of [MOST_NESTED + 20, 100_000]) assert.equal(messagesOf(done(nested(depth))) ?? messagesOf(push(nested(depth))), null)
})
