import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSensitiveName, Masker, maskFields } from './masking.ts'

test('a name is sensitive when a listed word occurs anywhere in it, whatever its case and separators', () => {
  for (const name of ['DB_PASSWORD', 'x-api key', 'github.token', 'clientSecret']) assert.ok(isSensitiveName(name), name)
  for (const name of ['user', 'project', 'bucket']) assert.ok(!isSensitiveName(name), name)
})

test('fields under sensitive names are hidden at any depth', () => {
  assert.deepEqual(maskFields({ a: [{ password: { x: 1 } }], host: 'h' }), { a: [{ password: '***' }], host: 'h' })
})

test('a secret is hidden plainly, URL-encoded, in JSON and in base64 at any alignment', () => {
  const masker = new Masker()
  const secret = 'p@ss "word"/1'
  masker.add(secret)
  for (const text of [secret, encodeURIComponent(secret), JSON.stringify({ secret })])
    assert.ok(masker.mask(`<${text}>`).includes('***'), text)
  for (const before of ['', 'u', 'us', 'user:']) {
    const encoded = Buffer.from(`${before}${secret}`).toString('base64')
    assert.match(masker.mask(encoded), /\*\*\*/, encoded)
  }
})

test('a secret of several lines is hidden line by line, and short lines stay', () => {
  const masker = new Masker()
  masker.add('first-line\n{\nsecond-line')
  assert.equal(masker.mask('first-line { second-line'), '*** { ***')
})
