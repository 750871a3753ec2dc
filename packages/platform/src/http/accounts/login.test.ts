import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Hono } from 'hono'
import { LivesByKind, requireAlive } from '../../accounts/lives.ts'
import { Tokens } from '../../accounts/token.ts'
import { hashPassword, livesOfUsers, logIn, principalOf } from '../../accounts/user.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteEventLog } from '../../adapters/sqlite/event-log.ts'
import { SqliteRevokedTokenStore } from '../../adapters/sqlite/revoked-token.ts'
import { SqliteUserStore } from '../../adapters/sqlite/user.ts'
import { SqliteVariableStore } from '../../adapters/sqlite/variable.ts'
import { ManualClock } from '../../core/clock.ts'
import type { Role } from '../../core/principal.ts'
import { Fernet, newFernetKey } from '../../secrets/fernet.ts'
import { authentication } from '../authentication.ts'
import type { DoorEnvironment } from '../door.ts'
import { variablesDoor } from '../secrets/variables.ts'
import { accountsDoor } from './login.ts'

async function house(role: Role = 'admin') {
  const clock = new ManualClock('2026-11-23T05:00:00Z')
  const db = new Database(':memory:')
  const users = new SqliteUserStore(db)
  await users.save({ name: 'ada', role, passwordHash: await hashPassword('correct horse') })
  const tokens = new Tokens(new Uint8Array(32), clock, new SqliteRevokedTokenStore(db))
  const app = new Hono<DoorEnvironment>()
  const byPassword = async (name: string, password: string) => principalOf(await logIn(users, name, password))
  const lives = new LivesByKind({ user: livesOfUsers(users) })
  app.use(authentication({ byToken: async (token) => requireAlive(await tokens.verify(token), lives), byPassword }))
  const eventLog = new SqliteEventLog(db)
  app.route('/', accountsDoor({ users, tokens, project: 'p', recorder: { eventLog, clock } }))
  app.route(
    '/',
    variablesDoor({ variables: new SqliteVariableStore(db, new Fernet(newFernetKey(), clock)), recorder: { eventLog, clock } }),
  )
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    app.request(`http://board.test${path}`, { method: 'POST', body: JSON.stringify(body), headers })
  return { app, post, clock, eventLog }
}

const credentials = { username: 'ada', password: 'correct horse' }

test('a token got with name and password opens the doors that the role may use, until it expires', async () => {
  const { app, post, clock } = await house()
  const answer = await post('/auth/token', credentials)
  assert.equal(answer.status, 201)
  const headers = { authorization: `Bearer ${((await answer.json()) as { access_token: string }).access_token}` }
  assert.equal((await app.request('/api/v2/variables', { headers })).status, 200)
  clock.advance(25 * 3600 * 1000)
  const late = await app.request('/api/v2/variables', { headers })
  assert.equal(late.status, 401)
  assert.match(JSON.stringify(await late.json()), /expired/)
})

test('a stranger, a wrong password and a role that may not are told apart', async () => {
  const { app, post } = await house('viewer')
  assert.equal((await app.request('/api/v2/variables')).status, 401)
  assert.equal((await post('/auth/token', { ...credentials, password: 'wrong' })).status, 401)
  const basic = `Basic ${Buffer.from('ada:correct horse').toString('base64')}`
  const answer = await app.request('/api/v2/variables', { headers: { authorization: basic } })
  assert.equal(answer.status, 403)
  assert.match(JSON.stringify(await answer.json()), /user:ada may not do this: it needs the permission \\"variables.read\\"/)
})

test('the session cookie counts for a change only when our own page sent it', async () => {
  const { app, post } = await house()
  const login = await post('/auth/login', { name: 'ada', password: 'correct horse' })
  const cookie = login.headers.get('set-cookie') ?? ''
  assert.match(cookie, /HttpOnly/)
  assert.match(cookie, /SameSite=Strict/)
  const session = cookie.split(';')[0] as string
  const me = await app.request('http://board.test/auth/me', { headers: { cookie: session } })
  assert.deepEqual(await me.json(), { name: 'ada', role: 'admin', project: 'p' })
  const variable = { key: 'A', value: '1' }
  assert.equal((await post('/api/v2/variables', variable, { cookie: session, origin: 'http://evil.test', host: 'board.test' })).status, 401)
  assert.equal(
    (await post('/api/v2/variables', variable, { cookie: session, origin: 'http://board.test', host: 'board.test' })).status,
    201,
  )
})

