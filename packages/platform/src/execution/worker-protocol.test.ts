import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messagesOf } from './worker-protocol.ts'

test('of what comes from a worker only messages are heard: the code of tasks shares its process', () => {
  const log = { type: 'log', job: 1, text: 'hello' }
  const done = { type: 'done', job: 1, outcome: { state: 'success', output: 1, renderedFields: null } }
  const ask = { type: 'ask', job: 1, question: 2, ask: { what: 'variable', key: 'a' } }
  const known = [{ type: 'ready' }, log, ask, { type: 'exits', job: 1 }, { type: 'listens', job: 1 }, done]
  assert.deepEqual(messagesOf(known), known)
  const garbage = [null, 7, 'text', {}, { ...log, text: undefined }, { ...ask, ask: null }, { ...done, outcome: null }, { type: 'log' }]
  assert.deepEqual(messagesOf([...garbage, { ...done, outcome: { state: 'lost' } }, { type: 'other', job: 1 }, log]), [log])
  for (const batch of [null, undefined, 'text', { type: 'ready' }]) assert.deepEqual(messagesOf(batch), [])
})
