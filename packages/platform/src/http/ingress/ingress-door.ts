/** The way of requests to deployed services: `/services/NAME/…`, and `NAME.localhost` at its root. */
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { AppError } from '../../core/app-error.ts'
import type { Services } from '../../services/services.ts'
import { createDoor, type Door, type DoorEnvironment, requirePermission } from '../door.ts'
import { Connections, forward, isUnsent } from './forward.ts'

export interface IngressOptions {
  readonly services: Services
  readonly onInternalError?: (error: unknown) => void
}

type DoorContext = Context<DoorEnvironment>

/** How often a request is tried of which no byte has left yet. */
const TRIES = 3

/** Mount it at `/` before all other doors: a request to `NAME.localhost` is for the service, whatever its path. Needs Node's server. */
export function ingressDoor({ services, onInternalError = console.error }: IngressOptions): Door {
  const door = createDoor({ onInternalError })
  const connections = new Connections()

  door.all('*', (c, next) => {
    const host = (c.req.header('host') ?? '').split(':')[0] ?? ''
    const name = host.endsWith('.localhost') ? host.slice(0, -'.localhost'.length) : ''
    return name === '' || name.includes('.') ? next() : proxy(c, name, '')
  })

  door.all('/services/:service', (c) => {
    const url = new URL(c.req.url)
    return c.redirect(`${url.pathname}/${url.search}`, 308)
  })

  door.all('/services/:service/*', (c) => {
    const name = c.req.param('service')
    return proxy(c, name, `/services/${name}`)
  })

  async function proxy(c: DoorContext, name: string, prefix: string): Promise<Response> {
    const path = pathOf(c.req.url).slice(prefix.length)
    const service = services.route(name)
    const isHealth = path.split('?')[0] === '/health' && c.req.method === 'GET'
    if (!service?.isPublic && !isHealth) requirePermission(c, 'services.invoke')
    if (!service) throw new AppError('not_found', `There is no service "${name}". Deploy it first, or check the name.`)
    const { incoming, outgoing } = c.env as HttpBindings
    for (let tries = 1; ; tries++) {
      const lease = services.acquire(name)
      if (!lease)
        throw new AppError(
          'unavailable',
          `Service "${name}" has no revision that is ready. Look at its condition and at the log of its revision.`,
        )
      try {
        const timeoutMs = service.template.timeoutSeconds * 1000
        return await forward({ lease, agent: connections.to(lease.running), incoming, outgoing, path, prefix, timeoutMs })
      } catch (error) {
        if (!isUnsent(error) || tries === TRIES) throw error
        // The end of a process is told in a turn of its own; after it, another revision may answer.
        await new Promise(setImmediate)
      }
    }
  }

  return door
}

/** Path and query of an absolute address. */
const pathOf = (url: string): string => url.slice(url.indexOf('/', url.indexOf('//') + 2))
