import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { SqliteConnectionStore } from '../../adapters/sqlite/connection.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteEventLog } from '../../adapters/sqlite/event-log.ts'
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
  const eventLog = new SqliteEventLog(db)
  const recorder = { eventLog, clock: systemClock }
  app.route('/', variablesDoor({ variables, recorder })).route('/', connectionsDoor({ connections, recorder }))
  const call = async (method: string, path: string, body?: object) => {
    const response = await app.request(`/api/v2${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
    return { status: response.status, body: JSON.parse((await response.text()) || 'null') }
  }
  return { call, variables, connections, eventLog }
}

test('a variable whose description is changed keeps its value, and none is made without one', async () => {
  const { call, variables } = doors()
  assert.equal((await call('POST', '/variables', { key: 'K', description: 'empty' })).status, 422)
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

test('lists are searched and ordered, and the order says nothing of values that are masked', async () => {
  const { call, variables, connections } = doors()
  for (const [key, value, description] of [
    ['API_TOKEN', 'b', 'two'],
    ['DB_PASSWORD', 'a', 'one'],
    ['city', 'c', null],
  ] as const)
    await variables.save({ key, value, description })
  const keys = async (query: string) =>
    (await call('GET', `/variables?${query}`)).body.variables.map((each: { key: string }) => each.key).join(' ')
  assert.equal(await keys('order_by=-key'), 'city DB_PASSWORD API_TOKEN')
  assert.equal(await keys('order_by=description'), 'city DB_PASSWORD API_TOKEN')
  assert.equal(await keys('order_by=_val'), await keys('order_by=key'))
  assert.equal(await keys('variable_key_pattern=%25_pass%25'), 'DB_PASSWORD')
  const { body } = await call('GET', '/variables?variable_key_pattern=d&limit=1&order_by=-key')
  assert.deepEqual([body.variables.length, body.total_entries], [1, 1])
  for (const [id, port] of [
    ['a', 2],
    ['b', null],
    ['c', 1],
  ] as const)
    await connections.save({
      ...{ id, type: 'http', host: null, schema: null, login: null, password: null, extra: {}, description: null },
      port,
    })
  const listed = (await call('GET', '/connections?order_by=-port&limit=2')).body
  assert.deepEqual([listed.connections.map((each: { connection_id: string }) => each.connection_id), listed.total_entries], [['a', 'c'], 3])
})

test('many are created, changed and deleted with one request; an action that fails for one of them changes nothing', async () => {
  const { call, variables } = doors()
  await call('POST', '/variables', { key: 'old', value: '1', description: 'kept' })
  const { status, body } = await call('PATCH', '/variables', {
    actions: [
      {
        action: 'create',
        entities: [
          { key: 'a', value: 1 },
          { key: 'old', value: 2 },
        ],
      },
      {
        action: 'create',
        entities: [
          { key: 'b', value: 1 },
          { key: 'old', value: 2 },
        ],
        action_on_existence: 'skip',
      },
      { action: 'update', entities: [{ key: 'old', value: 3, description: 'gone' }], update_mask: ['value'] },
      { action: 'update', entities: [{ key: 'nobody', value: 3 }] },
      { action: 'delete', entities: ['b', 'nobody'], action_on_non_existence: 'skip' },
    ],
  })
  assert.equal(status, 200)
  assert.deepEqual(body, {
    create: { success: ['b'], errors: [{ error: 'No variable was created: "old" is there already.', status_code: 409 }] },
    update: { success: ['old'], errors: [{ error: 'No variable was updated: "nobody" is not there.', status_code: 404 }] },
    delete: { success: ['b'], errors: [] },
  })
  assert.deepEqual(await variables.list(), [{ key: 'old', value: '3', description: 'kept' }])
})

test('the event log says who changed which variable or connection, and no value', async () => {
  const { call, eventLog } = doors()
  await call('POST', '/variables', { key: 'K', value: 'hunter22' })
  await call('PATCH', '/variables', { actions: [{ action: 'update', entities: [{ key: 'K', value: 'hunter33' }] }] })
  await call('POST', '/connections', {
    connection_id: 'c',
    conn_type: 'http',
    password: 'hunter44',
    extra: '{"a": "hunter55"}',
    login: 'ada',
  })
  await call('DELETE', '/connections/c')
  await call('DELETE', '/connections/c')
  const { entries } = await eventLog.list({ limit: 10, offset: 0, sort: [] })
  assert.deepEqual(
    entries.map(({ event, owner, extra }) => [event, owner, JSON.parse(extra ?? 'null')]),
    [
      ['post_variable', 'system', { body: { key: 'K' } }],
      ['bulk_variables', 'system', { body: { actions: [{ action: 'update', entities: [{ key: 'K' }] }] } }],
      ['post_connection', 'system', { body: { connection_id: 'c', conn_type: 'http' } }],
      ['delete_connection', 'system', { id: 'c' }],
    ],
  )
})

test('a filter that does not exist is refused, not taken for none', async () => {
  const { call } = doors()
  await call('POST', '/variables', { key: 'shop_name', value: 'x' })
  const { status, body } = await call('GET', '/variables?variable_key_patern=shop')
  assert.equal(status, 422)
  assert.deepEqual(body.detail[0].loc, ['query', 'variable_key_patern'])
  assert.match(body.detail[0].msg, /Did you mean "variable_key_pattern"\?/)
  assert.equal((await call('GET', '/variables?variable_key_pattern=nothing%20|%20hop')).body.total_entries, 1)
  assert.equal((await call('POST', '/connections/test', { connection_id: 'c', conn_type: 'http' })).body.status, false)
})

test('secrets inside of a variable’s JSON, and deep in an extra, leave masked, and the mask sent back leaves them as they were', async () => {
  const { call, variables, connections } = doors()
  await call('POST', '/variables', { key: 'shop', value: { host: 'h', password: 'hunter22' } })
  const shown = (await call('GET', '/variables/shop')).body
  assert.equal(shown.value, '{"host":"h","password":"***"}')
  await call('PATCH', '/variables/shop', { key: 'shop', value: shown.value.replace('"h"', '"other"') })
  assert.equal((await variables.find('shop'))?.value, '{"host":"other","password":"hunter22"}')

  await call('POST', '/connections', { connection_id: 'c', conn_type: 'http', extra: { nested: [{ token: 'hunter33', user: 'ada' }] } })
  const { extra } = (await call('GET', '/connections/c')).body
  assert.equal(extra, '{"nested":[{"token":"***","user":"ada"}]}')
  await call('PATCH', '/connections/c', { connection_id: 'c', conn_type: 'http', extra: extra.replace('ada', 'eve') })
  assert.deepEqual((await connections.find('c'))?.extra, { nested: [{ token: 'hunter33', user: 'eve' }] })
})

test('a key that would change what a terminal shows of it is refused', async () => {
  const { call } = doors()
  for (const key of ['a\u0000', 'a\u001b[2J', 'a\nb', '\ud800'])
    assert.equal((await call('POST', '/variables', { key, value: 'v' })).status, 422)
  assert.equal((await call('POST', '/variables', { key: 'für/alle 🌬️', value: 'v' })).status, 201)
})

test('a name that no address can hold is refused: nobody could change or delete what is called so', async () => {
  const { call, variables, connections } = doors()
  for (const name of ['.', '..']) {
    assert.equal((await call('POST', '/variables', { key: name, value: 'x' })).status, 422)
    assert.equal((await call('POST', '/connections', { connection_id: name, conn_type: 'http' })).status, 422)
  }
  const entities = [{ key: '..', value: 'x' }]
  assert.equal((await call('PATCH', '/variables', { actions: [{ action: 'create', entities }] })).status, 422)
  assert.deepEqual([(await variables.page({ limit: 5, offset: 0, sort: [] })).total, await connections.ids()], [0, []])
  assert.equal((await call('POST', '/variables', { key: '...', value: 'x' })).status, 201)
})
