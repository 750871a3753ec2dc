import assert from 'node:assert/strict'
import { test } from 'node:test'
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

test('a key that is too short says how to make a good one', () => {
  assert.throws(() => new Fernet('abc', new ManualClock('2026-01-01')), /Fernet key 1 has 2 bytes, not 32/)
})
