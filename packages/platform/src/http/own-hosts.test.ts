import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import type { DoorEnvironment } from './door.ts'
import { ownHostsOnly } from './own-hosts.ts'

const app = new Hono<DoorEnvironment>().use(ownHostsOnly(8080)).get('*', (c) => c.text('in'))

const statusOf = async (host: string, url = `http://${host}/`) => (await app.request(url, { headers: { host } })).status

test('the platform answers under its loopback addresses and as NAME.localhost', async () => {
  for (const host of ['127.0.0.1:8080', 'localhost:8080', 'LOCALHOST:8080', '[::1]:8080', 'api.localhost:8080'])
    assert.equal(await statusOf(host), 200, host)
})

test('a foreign name, another port, or no host at all is refused with a sentence that names the right address', async () => {
  for (const host of ['shop.example:8080', 'localhost:9090', 'localhost', '127.0.0.1.evil.example:8080', 'evillocalhost:8080', ''])
    assert.equal(await statusOf(host, 'http://127.0.0.1:8080/'), 403, host)
  assert.equal(await statusOf('localhost:8080', 'http://shop.example:8080/'), 403)
  const answer = await app.request('http://shop.example:8080/', { headers: { host: 'shop.example:8080' } })
  assert.match(await answer.text(), /answers at 127\.0\.0\.1:8080/)
})
