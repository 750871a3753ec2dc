import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Tokens } from '../accounts/token.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteEventLog } from '../adapters/sqlite/event-log.ts'
import { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { system } from '../core/principal.ts'
import { parseConnection } from '../secrets/connection.ts'
import { newFernetKey } from '../secrets/fernet.ts'
import { isSensitiveName, setSensitiveNames } from '../secrets/masking.ts'
import type { Ground } from './part.ts'
import { composeSecrets, type Secrets } from './secrets.ts'

function secretsOf(t: TestContext, db: Database, fernetKey: string, settings: object = {}): Secrets {
  t.after(() => setSensitiveNames({}))
  const base = {
    fernetKey,
    project: 'p',
    region: 'r',
    sensitiveNames: [],
    hidesSensitiveFields: true,
    masksSecretPatterns: false,
    ...settings,
  }
  const tokens = new Tokens(new Uint8Array(32), systemClock)
  const recorder = { eventLog: new SqliteEventLog(db), clock: systemClock }
  return composeSecrets({ db, clock: systemClock, settings: base, tokens, endpoint: 'http://here', recorder } as unknown as Ground)
}

test('after a rotation the new key alone reads all that is kept', async (t) => {
  const db = new Database(':memory:')
  const [oldKey, newKey] = [newFernetKey(), newFernetKey()]
  const before = secretsOf(t, db, oldKey)
  await before.variables.save({ key: 'K', value: 'v', description: null })
  await before.connections.save(parseConnection('c', 'http://me:hunter22@host/?token=t'))
  await before.connections.save(parseConnection('open', 'http://host'))

  const both = secretsOf(t, db, `${newKey},${oldKey}`)
  let kept = before.fernet.encrypt('trigger')
  both.alsoRotate('triggers', () => {
    kept = both.fernet.rotate(kept)
    return 1
  })
  assert.deepEqual(both.rotate(), { variables: 1, connections: 2, triggers: 1 })

  const after = secretsOf(t, db, newKey)
  assert.equal((await after.variables.find('K'))?.value, 'v')
  assert.deepEqual((await after.connections.find('c'))?.extra, { token: 't' })
  assert.equal((await after.connections.find('c'))?.password, 'hunter22')
  assert.equal(after.fernet.decrypt(kept), 'trigger')
  await assert.rejects(secretsOf(t, db, oldKey).variables.list(), /none of the Fernet keys/)
})

test('when a key is missing, all that it made is named and nothing is changed', async (t) => {
  const db = new Database(':memory:')
  await secretsOf(t, db, newFernetKey()).variables.save({ key: 'LOST', value: 'v', description: null })
  await secretsOf(t, db, newFernetKey()).connections.save(parseConnection('gone', 'http://host'))
  const present = secretsOf(t, db, newFernetKey())
  await present.variables.save({ key: 'KEPT', value: 'v', description: null })
  const kept = () => JSON.stringify([db.all('SELECT * FROM variable'), db.all('SELECT * FROM connection')])
  const before = kept()
  assert.throws(present.rotate, (error) => {
    assert.ok(error instanceof AppError)
    assert.equal(error.problems.length, 2)
    assert.match(error.problems.join(), /variable "LOST".*connection "gone"/)
    return true
  })
  assert.equal(kept(), before)
})

test('the secrets inside of a variable’s JSON are hidden in the logs of tasks that have read it', async (t) => {
  const { forTasks, variables } = secretsOf(t, new Database(':memory:'), newFernetKey())
  await variables.save({ key: 'config', value: '{"password":"hunter22","host":"example.com"}', description: null })
  await forTasks.variable('config', system)
  assert.equal(forTasks.mask('hunter22 at example.com'), '*** at example.com')
})

test('what only looks like a secret is hidden when the settings say so', (t) => {
  const text = `AKIA${'ABCDEFGH23456789'}`
  const masked = (masksSecretPatterns: boolean) =>
    secretsOf(t, new Database(':memory:'), newFernetKey(), { masksSecretPatterns }).forTasks.mask(text)
  assert.deepEqual([masked(false), masked(true)], [text, '***'])
})

test('the settings say which other names are sensitive', (t) => {
  secretsOf(t, new Database(':memory:'), newFernetKey(), { sensitiveNames: ['iban'] })
  assert.ok(isSensitiveName('customer-iban'))
})