test('logging out ends the session for whoever has a copy of it, however it is spelled, and no other session', async () => {
  const { app, post } = await house()
  const logIn = async () => {
    const answer = await post('/auth/login', { name: 'ada', password: 'correct horse' })
    return /^[^=]+=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[1] ?? ''
  }
  const [session, another] = [await logIn(), await logIn()]
  const me = async (token: string) =>
    (await app.request('http://board.test/auth/me', { headers: { authorization: `Bearer ${token}` } })).status
  assert.deepEqual([await me(session), await me(another)], [200, 200])
  const out = await app.request('http://board.test/auth/logout', { method: 'POST', headers: { authorization: `Bearer ${session}` } })
  assert.equal(out.status, 204)
  // The last character of a signature has two bits that mean nothing.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const twin = session.slice(0, -1) + alphabet[alphabet.indexOf(session.at(-1) ?? '') ^ 1]
  assert.deepEqual([await me(session), await me(twin), await me(another)], [401, 401, 200])
})

test('two platforms on one host keep a session each: browsers send the cookies of all ports to all of them', async () => {
  const [first, second] = [await house(), await house()]
  const logIn = async ({ app }: typeof first, port: number) => {
    const headers = { host: `127.0.0.1:${port}` }
    const answer = await app.request(`http://127.0.0.1:${port}/auth/login`, { method: 'POST', body: JSON.stringify(credentials), headers })
    return (answer.headers.get('set-cookie') ?? '').split(';')[0] as string
  }
  const jar = [await logIn(first, 8080), await logIn(second, 9090)]
  assert.deepEqual(
    jar.map((cookie) => cookie.split('=')[0]),
    ['daggerboard_session_8080', 'daggerboard_session_9090'],
  )
  const ask = ({ app }: typeof first, port: number, path = '/auth/me', method = 'GET') =>
    app.request(`http://127.0.0.1:${port}${path}`, { method, headers: { host: `127.0.0.1:${port}`, cookie: jar.join('; ') } })
  assert.equal((await ask(first, 8080)).status, 200)
  assert.equal((await ask(second, 9090)).status, 200)
  const goodbye = await ask(second, 9090, '/auth/logout', 'POST')
  assert.match(goodbye.headers.get('set-cookie') ?? '', /^daggerboard_session_9090=;/)
})

test('a variable with a sensitive name leaves masked, and the mask sent back changes nothing', async () => {
  const { app, post } = await house()
  const headers = { authorization: `Basic ${Buffer.from('ada:correct horse').toString('base64')}` }
  const made = await post('/api/v2/variables', { key: 'db_password', value: 'hunter22' }, headers)
  assert.deepEqual(await made.json(), { key: 'db_password', value: '***', description: null, is_encrypted: true, team_name: null })
  const body = JSON.stringify({ key: 'db_password', value: '***', description: 'of the shop' })
  const patched = await app.request('/api/v2/variables/db_password', { method: 'PATCH', body, headers })
  assert.equal(((await patched.json()) as { description: string }).description, 'of the shop')
})

test('a body that does not fit is answered with every problem and its place', async () => {
  const { post } = await house()
  const headers = { authorization: `Basic ${Buffer.from('ada:correct horse').toString('base64')}` }
  const answer = await post('/api/v2/variables', { key: '', description: 3 }, headers)
  assert.equal(answer.status, 422)
  const { detail } = (await answer.json()) as { detail: { loc: string[]; type: string }[] }
  assert.deepEqual(
    detail.map(({ loc }) => loc),
    [
      ['body', 'key'],
      ['body', 'value'],
      ['body', 'description'],
    ],
  )
})

test('tokens end when the role or the password of their user changes, and with the user', async () => {
  const { app, post } = await house()
  const tokenOf = async (username: string, password: string) =>
    ((await (await post('/auth/token', { username, password })).json()) as { access_token: string }).access_token
  const ada = { authorization: `Bearer ${await tokenOf('ada', 'correct horse')}` }
  const status = async (token: string) => (await app.request('/auth/me', { headers: { authorization: `Bearer ${token}` } })).status
  const change = (method: string, body?: object) =>
    app.request('/auth/users/bob', { method, headers: ada, ...(body && { body: JSON.stringify(body) }) })

  const made = await post('/auth/users', { name: 'bob', role: 'viewer' }, ada)
  assert.equal(made.status, 201)
  const { password } = (await made.json()) as { password: string }
  const asViewer = await tokenOf('bob', password)
  assert.equal(await status(asViewer), 200)
  assert.deepEqual(await (await change('PATCH', { role: 'op' })).json(), { name: 'bob', role: 'op' })
  assert.equal(await status(asViewer), 401)
  const asOp = await tokenOf('bob', password)
  assert.equal((await app.request('/api/v2/variables', { headers: { authorization: `Bearer ${asOp}` } })).status, 200)
  assert.equal((await app.request('/auth/users', { headers: { authorization: `Bearer ${asOp}` } })).status, 403)
  await change('PATCH', { password: 'battery staple' })
  assert.equal(await status(asOp), 401)
  const again = await tokenOf('bob', 'battery staple')
  assert.equal((await change('DELETE')).status, 204)
  assert.equal(await status(again), 401)
  await post('/auth/users', { name: 'bob', role: 'op', password: 'battery staple' }, ada)
  assert.equal(await status(again), 401)
})

