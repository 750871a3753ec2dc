import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MOST_NESTED, parseJson } from './json.ts'

const nested = (depth: number, inside = '') => '[{"a":'.repeat(depth / 2) + (inside || 'null') + '}]'.repeat(depth / 2)

test('JSON is read as deep as anybody writes it, and refused when it is nested for its own sake', () => {
  const text = nested(MOST_NESTED, JSON.stringify('[[[{{{\\" ]'))
  assert.deepEqual(parseJson(text), JSON.parse(text))
  assert.throws(() => parseJson(nested(MOST_NESTED + 2)), { code: 'invalid', message: /more than 200 deep/ })
  assert.throws(() => parseJson('['.repeat(1_000_000)), { code: 'invalid' })
  assert.throws(() => parseJson('{"a":'), SyntaxError)
})

test('brackets in texts nest nothing, also behind quotes that are escaped', () => {
  const text = JSON.stringify([`"${'[{'.repeat(1000)}`, '\\', `\\"${'['.repeat(1000)}`])
  assert.deepEqual(parseJson(text), JSON.parse(text))
})
