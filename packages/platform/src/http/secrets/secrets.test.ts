import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { SqliteConnectionStore } from '../../adapters/sqlite/connection.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteVariableStore } from '../../adapters/sqlite/variable.ts'
import { systemClock } from '../../core/clock.ts'
import { system } from '../../core/principal.ts'
import { Fernet, newFernetKey } from '../../secrets/fernet.ts'
import type { DoorEnvironment } from '../door.ts'
import { connectionsDoor } from './connections.ts'
import { variablesDoor } from './variables.ts'

function doors() {
  const db = new Database(':memory:')
  const fernet = new Fernet(newFernetKey(), systemClock)
  const variables = new SqliteVariableStore(db, fernet)
  const connections = new SqliteConnectionStore(db, fernet)
  const app = new Hono<DoorEnvironment>()
  app.use(async (c, next) => {
    c.set('principal', system)
    await next()
  })
  app.route('/', variablesDoor({ variables })).route('/', connectionsDoor({ connections }))
  const call = async (method: string, path: string, body?: object) => {
    const response = await app.request(`/api/v2${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
    return { status: response.status, body: JSON.parse((await response.text()) || 'null') }
  }
  return { call, variables, connections }
}

test('a variable whose description is changed keeps its value, and none is made without one', async () => {
  const { call, variables } = doors()
  assert.equal((await call('POST', '/variables', { key: 'K', description: 'empty' })).status, 400)
  await call('POST', '/variables', { key: 'K', value: { rows: 3 } })
  assert.equal((await call('PATCH', '/variables/K', { key: 'K', description: 'of the shop' })).status, 200)
  assert.deepEqual(await variables.find('K'), { key: 'K', value: '{"rows":3}', description: 'of the shop' })
})

test('the extra of a connection is an object, or the request is at fault', async () => {
  const { call, connections } = doors()
  for (const extra of ['null', '[1]', '"x"', '{'])
    assert.equal((await call('POST', '/connections', { connection_id: 'c', conn_type: 'http', extra })).status, 400, extra)
  assert.equal((await call('POST', '/connections', { connection_id: 'c', conn_type: 'http', extra: '{"a":1}' })).status, 201)
  assert.deepEqual((await connections.find('c'))?.extra, { a: 1 })
})

test('lists come in pages, so that a client that asks for the next one comes to an end', async () => {
  const { call, variables, connections } = doors()
  for (const key of ['a', 'b', 'c']) await variables.save({ key, value: key, description: null })
  for (const connection_id of ['a', 'b', 'c']) await call('POST', '/connections', { connection_id, conn_type: 'http' })
  const page = async (path: string) => (await call('GET', `${path}?limit=2&offset=2`)).body
  assert.deepEqual([(await page('/variables')).variables.length, (await page('/variables')).total_entries], [1, 3])
  assert.deepEqual([(await page('/connections')).connections.length, (await connections.list()).length], [1, 3])
})