test('somebody stays who can make users, and the event log knows who logged in and who made whom', async () => {
  const { app, post, eventLog } = await house()
  const { access_token } = (await (await post('/auth/token', credentials)).json()) as { access_token: string }
  const headers = { authorization: `Bearer ${access_token}` }
  assert.equal((await app.request('/auth/users/ada', { method: 'DELETE', headers })).status, 409)
  assert.equal((await app.request('/auth/users/ada', { method: 'PATCH', headers, body: '{"role":"user"}' })).status, 409)
  assert.equal((await post('/auth/users', { name: 'bob', role: 'admin', password: 'battery staple' }, headers)).status, 201)
  assert.equal((await post('/auth/users', { name: 'bob', role: 'admin' }, headers)).status, 409)
  assert.equal((await post('/auth/users', { name: '../x', role: 'root', password: 'short' }, headers)).status, 400)
  const { entries } = await eventLog.list({ limit: 10, offset: 0, sort: [] })
  assert.deepEqual(
    entries.map(({ event, owner, extra }) => [event, owner, extra]),
    [
      ['login', 'ada', '{}'],
      ['create_user', 'ada', '{"body":{"name":"bob","role":"admin"}}'],
    ],
  )
})

test('a person changes the own password with the old one, which ends all tokens but the new one; a task has none to change', async () => {
  const { app, post } = await house()
  const { access_token: token } = (await (await post('/auth/token', { username: 'ada', password: 'correct horse' })).json()) as {
    access_token: string
  }
  const change = (body: object, bearer: string) =>
    app.request('/auth/me', { method: 'PATCH', body: JSON.stringify(body), headers: { authorization: `Bearer ${bearer}` } })
  const me = async (bearer: string) => (await app.request('/auth/me', { headers: { authorization: `Bearer ${bearer}` } })).status
  assert.equal((await change({ old_password: 'guessed', password: 'battery staple' }, token)).status, 400)
  assert.equal((await change({ old_password: 'correct horse', password: 'short' }, token)).status, 400)
  assert.equal(await me(token), 200)
  const changed = (await (await change({ old_password: 'correct horse', password: 'battery staple' }, token)).json()) as {
    access_token: string
  }
  assert.deepEqual([await me(token), await me(changed.access_token)], [401, 200])
  assert.equal((await post('/auth/token', { username: 'ada', password: 'correct horse' })).status, 401)
  assert.equal((await post('/auth/token', { username: 'ada', password: 'battery staple' })).status, 201)
})

test('what changes users at the same moment leaves an admin, and brings back nobody who was deleted and no role that was taken', async () => {
  const { app, post } = await house()
  const bearer = async (username: string, password: string) => ({
    authorization: `Bearer ${((await (await post('/auth/token', { username, password })).json()) as { access_token: string }).access_token}`,
  })
  const ada = await bearer('ada', 'correct horse')
  const send = (method: string, path: string, headers: Record<string, string>, body?: object) =>
    app.request(path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const listed = async () => ((await (await send('GET', '/auth/users', ada)).json()) as { users: { name: string; role: string }[] }).users
  for (const name of ['bob', 'eve', 'tom']) await post('/auth/users', { name, role: 'admin', password: 'battery staple' }, ada)

  const change = { old_password: 'battery staple', password: 'of my own now' }
  const [bob, eve] = [await bearer('bob', 'battery staple'), await bearer('eve', 'battery staple')]
  // Tokens that are known already, so that nothing but the passwords takes its time.
  await Promise.all([send('GET', '/auth/me', bob), send('GET', '/auth/me', eve)])
  const changes = [send('PATCH', '/auth/me', bob, change), send('PATCH', '/auth/me', eve, change)]
  await setImmediate()
  await Promise.all([send('DELETE', '/auth/users/bob', ada), send('PATCH', '/auth/users/eve', ada, { role: 'viewer' })])
  assert.deepEqual(
    (await Promise.all(changes)).map(({ status }) => status),
    [403, 200],
  )
  assert.deepEqual(await listed(), [
    { name: 'ada', role: 'admin' },
    { name: 'eve', role: 'viewer' },
    { name: 'tom', role: 'admin' },
  ])

  const tom = await bearer('tom', 'battery staple')
  const ends = await Promise.all([
    send('PATCH', '/auth/users/tom', ada, { role: 'user', password: 'yet another one' }),
    send('PATCH', '/auth/users/ada', tom, { role: 'user', password: 'yet another one' }),
  ])
  assert.deepEqual(ends.map(({ status }) => status).sort(), [200, 409])
})
