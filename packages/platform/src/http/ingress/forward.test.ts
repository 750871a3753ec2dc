import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import type { RunningRevision } from '../../services/revision.ts'
import { Connections, forward, isUnsent } from './forward.ts'

const servers: { close(): unknown; closeAllConnections?(): void }[] = []

after(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections?.()
  }
})

const listen = async (server: Server | ReturnType<typeof createSocketServer>): Promise<number> => {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

interface Front {
  readonly port: number
  /** How often a lease was released. */
  released: number
  /** What the exchange threw. */
  readonly errors: unknown[]
}

/** A server that forwards all requests to the one at `port`. */
async function frontOf(port: number, { timeoutMs = 10_000 } = {}): Promise<Front> {
  const running = { host: '127.0.0.1', port, exited: new Promise<string>(() => {}) } as RunningRevision
  const connections = new Connections()
  const front: Front & { port: number } = { port: 0, released: 0, errors: [] }
  const release = () => {
    front.released++
  }
  front.port = await listen(
    createServer((incoming, outgoing) => {
      const lease = { revision: 'r', running, release }
      const call = { lease, agent: connections.to(running), incoming, outgoing, path: incoming.url ?? '', prefix: '', timeoutMs }
      forward(call).catch((error: unknown) => {
        front.errors.push(error)
        if (!outgoing.headersSent) outgoing.writeHead(503).end()
      })
    }),
  )
  return front
}

const service = (handler: (request: IncomingMessage, response: ServerResponse) => void) => listen(createServer(handler))

test('a request that never left may be sent again; one that left may not, although nothing came back', async () => {
  const closed = createSocketServer()
  const port = await listen(closed)
  await new Promise((resolve) => closed.close(resolve))
  const nowhere = await frontOf(port)
  assert.equal((await fetch(`http://127.0.0.1:${nowhere.port}/`, { method: 'POST', body: 'x' })).status, 503)
  assert.deepEqual(nowhere.errors.map(isUnsent), [true])

  const hangingUp = await frontOf(await listen(createSocketServer((socket) => socket.once('data', () => socket.destroy()))))
  assert.equal((await fetch(`http://127.0.0.1:${hangingUp.port}/`)).status, 503)
  assert.deepEqual(hangingUp.errors.map(isUnsent), [false])
  assert.deepEqual([nowhere.released, hangingUp.released], [1, 1])
})

test('an answer that breaks off breaks off for the caller, too', async () => {
  const front = await frontOf(
    await service((_, response) => {
      response.writeHead(200, { 'Content-Length': 10 })
      response.write('half', () => response.destroy())
    }),
  )
  const response = await fetch(`http://127.0.0.1:${front.port}/`)
  await assert.rejects(response.text())
  assert.equal(front.released, 1)
})

test('a caller that goes away takes its request along, and its lease is released', async () => {
  const seen = Promise.withResolvers<IncomingMessage>()
  const front = await frontOf(await service((incoming) => seen.resolve(incoming)))
  const calling = request({ port: front.port, host: '127.0.0.1' }).on('error', () => {})
  calling.end()
  const incoming = await seen.promise
  const isGone = once(incoming.socket, 'close')
  calling.destroy()
  await isGone
  while (front.released === 0) await new Promise(setImmediate)
  assert.equal(front.released, 1)
})

test('a service that takes too long is given up', async () => {
  const front = await frontOf(await service(() => {}), { timeoutMs: 50 })
  assert.equal((await fetch(`http://127.0.0.1:${front.port}/`)).status, 503)
  assert.match(String(front.errors[0]), /no answer within 0\.05 s/)
})

test('bodies of unknown length and requests without one come through as they are, without what belongs to the connection', async () => {
  const front = await frontOf(
    await service(async (incoming, response) => {
      const body = await text(incoming)
      response.setHeader('X-Seen', `${incoming.method} ${body} ${incoming.headers['content-length']} ${incoming.headers['x-hop']}`)
      response.end(body)
    }),
  )
  const agent = new Agent({ keepAlive: true })
  const ask = async (method: string, headers: Record<string, string>, body?: string) => {
    const calling = request({ host: '127.0.0.1', port: front.port, method, headers, agent })
    if (body !== undefined) calling.write(body)
    calling.end()
    const [response] = (await once(calling, 'response')) as [IncomingMessage]
    return [response.headers['x-seen'], await text(response)]
  }
  assert.deepEqual(await ask('POST', { 'Transfer-Encoding': 'chunked' }, 'streamed'), ['POST streamed undefined undefined', 'streamed'])
  assert.deepEqual(await ask('POST', { 'Content-Length': '0' }), ['POST  0 undefined', ''])
  assert.deepEqual(await ask('GET', { Connection: 'x-hop', 'X-Hop': 'mine' }), ['GET  undefined undefined', ''])
  agent.destroy()
})
