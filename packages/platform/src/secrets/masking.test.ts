import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Tokens } from '../accounts/token.ts'
import { systemClock } from '../core/clock.ts'
import { system } from '../core/principal.ts'
import {
  isSensitiveName,
  MASK,
  Masker,
  maskFields,
  maskText,
  merge,
  mergeText,
  REDACTION_FAILED,
  sensitiveTexts,
  sensitiveTextsIn,
  setSensitiveNames,
} from './masking.ts'
import { SENSITIVE_WORDS } from './sensitive-name.ts'

// Names and whether Airflow 3's `should_hide_value_for_key` hides what is under them.
const NAMES: readonly (readonly [name: string, isSensitive: boolean])[] = [
  ...[...SENSITIVE_WORDS].map((word) => [word, true] as const),
  ...([' PASSWORD ', 'my_passwd_2', 'X-Api-Key', 'api key', 'api.key', 'aws_secret_access_key', 'GoogleApiKey', 'apikey'] as const).map(
    (n) => [n, true] as const,
  ),
  ...(['service-account', 'Service Account', 'private--key', 'keyfile.dict', 'bearer_token', 'tokens'] as const).map(
    (n) => [n, true] as const,
  ),
  ...(['', 'pass', 'user', 'login', 'host', 'key', 'api__key', 'key_path', 'credentials', 'prox', 'pass_key'] as const).map(
    (n) => [n, false] as const,
  ),
]

for (const [name, isSensitive] of NAMES)
  test(`the name "${name}" is ${isSensitive ? '' : 'not '}sensitive`, () => assert.equal(isSensitiveName(name), isSensitive))

test('the settings add words to the list, or switch it off', (t) => {
  t.after(() => setSensitiveNames({}))
  assert.ok(!isSensitiveName('customer-iban'))
  setSensitiveNames({ names: [' IBAN ', ''] })
  assert.ok(isSensitiveName('customer-iban') && isSensitiveName('password') && !isSensitiveName('host'))
  setSensitiveNames({ names: ['iban'], hidesFields: false })
  assert.ok(!isSensitiveName('customer-iban') && !isSensitiveName('password'))
})

test('texts and numbers under sensitive names are hidden at any depth; their lists and fields stay, and what tells nothing', () => {
  assert.deepEqual(maskFields({ a: [{ password: { pin: 1234, on: true, none: null, empty: '' } }], host: 'h' }), {
    a: [{ password: { pin: MASK, on: true, none: null, empty: '' } }],
    host: 'h',
  })
  assert.deepEqual(maskFields({ tokens: ['a', ['b']] }), { tokens: [MASK, [MASK]] })
  assert.deepEqual(maskFields({ user: 'ada' }, 'secret'), { user: MASK })
  let deep: unknown = { password: 'x' }
  for (let i = 0; i < 200; i++) deep = { deep }
  assert.ok(!JSON.stringify(maskFields(deep)).includes('"x"'))
})

test('of what cannot be looked through, nothing is shown', () => {
  const circle: Record<string, unknown> = { password: 'x' }
  circle.again = circle
  assert.equal(maskFields(circle), REDACTION_FAILED)
  assert.equal(new Masker().redact(circle), REDACTION_FAILED)
  const unreadable = {
    get host(): string {
      throw new Error('no')
    },
  }
  assert.equal(maskFields(unreadable), REDACTION_FAILED)
})

test('a text that is JSON is hidden field by field, another one by its own name', () => {
  assert.equal(maskText('{"password":"x","host":"h"}', 'config'), '{"password":"***","host":"h"}')
  assert.equal(maskText('[{"token":"x"}]'), '[{"token":"***"}]')
  assert.equal(maskText('hunter22', 'db_password'), MASK)
  assert.equal(maskText('{broken', 'db_password'), MASK)
  assert.equal(maskText('plain', 'config'), 'plain')
  assert.equal(maskText('['.repeat(100_000) + ']'.repeat(100_000), 'config'), REDACTION_FAILED)
  assert.equal(maskText('{ "host": 1 }', 'config'), '{ "host": 1 }')
  assert.deepEqual(sensitiveTextsIn('{"password":"x1","host":"h"}', 'config'), ['x1'])
  assert.deepEqual(sensitiveTextsIn('hunter22', 'db_password'), ['hunter22'])
  assert.deepEqual(sensitiveTextsIn('hunter22', 'title'), [])
})

