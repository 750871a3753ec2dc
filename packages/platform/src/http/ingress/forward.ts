/** Sends one request on to a revision and its answer back, from socket to socket. */
import { Agent, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { AppError } from '../../core/app-error.ts'
import type { Lease } from '../../services/fleet.ts'
import type { RunningRevision } from '../../services/revision.ts'
import { requestHeaders, responseHeaders } from './headers.ts'

/**
 * How long a connection is kept without use. Shorter than servers keep theirs (gunicorn 2 s, Node and uvicorn 5 s), so that a request is never
 * sent into one that the service is closing; where the service says its own time, a second less than that counts.
 */
const IDLE_MS = 1000

/** Connections to revisions, kept for the next requests and closed with the process at their other end. */
export class Connections {
  #agents = new WeakMap<RunningRevision, Agent>()

  to(running: RunningRevision): Agent {
    const known = this.#agents.get(running)
    if (known) return known
    const agent = new Agent({ keepAlive: true, timeout: IDLE_MS })
    this.#agents.set(running, agent)
    // Its port may be another process's next.
    void running.exited.then(() => agent.destroy())
    return agent
  }
}

export interface Forwarding {
  /** Released when the exchange has ended, however it ends. */
  readonly lease: Lease
  readonly agent: Agent
  readonly incoming: IncomingMessage | Http2ServerRequest
  readonly outgoing: ServerResponse | Http2ServerResponse
  /** Path and query at the service. */
  readonly path: string
  /** What the service's own root is called here; empty when it is the root here, too. */
  readonly prefix: string
  readonly timeoutMs: number
}

/** Whether nothing of the request has left: only then may it be sent again, because a service that has seen it may have acted on it. */
export const isUnsent = (error: unknown): boolean => error instanceof AppError && error.facts.isUnsent === true

/** Resolves when the answer begins; the rest of it streams on. Throws `unavailable` when none came. */
export function forward({ lease, agent, incoming, outgoing, path, prefix, timeoutMs }: Forwarding): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { host, port } = lease.running
    const method = incoming.method ?? 'GET'
    const request = send({ host, port, method, path, headers: requestHeaders(incoming.headers, prefix), agent })
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    const leave = () => outgoing.writableFinished || request.destroy(new Error('the caller has gone'))
    let isUnsent = true
    outgoing.once('close', leave)
    request.once('socket', (socket: Socket) => {
      const begin = () => {
        isUnsent = false
        if (hasBody(incoming)) incoming.pipe(request)
        else request.end()
      }
      if (socket.connecting) socket.once('connect', begin)
      else begin()
    })
    request.on('error', (cause) => {
      if (outgoing.headersSent) outgoing.destroy()
      const message = `Revision "${lease.revision}" did not answer: ${cause.message}. Its log may say why.`
      reject(new AppError('unavailable', message, { cause, isUnsent }))
    })
    request.once('close', () => {
      clearTimeout(timer)
      outgoing.off('close', leave)
      lease.release()
    })
    request.once('response', (response) => resolve(answer(response, method, outgoing as ServerResponse)))
  })
}

const hasBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function answer(response: IncomingMessage, method: string, outgoing: ServerResponse): Response {
  const status = response.statusCode ?? 502
  const headers = responseHeaders(response.rawHeaders)
  // An answer that breaks off must not look like a whole one.
  response.once('close', () => response.complete || outgoing.destroy()).on('error', () => {})
  if (method === 'HEAD') {
    response.resume()
    // Hono makes an answer of its own from this one.
    return new Response(null, { status, headers: pairsOf(headers) })
  }
  outgoing.writeHead(status, headers)
  response.pipe(outgoing)
  return RESPONSE_ALREADY_SENT
}

const pairsOf = (flat: readonly string[]): [string, string][] =>
  flat.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : []))
