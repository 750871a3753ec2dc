import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteRefreshStore } from '../../adapters/sqlite/refresh.ts'
import { systemClock } from '../../core/clock.ts'
import { Events } from '../../core/events.ts'
import { type Permission, principal } from '../../core/principal.ts'
import { RefreshLog } from '../../refreshes/refresh-log.ts'
import type { DoorEnvironment } from '../door.ts'
import { liveDoor } from './live-door.ts'

const stopping = new AbortController()
const events = new Events(systemClock, (error) => assert.fail(String(error)))
const log = new RefreshLog({ store: new SqliteRefreshStore(new Database(':memory:')), events, clock: systemClock })
await log.start()
const app = new Hono<DoorEnvironment>()
app.use(async (c, next) => {
  const permissions = c.req.header('authorization')?.split(' ')[1]?.split(',') as Permission[] | undefined
  c.set('principal', permissions ? principal('user:ann', permissions) : null)
  c.set('authenticationProblem', null)
  await next()
})
app.route('/', liveDoor({ events, refreshes: log, clock: systemClock, signal: stopping.signal, heartbeatMs: 50, coalesceMs: 10 }))
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const get = (path: string, permission = 'events.read', init: RequestInit = {}) =>
  fetch(url + path, { ...init, headers: { authorization: `Bearer ${permission}` } })

after(async () => {
  stopping.abort()
  await log.stop()
  server.close()
})

function build(buildId: string, status: string): void {
  const at = new Date().toISOString()
  const source = { repository: 'purchase_predict', branch: 'staging', commitSha: null, trigger: null }
  events.emit('build.changed', 'user:ann', {
    buildId,
    status,
    detail: null,
    ...source,
    createdAt: at,
    startedAt: at,
    finishedAt: null,
    steps: [],
  })
}

/** Reads the stream until `isEnough`, then lets go of it. */
async function read(isEnough: (text: string) => boolean, meanwhile = () => {}): Promise<string> {
  const client = new AbortController()
  const response = await get('/api/v1/events', 'events.read', { signal: client.signal })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  meanwhile()
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (isEnough(text)) break
  }
  client.abort()
  return text
}

describe('refreshes over HTTP', () => {
  it('are for those who may read events', async () => {
    assert.equal((await fetch(`${url}/api/v1/refreshes`)).status, 401)
    assert.equal((await get('/api/v1/refreshes', 'dags.read')).status, 403)
    assert.equal((await get('/api/v1/events', 'dags.read')).status, 403)
  })

  it('are listed newest first, up to a limit, and found one by one', async () => {
    build('one', 'WORKING')
    build('two', 'WORKING')
    const { refreshes } = (await (await get('/api/v1/refreshes?limit=1')).json()) as { refreshes: { id: string }[] }
    assert.deepEqual(
      refreshes.map(({ id }) => id),
      ['two'],
    )
    assert.equal(((await (await get('/api/v1/refreshes/one')).json()) as { id: string }).id, 'one')
  })

  it('that do not exist, or too many of them, are refused with what to do', async () => {
    assert.equal((await get('/api/v1/refreshes/none')).status, 404)
    const refusal = await get('/api/v1/refreshes?limit=1000')
    assert.equal(refusal.status, 400)
    assert.match(await refusal.text(), /from 1 to 200/)
  })
})

describe('the live stream', () => {
  it('tells each event, and the whole refresh once for changes that come together', async () => {
    const refresh = 'event: refresh\ndata: {"id":"three"'
    const text = await read(
      (t) => t.split(refresh)[1]?.includes('\n\n') ?? false,
      () => {
        build('three', 'QUEUED')
        build('three', 'WORKING')
      },
    )
    assert.equal(text.match(/event: build\.changed/g)?.length, 2)
    assert.equal(text.split(refresh).length, 2)
    assert.match(text.split(refresh)[1] ?? '', /"state":"running"/)
  })

  it('begins with the refreshes as they stand, so that a reader who was away has missed nothing', async () => {
    build('four', 'WORKING')
    assert.match(await read((t) => t.includes('"id":"four"')), /^retry: 1000\n\nevent: refresh\n/)
  })

  it('shows that it is alive while nothing happens', async () => {
    await read((t) => t.includes(': still here'))
  })

  it('ends when the platform stops', async () => {
    const response = await get('/api/v1/events')
    setImmediate(() => stopping.abort())
    assert.match(await response.text(), /retry/)
  })
})