test('the mask sent back restores the old secret, and only where it stands under a sensitive name', () => {
  const old = {
    host: 'a',
    password: 'old',
    nested: { token: 't', keys: [{ api_key: 'k' }] },
    secrets: ['s1', { x: 's2' }],
    pin_password: 12,
  }
  const shown = maskFields(old) as typeof old
  assert.deepEqual(merge(shown, old), old)
  assert.deepEqual(merge({ ...shown, host: MASK, password: 'new' }, old), { ...old, host: MASK, password: 'new' })
  assert.deepEqual(merge({ password: MASK, fresh_token: MASK }, { password: 'old' }), { password: 'old', fresh_token: MASK })
  assert.deepEqual(merge({ secrets: [MASK, MASK, MASK] }, { secrets: ['a', 'b'] }), { secrets: ['a', 'b', MASK] })
  assert.deepEqual(merge({ host: 'a' }, { host: 'a', password: 'gone' }), { host: 'a' })
  assert.equal(mergeText('{"password":"***","host":"b"}', '{"password":"x","host":"a"}'), '{"password":"x","host":"b"}')
  assert.equal(mergeText(MASK, 'hunter22', 'db_password'), 'hunter22')
  assert.equal(mergeText(MASK, 'hunter22', 'title'), MASK)
  assert.equal(mergeText('{ "host": 1 }', '{"host":2}'), '{ "host": 1 }')
})

test('a JSON text under a sensitive name is a secret as a whole, whatever its fields are called', () => {
  const text = '{"user":"ada","pw":"hunter22"}'
  assert.deepEqual(sensitiveTextsIn(text, 'crm_secret'), [text])
  assert.deepEqual(sensitiveTextsIn('{"password":"x1"}', 'crm_secret'), ['{"password":"x1"}', 'x1'])
})

test('a secret is hidden in whatever form programs write it', () => {
  const secret = 'p@ss w$r"d/9&x+\\\'é!?~'
  const masker = new Masker()
  masker.add(secret)
  const url = new URL('http://ada@host')
  url.password = secret
  const forms = [
    url.href,
    `http://ada:${encodeURIComponent(secret)}@host`,
    `http://ada:${encodeURIComponent(secret).toLowerCase()}@host`,
    encodeURI(secret),
    new URLSearchParams({ password: secret }).toString(),
    JSON.stringify({ secret }),
    JSON.stringify({ body: JSON.stringify({ secret }) }),
    inspect({ secret }),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`ada:${secret}`).toString('base64url'),
  ]
  for (const form of forms) assert.ok(masker.mask(form).includes(MASK), form)
})

test('short values and the word "airflow" stay', () => {
  const masker = new Masker()
  for (const value of ['1234', 'airflow', 'AirFlow', '', '     ']) masker.add(value)
  assert.equal(masker.mask('1234 airflow AirFlow'), '1234 airflow AirFlow')
  masker.add('12345')
  assert.equal(masker.mask('123456'), '***6')
})

test('known secrets are hidden in fields and their keys to a depth of five, names at any depth', () => {
  const masker = new Masker()
  masker.add('hunter22')
  assert.deepEqual(masker.redact({ hunter22: ['my hunter22'], password: 'x', port: 80 }), { '***': ['my ***'], password: MASK, port: 80 })
  const nested = (levels: number, inner: unknown): unknown => (levels === 0 ? inner : [nested(levels - 1, inner)])
  const flattened = (value: unknown) => JSON.stringify(masker.redact(value))
  assert.ok(!flattened(nested(5, 'hunter22')).includes('hunter22'))
  assert.ok(flattened(nested(6, 'hunter22')).includes('hunter22'))
  assert.ok(!flattened(nested(50, { password: 'hunter22' })).includes('hunter22'))
})

// Made up in the form that each issuer documents.
const LOOKS: Readonly<Record<string, string>> = {
  AWS: `AKIA${'ABCDEFGH23456789'}`,
  GitHub: `ghp_${'a1B2c3D4e5'.repeat(4)}`,
  Slack: `xoxb-${'123456789012'}-abcDEF`,
  Google: `AIza${'Sy0123456789abcdefghijklmnopqrstuvw'}`,
  Stripe: `sk_live_${'0123456789abcdefABCDEF'}`,
  PEM: '-----BEGIN RSA PRIVATE KEY-----\nMIIB\nAAAA\n-----END RSA PRIVATE KEY-----',
  JWT: `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJhZGEifQ'}.${'c2lnbmF0dXJlLW9mLWl0'}`,
}

for (const [issuer, secret] of Object.entries(LOOKS))
  test(`what looks like a secret of ${issuer} is hidden when that is wanted, and only then`, () => {
    assert.equal(new Masker({ contentPatterns: true }).mask(`key ${secret} end`), 'key *** end')
    assert.equal(new Masker().mask(`key ${secret} end`), `key ${secret} end`)
  })

test('ordinary text looks like no secret', () => {
  const text = 'commit 4766928 of gh_pages, AKIA is short, sk_live_ too, eyJ is not a token; -----BEGIN CERTIFICATE-----'
  assert.equal(new Masker({ contentPatterns: true }).mask(text), text)
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
