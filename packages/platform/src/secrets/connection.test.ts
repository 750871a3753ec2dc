import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqliteConnectionStore } from '../adapters/sqlite/connection.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteVariableStore } from '../adapters/sqlite/variable.ts'
import { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { parseConnection, readConnection } from './connection.ts'
import { Fernet, newFernetKey } from './fernet.ts'
import { readVariable } from './variable.ts'

test('a connection URI is read into its parts, each percent-decoded', () => {
  const connection = parseConnection('c', 'google-cloud-platform://lo%40gin:p%2Fw@example.com:8080/sche%20ma?project=p&region=r')
  assert.deepEqual(connection, {
    id: 'c',
    type: 'google_cloud_platform',
    host: 'example.com',
    port: 8080,
    schema: 'sche ma',
    login: 'lo@gin',
    password: 'p/w',
    extra: { project: 'p', region: 'r' },
    description: null,
  })
  assert.equal(parseConnection('c', 'http://host:80/').port, 80)
  assert.equal(parseConnection('c', 'http:///?__extra__=%7B%22a%22%3A%7B%22b%22%3A1%7D%7D').host, null)
  assert.deepEqual(parseConnection('c', 'http:///?__extra__=%7B%22a%22%3A%7B%22b%22%3A1%7D%7D').extra, { a: { b: 1 } })
})

test('a connection that cannot be read is refused without a word of what is in it', () => {
  for (const text of [
    '{"conn_type":"x","extra":"{\\"token\\": hunter22"}',
    '{"conn_type":"x","extra":"null"}',
    '{"conn_type":"x","extra":["hunter22"]}',
    'x://host?__extra__=hunter22',
    'x://me:100%hunter22@host',
  ])
    assert.throws(
      () => parseConnection('c', text),
      (error: Error) => error instanceof AppError && error.code === 'invalid' && !error.message.includes('hunter22'),
      text,
    )
})

test('the environment beats the store, and Airflow’s names are honoured', async () => {
  const store = new SqliteConnectionStore(new Database(':memory:'), new Fernet(newFernetKey(), systemClock))
  await store.save(parseConnection('db', 'postgres://stored'))
  assert.equal((await readConnection('db', store, {})).host, 'stored')
  assert.equal((await readConnection('db', store, { DAGGERBOARD_CONN_DB: '', AIRFLOW_CONN_DB: '' })).host, 'stored')
  assert.equal((await readConnection('db', store, { AIRFLOW_CONN_DB: '{"conn_type":"postgres","host":"env"}' })).host, 'env')
})

test('passwords, extras and variables are encrypted at rest', async () => {
  const db = new Database(':memory:')
  const fernet = new Fernet(newFernetKey(), systemClock)
  await new SqliteConnectionStore(db, fernet).save(parseConnection('db', 'postgres://me:s3cretpw@host?api_key=k3yk3y'))
  await new SqliteVariableStore(db, fernet).save({ key: 'K', value: 'variable-value', description: null })
  const kept = JSON.stringify([db.all('SELECT * FROM connection'), db.all('SELECT * FROM variable')])
  for (const secret of ['s3cretpw', 'k3yk3y', 'variable-value']) assert.ok(!kept.includes(secret))
  assert.equal(await readVariable('K', new SqliteVariableStore(db, fernet), {}), 'variable-value')
})

test('an unknown variable is refused with the name that was probably meant', async () => {
  const store = new SqliteVariableStore(new Database(':memory:'), new Fernet(newFernetKey(), systemClock))
  await store.save({ key: 'PROJECT_ID', value: 'p', description: null })
  await assert.rejects(readVariable('PROJECT_IDD', store, {}), /no variable "PROJECT_IDD"\. Did you mean "PROJECT_ID"\?/)
})
