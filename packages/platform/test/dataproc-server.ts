/** The door of Dataproc on a loopback port, with an operator and a viewer whose tokens are their names. */
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { AppError } from '../src/core/app-error.ts'
import { principal, ROLE_PERMISSIONS } from '../src/core/principal.ts'
import { authentication } from '../src/http/authentication.ts'
import { dataprocDoor } from '../src/http/dataproc/dataproc-door.ts'
import type { DoorEnvironment } from '../src/http/door.ts'
import type { LocalCluster } from './local-cluster.ts'

const PEOPLE = new Map([
  ['operator', principal('user:operator', ROLE_PERMISSIONS.op)],
  ['viewer', principal('user:viewer', ROLE_PERMISSIONS.viewer)],
])

const authenticator = {
  async byToken(token: string) {
    const who = PEOPLE.get(token)
    if (!who) throw new AppError('unauthenticated', 'This token is not known.')
    return who
  },
  async byPassword(): Promise<never> {
    throw new AppError('unauthenticated', 'No passwords here.')
  },
}

export interface DataprocServer {
  readonly port: number
  readonly endpoint: string
  stop(): Promise<void>
}

export async function serveDataproc(local: LocalCluster): Promise<DataprocServer> {
  const app = new Hono<DoorEnvironment>()
  app.use(authentication(authenticator))
  app.route('/', dataprocDoor(local))
  const server: ServerType = await new Promise((resolve) => {
    const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(started))
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
