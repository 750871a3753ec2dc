import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tokens } from '../accounts/token.ts'
import { systemClock } from '../core/clock.ts'
import { system } from '../core/principal.ts'
import { isSensitiveName, Masker, maskFields, sensitiveTexts } from './masking.ts'

test('a name is sensitive when a listed word occurs anywhere in it, whatever its case and separators', () => {
  for (const name of ['DB_PASSWORD', 'x-api key', 'github.token', 'clientSecret']) assert.ok(isSensitiveName(name), name)
  for (const name of ['user', 'project', 'bucket']) assert.ok(!isSensitiveName(name), name)
})

test('fields under sensitive names are hidden at any depth', () => {
  assert.deepEqual(maskFields({ a: [{ password: { x: 1 } }], host: 'h' }), { a: [{ password: '***' }], host: 'h' })
})

test('what stands under sensitive names is found at any depth, and nothing beside it', () => {
  const extra = {
    project: 'shop',
    keyfile_dict: { type: 'service_account', private_key: 'k3y' },
    tokens: ['t0k'],
    proxy: { password: 'pw' },
  }
  assert.deepEqual(sensitiveTexts(extra), ['k3y', 't0k', 'pw'])
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

test('a token of the platform is hidden without being known, also as a password of basic authentication', async () => {
  const token = await new Tokens(new Uint8Array(32), systemClock).issue(system, 60)
  const masker = new Masker()
  assert.equal(masker.mask(`Authorization: Bearer ${token}, and more`), 'Authorization: Bearer ***, and more')
  for (const name of ['', 'u', 'us', 'user']) {
    const sent = Buffer.from(`${name}:${token}`).toString('base64')
    assert.match(masker.mask(`Basic ${sent}!`), /^Basic .{0,8}\*\*\*!$/, sent)
  }
})
