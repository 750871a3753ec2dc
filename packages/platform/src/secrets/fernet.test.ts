import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import { ManualClock } from '../core/clock.ts'
import { Fernet, newFernetKey } from './fernet.ts'

// The vector of https://github.com/fernet/spec/blob/master/generate.json
const SPEC = {
  token: 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  now: '1985-10-26T01:20:00-07:00',
  iv: Buffer.from(Array.from({ length: 16 }, (_, i) => i)),
  src: 'hello',
  secret: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
}

test('a token is the one that the specification of Fernet gives for its key, time and vector', () => {
  const fernet = new Fernet(SPEC.secret, new ManualClock(SPEC.now))
  assert.equal(fernet.encrypt(SPEC.src, SPEC.iv), SPEC.token)
  assert.equal(fernet.decrypt(SPEC.token), SPEC.src)
})

test('after a rotation the old key still reads what it wrote, and the new key writes', () => {
  const clock = new ManualClock('2026-01-01')
  const [oldKey, newKey] = [newFernetKey(), newFernetKey()]
  const before = new Fernet(oldKey, clock).encrypt('s3cret')
  const rotated = new Fernet(`${newKey},${oldKey}`, clock)
  assert.equal(rotated.decrypt(before), 's3cret')
  assert.equal(new Fernet(newKey, clock).decrypt(rotated.encrypt('s3cret')), 's3cret')
  assert.throws(() => new Fernet(newKey, clock).decrypt(before), /none of the Fernet keys/)
})

test('a token that was changed is refused', () => {
  const fernet = new Fernet(SPEC.secret, new ManualClock(SPEC.now))
  assert.throws(() => fernet.decrypt(`${SPEC.token.slice(0, 40)}A${SPEC.token.slice(41)}`), /cannot be decrypted/)
})

// The tokens of https://github.com/fernet/spec/blob/master/invalid.json; those that are only too old or too new can be read here: secrets do not expire.
const REFUSED: Readonly<Record<string, string>> = {
  'incorrect mac': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==',
  'too short': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==',
  'invalid base64': '%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
  'payload size not multiple of block size':
    'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm',
  'payload padding error': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==',
  'incorrect IV (causes padding error)':
    'gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==',
}

for (const [name, token] of Object.entries(REFUSED))
  test(`a token that the specification calls invalid is refused: ${name}`, () => {
    const fernet = new Fernet(SPEC.secret, new ManualClock(SPEC.now))
    assert.throws(
      () => fernet.decrypt(token),
      (error) => error instanceof AppError && error.code === 'invalid',
    )
  })

test('a token that is rotated is the newest key’s, and keeps the time at which it was made', () => {
  const newKey = newFernetKey()
  const rotated = new Fernet(`${newKey},${SPEC.secret}`, new ManualClock('2026-01-01')).rotate(SPEC.token)
  assert.equal(new Fernet(newKey, new ManualClock('2026-01-01')).decrypt(rotated), SPEC.src)
  assert.throws(() => new Fernet(SPEC.secret, new ManualClock('2026-01-01')).decrypt(rotated))
  assert.equal(Buffer.from(rotated, 'base64url').readBigUInt64BE(1), BigInt(Date.parse(SPEC.now) / 1000))
})

test('a key that is too short says how to make a good one', () => {
  assert.throws(() => new Fernet('abc', new ManualClock('2026-01-01')), /Fernet key 1 has 2 bytes, not 32/)
})
