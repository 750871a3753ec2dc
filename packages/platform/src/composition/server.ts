/** The one listening socket: all doors, behind one authentication. */
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { AppError } from '../core/app-error.ts'
import { type Authenticator, authentication } from '../http/authentication.ts'
import { answerError, type Door, type DoorEnvironment } from '../http/door.ts'
import { ownHostsOnly } from '../http/own-hosts.ts'

/** Loopback only: who wants to be reached from elsewhere puts a proxy with TLS before it. */
const HOST = '127.0.0.1'

/** An address that a door answers, as the router has it: `GET /v1/projects/:project/builds`; `ALL` for every method. */
export interface Route {
  readonly method: string
  readonly path: string
}

export class Server {
  #app = new Hono<DoorEnvironment>().all('*', (c) =>
    c.json({ error: { code: 'unavailable', message: 'The platform is starting. Ask again in a second.' } }, 503),
  )
  #server: ServerType | null = null
  #port = 0

  /**
   * Takes the port and answers its address; throws `conflict` when another program has it. It comes before everything else,
   * because every part wants to know the address. Until `open` all is answered with 503.
   */
  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { fetch: (request: Request, env: object) => this.#app.fetch(request, env), hostname: HOST, port }
      // Models and images may take long to come and go, and live streams never end: each door limits what it must.
      const server = serve({ ...options, serverOptions: { requestTimeout: 0 } }, (address: AddressInfo) => {
        this.#port = address.port
        resolve(`http://${HOST}:${address.port}`)
      })
      server.on('error', (cause: NodeJS.ErrnoException) => {
        const inUse = cause.code === 'EADDRINUSE'
        const message = `Port ${port} on ${HOST} is in use. Stop the program that has it, or set DAGGERBOARD_PORT to another.`
        reject(inUse ? new AppError('conflict', message, { cause }) : cause)
      })
      this.#server = server
    })
  }

  /** Opens the doors, and answers all their routes. The first door that knows an address answers it. */
  open(authenticator: Authenticator, doors: readonly Door[]): readonly Route[] {
    const app = new Hono<DoorEnvironment>()
    app.use(ownHostsOnly(this.#port))
    app.use(authentication(authenticator))
    for (const door of doors) app.route('/', door)
    app.onError(answerError)
    app.notFound((c) => c.json({ error: { code: 'not_found', message: `Nothing answers ${c.req.method} ${c.req.path} here.` } }, 404))
    this.#app = app
    return doors.flatMap((door) => door.routes.map(({ method, path }) => ({ method, path })))
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (!server) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
  }
}
