/** A small server for the page: the real doors of refreshes and of the page, and the other doors as far as the page asks them. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Database } from '../../platform/src/adapters/sqlite/database.ts'
import { SqliteRefreshStore } from '../../platform/src/adapters/sqlite/refresh.ts'
import { ManualClock, systemClock } from '../../platform/src/core/clock.ts'
import { Events } from '../../platform/src/core/events.ts'
import { principal } from '../../platform/src/core/principal.ts'
import type { DoorEnvironment } from '../../platform/src/http/door.ts'
import { liveDoor } from '../../platform/src/http/live/live-door.ts'
import { webDoor } from '../../platform/src/http/web.ts'
import { RefreshLog } from '../../platform/src/refreshes/refresh-log.ts'
import type { Told } from '../src/canned/story.ts'
import { servingOf } from '../src/serving/serving.ts'

const COOKIE = 'session=let-me-in'
const EARLIEST = new Date(Date.now() - 60 * 86_400_000)

export async function startPlatform(folder: string) {
  const clock = new ManualClock(EARLIEST)
  const events = new Events(clock, (error) => console.error(error))
  const refreshes = new RefreshLog({ store: new SqliteRefreshStore(new Database(':memory:')), events, clock: systemClock })
  await refreshes.start()
  const stopping = new AbortController()
  const app = new Hono<DoorEnvironment>()
  const log = new GrowingLog()
  const started: { dagId: string; body: unknown }[] = []

  app.use(async (c, next) => {
    const isKnown = c.req.header('cookie')?.includes(COOKIE) ?? false
    c.set('principal', isKnown ? principal('user:admin', ['events.read']) : null)
    c.set('authenticationProblem', null)
    await next()
  })
  app.post('/auth/login', async (c) => {
    const { password } = await c.req.json()
    if (password !== 'sail')
      return c.json({ error: { code: 'unauthenticated', message: 'Name or password is wrong. Try again.', problems: [] } }, 401)
    c.header('Set-Cookie', `${COOKIE}; HttpOnly; SameSite=Strict; Path=/`)
    return c.json({})
  })
  app.get('/auth/me', (c) =>
    c.get('principal')
      ? c.json({ name: 'admin', role: 'admin', project: 'daggerboard' })
      : c.json({ error: { code: 'unauthenticated', message: 'No.' } }, 401),
  )
  app.get('/v1/projects/daggerboard/builds/:id/log', (c) => c.body(log.stream(), 200, { 'Content-Type': 'text/plain; charset=utf-8' }))
  app.get('/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task/logs/1', (c) =>
    c.json({ content: [{ timestamp: '2026-05-11T05:00:05Z', level: 'info', event: `task ${c.req.param('task')} wrote 22971 rows` }] }),
  )
  app.get('/api/v2/dags/:dag', (c) => c.json({ dag_id: c.req.param('dag'), is_paused: false }))
  app.post('/api/v2/dags/:dag/dagRuns', async (c) => {
    started.push({ dagId: c.req.param('dag'), body: await c.req.json() })
    return c.json({ dag_run_id: 'manual__now' })
  })
  app.get('/services/:service/health', (c) => {
    const refresh = servingOf(refreshes.list(100)).find(({ service }) => service === c.req.param('service'))?.refresh
    const model = refresh?.stages.find((stage) => stage.kind === 'model')
    return model ? c.json({ status: 'ok', model }) : c.json({ error: { message: 'No revision is ready.', problems: [] } }, 503)
  })
  app.post('/services/:service/predict', async (c) => {
    const row = await c.req.json()
    if (typeof row.price !== 'number')
      return c.json({ error: { message: 'The row cannot be read.', problems: [`price is "${row.price}"; it must be a number.`] } }, 400)
    return c.json({ predictions: [{ purchased: 1, probability: 0.8312 }] })
  })
  app.route('/', liveDoor({ events, refreshes, clock: systemClock, signal: stopping.signal, coalesceMs: 20 }))
  app.route('/', webDoor({ folder }))
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    started,
    /** Emits what of `story` lies behind `from` and not behind `until`, at the times it tells. */
    tell(story: readonly Told[], began: Date, from = -1, until = Number.POSITIVE_INFINITY) {
      for (const { second, type, by, facts } of story.filter((told) => told.second > from && told.second <= until)) {
        clock.advance(began.getTime() + second * 1000 - clock.now().getTime())
        events.emit(type, by, facts)
      }
    },
    async stop() {
      stopping.abort()
      log.end()
      await refreshes.stop()
      server.close()
    },
  }
}

/** A log that everybody who reads it follows until it ends. */
class GrowingLog {
  #text = 'starting build\n'
  #readers = new Set<ReadableStreamDefaultController<Uint8Array>>()
  #isOver = false

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (reader) => {
        reader.enqueue(new TextEncoder().encode(this.#text))
        if (this.#isOver) reader.close()
        else this.#readers.add(reader)
      },
      cancel: () => this.#readers.clear(),
    })
  }

  write(line: string): void {
    this.#text += `${line}\n`
    for (const reader of this.#readers) reader.enqueue(new TextEncoder().encode(`${line}\n`))
  }

  end(): void {
    this.#isOver = true
    for (const reader of this.#readers) reader.close()
    this.#readers.clear()
  }
}
