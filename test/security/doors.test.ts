import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PERMISSIONS, type Permission } from '../../packages/platform/src/core/principal.ts'
import { type Address, FOR_ANYBODY_LOGGED_IN, guarded } from './routes.ts'
import { WholePlatform } from './whole-platform.ts'

const whole = new WholePlatform()
let addresses: Address[]

before(async () => {
  await whole.start()
  addresses = guarded(whole.platform.routes)
})

after(() => whole.remove())

/** The permission that an answer of 403 asks for. */
const asked = (text: string): Permission | undefined =>
  PERMISSIONS.find((permission) => text.replaceAll('\\', '').includes(`needs the permission "${permission}"`))

const isRead = (permission: Permission) => permission.endsWith('.read')
/** Requests that look for something with more words than fit into an address. */
const READS_BY_POST = /(search|get-latest-versions|git-upload-pack|\/list)$/

test('the walk knows the platform’s routes', () => {
  assert.ok(addresses.length > 200, `only ${addresses.length} routes were found`)
})

test('a stranger gets 401 at every route that is not listed as open', async () => {
  for (const { route, method, path } of addresses) assert.equal((await whole.knock(path, { method })).status, 401, route)
})

test('a forged token and a wrong password are strangers too', async () => {
  const forged = `${(await whole.token(PERMISSIONS)).slice(0, -6)}AAAAAA`
  const basic = `Basic ${Buffer.from('admin:guessed').toString('base64')}`
  for (const authorization of [`Bearer ${forged}`, basic, `Basic ${Buffer.from(`x:${forged}`).toString('base64')}`])
    assert.equal((await whole.knock('/api/v2/dags', { headers: { authorization } })).status, 401)
})

test('who has no permission gets 403 at every one of them; each asks for the permissions that fit what it does', async () => {
  const nothing = await whole.token([])
  for (const { route, method, path } of addresses) {
    if (FOR_ANYBODY_LOGGED_IN.includes(route)) continue
    const needed: Permission[] = []
    for (let token = nothing; ; token = await whole.token(needed)) {
      const { status, text } = await whole.knock(path, { method, token, ...(method === 'GET' || method === 'HEAD' ? {} : { body: '{}' }) })
      assert.ok(status < 500 || status === 501 || status === 503, `${route} answers ${status}: ${text}`)
      if (method === 'HEAD') {
        if (needed.length === 0) assert.equal(status, 403, route)
        needed.push('images.read')
        break
      }
      if (status !== 403) break
      const permission = asked(text)
      assert.ok(permission && !needed.includes(permission), `${route}: ${text}`)
      needed.push(permission)
    }
    assert.notEqual(needed.length, 0, `${route} asks for no permission`)
    for (const missing of needed) {
      const token = await whole.token(PERMISSIONS.filter((permission) => permission !== missing))
      assert.equal((await whole.knock(path, { method, token })).status, 403, `${route} without ${missing}`)
    }
    const reads = method === 'GET' || method === 'HEAD' || READS_BY_POST.test(path)
    const writes = needed.filter((permission) => !isRead(permission))
    const isForUse = path.startsWith('/services/') || path.includes('/blobs/uploads/') || path.endsWith('git-receive-pack')
    if (reads && !isForUse) assert.deepEqual(writes, [], `${route} only reads`)
    if (!reads) assert.notEqual(writes.length, 0, `${route} changes something`)
  }
})

test('a request to a foreign host is refused before anybody asks who sent it', async () => {
  const { port } = new URL(whole.endpoint)
  const token = await whole.token(PERMISSIONS)
  for (const host of [`shop.example:${port}`, 'shop.example', 'localhost:1', `127.0.0.1.shop.example:${port}`]) {
    const { status, text } = await whole.knock('/api/v2/dags', { token, headers: { host } })
    assert.equal(status, 403, host)
    assert.match(text, /was sent to another host/)
  }
  assert.equal((await whole.knock(`http://shop.example:${port}/api/v2/dags`, { token })).status, 403)
  for (const host of [`localhost:${port}`, `[::1]:${port}`])
    assert.equal((await whole.knock('/api/v2/dags', { token, headers: { host } })).status, 200, host)
})

test('the cookie of the browser counts for a change only when our own page sends it', async () => {
  const { port } = new URL(whole.endpoint)
  const cookie = `daggerboard_session_${port}=${await whole.token(PERMISSIONS)}`
  const change = (headers: Record<string, string>) =>
    whole.knock('/api/v2/variables', { method: 'POST', body: '{"key":"a","value":"b"}', headers: { cookie, ...headers } })
  assert.equal((await change({})).status, 401)
  assert.equal((await change({ origin: 'http://shop.example' })).status, 401)
  assert.equal((await change({ origin: `http://localhost:${Number(port) + 1}` })).status, 401)
  assert.equal((await change({ origin: whole.endpoint })).status, 201)
})
