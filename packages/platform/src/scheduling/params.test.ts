import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paramProblems, valueProblems } from './params.ts'

test('a value that fits its schema has no problem, and one that does not says where', () => {
  const schema = { type: 'object', properties: { mail: { type: 'string', pattern: '^[^@]+@[^@]+$' } } }
  assert.deepEqual(valueProblems('who', schema, { mail: 'a@b' }), [])
  assert.match(valueProblems('who', schema, { mail: 'ab' }).join(), /^Param "who\.mail" does not fit/)
  assert.deepEqual(paramProblems({ params: {}, paramSchemas: { who: schema } }, {}), ['Param "who" has no value: give it one in conf.'])
})

test('a pattern that would take for ever with a value is a problem of the DAG, and holds nobody up', () => {
  const value = `${'a'.repeat(60)}!`
  assert.match(valueProblems('name', { type: 'string', pattern: '^(a+)+$' }, value).join(), /takes too long with this value/)
})

test('a schema leads nowhere else', () => {
  for (const $ref of ['http://127.0.0.1/schema', 'file:///etc/passwd', '#'])
    assert.match(valueProblems('name', { $ref }, 1).join(), /cannot be read/)
})

test('a conf is not larger than what goes between tasks', () => {
  const problems = (length: number) => paramProblems({ params: {}, paramSchemas: {} }, { a: 'x'.repeat(length) })
  assert.deepEqual(problems(1_000_000), [])
  assert.match(problems(1_048_576).join(), /conf has 1048584 characters of JSON, and may have 1048576/)
})
