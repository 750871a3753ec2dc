/** Answers only requests that were addressed to this platform: a page elsewhere whose name is made to point here (DNS rebinding) gets nothing. */
import type { MiddlewareHandler } from 'hono'
import type { DoorEnvironment } from './door.ts'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** `port`: where the platform listens. A service is addressed as `NAME.localhost`. */
export const ownHostsOnly =
  (port: number): MiddlewareHandler<DoorEnvironment> =>
  async (c, next) => {
    // The address of the request counts as well: a client may send it whole, and some parts read it.
    if ([c.req.header('host') ?? '', new URL(c.req.url).host].every((host) => isOwn(host, port))) return next()
    const message = `This platform answers at 127.0.0.1:${port}, localhost:${port} and NAME.localhost:${port}, and this request was sent to another host. Use one of these addresses; a proxy before the platform sets Host to one of them.`
    return c.json({ error: { code: 'forbidden', message, problems: [] } }, 403)
  }

function isOwn(host: string, port: number): boolean {
  const [, name = '', given = '80'] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? []
  return Number(given) === port && (LOOPBACK.has(name) || name.endsWith('.localhost'))
}
