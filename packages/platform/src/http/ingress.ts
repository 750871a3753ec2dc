/** The way of requests to deployed services: `/services/NAME/…`, and `NAME.localhost` at its root. */
import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeStream } from 'node:stream/web'
import type { Context } from 'hono'
import { AppError } from '../core/app-error.ts'
import type { Lease } from '../services/fleet.ts'
import type { Services } from '../services/services.ts'
import { SESSION_COOKIE } from './authentication.ts'
import { createDoor, type Door, type DoorEnvironment, requirePermission } from './door.ts'

export interface IngressOptions {
  readonly services: Services
  readonly onInternalError?: (error: unknown) => void
}

type DoorContext = Context<DoorEnvironment>

/** What belongs to one connection and is not handed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
])

/** Mount it at `/` before all other doors: a request to `NAME.localhost` is for the service, whatever its path. */
export function ingressDoor({ services, onInternalError = console.error }: IngressOptions): Door {
  const door = createDoor({ onInternalError })

  door.all('*', (c, next) => {
    const host = (c.req.header('host') ?? '').split(':')[0] ?? ''
    const name = host.endsWith('.localhost') ? host.slice(0, -'.localhost'.length) : ''
    return name === '' || name.includes('.') ? next() : proxy(c, name, c.req.url.slice(new URL(c.req.url).origin.length), '')
  })

  door.all('/services/:service', (c) => {
    const url = new URL(c.req.url)
    return c.redirect(`${url.pathname}/${url.search}`, 308)
  })

  door.all('/services/:service/*', (c) => {
    const name = c.req.param('service')
    const prefix = `/services/${name}`
    return proxy(c, name, c.req.url.slice(new URL(c.req.url).origin.length + prefix.length), prefix)
  })

  async function proxy(c: DoorContext, name: string, target: string, prefix: string): Promise<Response> {
    const service = services.route(name)
    const isHealth = target.split('?')[0] === '/health' && c.req.method === 'GET'
    if (!service?.isPublic && !isHealth) requirePermission(c, 'services.invoke')
    if (!service) throw new AppError('not_found', `There is no service "${name}". Deploy it first, or check the name.`)
    const lease = services.acquire(name)
    if (!lease)
      throw new AppError(
        'unavailable',
        `Service "${name}" has no revision that is ready. Look at its condition and at the log of its revision.`,
      )
    try {
      return await forward(c, lease, target, prefix, service.template.timeoutSeconds * 1000)
    } catch (error) {
      lease.release()
      throw error
    }
  }

  return door
}

/** Sends the request on and streams the answer back; the lease is released when the answer has ended, however it ends. */
function forward(c: DoorContext, lease: Lease, path: string, prefix: string, timeoutMs: number): Promise<Response> {
  const { method, body, signal } = c.req.raw
  return new Promise((resolve, reject) => {
    // No connection is kept for reuse: one that the service is just closing would lose a request.
    const outgoing = send({ host: lease.host, port: lease.port, method, path, headers: requestHeaders(c, prefix), agent: false })
    const abort = () => outgoing.destroy(new Error('the caller has gone'))
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      lease.release()
    }
    signal.addEventListener('abort', abort, { once: true })
    outgoing.once('close', () => finish())
    outgoing.once('error', (error) => {
      finish()
      reject(
        new AppError('unavailable', `Revision "${lease.revision}" did not answer: ${error.message}. Its log may say why.`, {
          cause: error,
        }),
      )
    })
    outgoing.once('response', (incoming) => {
      incoming.once('close', finish)
      resolve(answer(incoming, method))
    })
    if (body) Readable.fromWeb(body as NodeStream).pipe(outgoing)
    else outgoing.end()
  })
}

function answer(incoming: IncomingMessage, method: string): Response {
  const status = incoming.statusCode ?? 502
  const headers = responseHeaders(incoming.headers)
  const isEmpty = method === 'HEAD' || status === 204 || status === 205 || status === 304
  if (isEmpty) incoming.resume()
  return new Response(isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream), { status, headers })
}

function requestHeaders(c: DoorContext, prefix: string): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of c.req.raw.headers) if (!HOP_BY_HOP.has(name)) headers[name] = value
  // The caller's credentials are for the platform; a service that held them could act as the caller.
  delete headers.authorization
  const cookies = (headers.cookie ?? '').split(/;\s*/).filter((cookie) => cookie !== '' && !cookie.startsWith(`${SESSION_COOKIE}=`))
  if (cookies.length > 0) headers.cookie = cookies.join('; ')
  else delete headers.cookie
  headers['x-forwarded-proto'] = 'http'
  headers['x-forwarded-host'] = headers.host ?? ''
  if (prefix) headers['x-forwarded-prefix'] = prefix
  return headers
}

/** Services answer from the origin of our own pages: they may not set its cookies, nor run scripts in it. */
function responseHeaders(given: IncomingHttpHeaders): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || HOP_BY_HOP.has(name) || name === 'set-cookie') continue
    for (const each of Array.isArray(value) ? value : [value]) headers.append(name, each)
  }
  headers.set('Content-Security-Policy', 'sandbox')
  headers.set('X-Content-Type-Options', 'nosniff')
  return headers
}
