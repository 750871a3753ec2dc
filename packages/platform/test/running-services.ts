/** A platform of only its registry and its services, for tests: real processes behind the real doors, the stores in memory. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RevisionsClient, ServicesClient } from '@google-cloud/run'
import { Tokens } from '../src/accounts/token.ts'
import { BlobFiles } from '../src/adapters/filesystem/blob.ts'
import { ProcessRevisions } from '../src/adapters/process/revision.ts'
import { SqliteBlobStore } from '../src/adapters/sqlite/blob.ts'
import { Database } from '../src/adapters/sqlite/database.ts'
import { SqliteManifestStore } from '../src/adapters/sqlite/manifest.ts'
import { SqliteRevisionStore } from '../src/adapters/sqlite/revision.ts'
import { SqliteServiceStore } from '../src/adapters/sqlite/service.ts'
import { SqliteTagStore } from '../src/adapters/sqlite/tag.ts'
import { Server } from '../src/composition/server.ts'
import { systemClock } from '../src/core/clock.ts'
import { type DomainEvent, Events } from '../src/core/events.ts'
import { silentLogger } from '../src/core/logger.ts'
import { BUILD_PERMISSIONS, type Permission, principal } from '../src/core/principal.ts'
import { ingressDoor } from '../src/http/ingress/ingress-door.ts'
import { ociDoor } from '../src/http/oci/oci-door.ts'
import { runDoor } from '../src/http/run/run-door.ts'
import { Registry } from '../src/images/registry.ts'
import { Fleet } from '../src/services/fleet.ts'
import { Services, type ServicesOptions } from '../src/services/services.ts'
import { pushApp } from './app-image.ts'

/** Where everything of these tests is deployed. */
export const PARENT = 'projects/shop/locations/us-central1'
const REPOSITORY = 'shop/api'

type Options = Pick<ServicesOptions, 'unpackedRevisions'>

export class RunningServices {
  readonly home: string
  readonly endpoint: string
  /** Of `build:9`. */
  readonly token: string
  readonly told: DomainEvent[] = []
  readonly client: ServicesClient
  readonly revisionsClient: RevisionsClient
  readonly #server: Server
  readonly #tokens: Tokens
  readonly #db = new Database(':memory:')
  readonly #options: Options
  #services: Services | null = null

  private constructor(home: string, endpoint: string, server: Server, tokens: Tokens, token: string, options: Options) {
    this.#options = options
    this.home = home
    this.endpoint = endpoint
    this.token = token
    this.#server = server
    this.#tokens = tokens
    // What the clients ask of their credentials: to send a request with them.
    const auth = {
      fetch: (url: string, init: RequestInit = {}) =>
        fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: `Bearer ${token}` } }),
      getRequestHeaders: async () => new Headers({ authorization: `Bearer ${token}` }),
      getUniverseDomain: async () => 'googleapis.com',
    }
    const port = Number(new URL(endpoint).port)
    const reach = { fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port, projectId: 'shop', auth }
    this.client = new ServicesClient(reach as never)
    this.revisionsClient = new RevisionsClient(reach as never)
  }

  static async start(options: Options = {}): Promise<RunningServices> {
    const home = await mkdtemp(join(tmpdir(), 'services-'))
    const server = new Server()
    const endpoint = await server.listen(0)
    const tokens = new Tokens(randomBytes(32), systemClock)
    const running = new RunningServices(
      home,
      endpoint,
      server,
      tokens,
      await tokens.issue(principal('build:9', BUILD_PERMISSIONS), 600),
      options,
    )
    await running.#open()
    return running
  }

  /** Stops and starts again, over the same home and stores. */
  async restart(): Promise<void> {
    await this.#services?.stop()
    await this.#open()
  }

  async stop(): Promise<void> {
    await this.#services?.stop()
    await this.#server.close()
    await rm(this.home, { recursive: true, force: true })
  }

  tokenWith(permissions: readonly Permission[]): Promise<string> {
    return this.#tokens.issue(principal('user:eve', permissions), 60)
  }

  /** A request with the token of `build:9`, unless `init` says otherwise. */
  call(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.endpoint}${path}`, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } })
  }

  /** Pushes `gcr.io/shop/api:TAG`, an ES module that listens on PORT. */
  push(tag: string, source: string): Promise<string> {
    return pushApp({ endpoint: this.endpoint, token: this.token, repository: REPOSITORY, tag, source })
  }

  /** Deploys the image of `tag` with Google's client and resolves when the change has ended; `extra` goes into the container. */
  async deploy(name: string, tag: string, extra: object = {}) {
    const [operation] = await this.client.updateService({
      service: { name: `${PARENT}/services/${name}`, template: template(tag, extra) },
      updateMask: { paths: ['template'] },
      allowMissing: true,
    })
    return operation.promise()
  }

  /** Resolves once the revision has been in `state`; `since` is how many events to leave out. */
  async reached(revision: string, state: string, since = 0): Promise<void> {
    const isThere = () =>
      this.told
        .slice(since)
        .some((event) => event.type === 'revision.changed' && event.facts.revision === revision && event.facts.state === state)
    while (!isThere()) await new Promise(setImmediate)
  }

  async #open(): Promise<void> {
    const { home, endpoint } = this
    const [tokens, db, clock] = [this.#tokens, this.#db, systemClock]
    const events = new Events(clock)
    events.subscribe((event) => this.told.push(event))
    const registry = new Registry({
      ...{ blobs: new SqliteBlobStore(db), data: new BlobFiles(join(home, 'blobs')), manifests: new SqliteManifestStore(db) },
      ...{ tags: new SqliteTagStore(db), events, clock },
    })
    const driver = new ProcessRevisions({ home: join(home, 'revisions'), endpoint, tokens, clock })
    const revisions = new SqliteRevisionStore(db)
    const fleet = new Fleet({ driver, revisions, tokens, endpoint, events, clock, logger: silentLogger })
    const services = new Services({
      store: new SqliteServiceStore(db),
      revisions,
      driver,
      fleet,
      endpoint,
      events,
      clock,
      ...this.#options,
    })
    this.#server.open({ byToken: (text) => tokens.verify(text), byPassword: () => Promise.reject(new Error('no passwords')) }, [
      ingressDoor({ services }),
      ociDoor({ registry }),
      runDoor({ services }),
    ])
    await services.start()
    this.#services = services
  }
}

export const template = (tag: string, extra: object = {}) => ({ containers: [{ image: `gcr.io/${REPOSITORY}:${tag}`, ...extra }] })

/** What `answeringApp` answers to a GET; a POST gets its own body back. */
export interface AppAnswer {
  version: string
  path: string
  headers: Record<string, string>
  revision: string
  greeting: string
  tracking: string
  secret?: string
}

/** Answers its version after a moment, as a model would, and after a longer one at /slow. */
export const answeringApp = (version: string) => `
import { createServer } from 'node:http'
const server = createServer((request, response) => {
  setTimeout(() => {
    response.setHeader('set-cookie', 'session=stolen')
    if (request.method === 'POST') return request.pipe(response)
    response.end(JSON.stringify({ version: '${version}', path: request.url, headers: request.headers, revision: process.env.K_REVISION, greeting: process.env.GREETING, tracking: process.env.MLFLOW_TRACKING_URI, secret: process.env.PLATFORM_SECRET }))
  }, request.url.startsWith('/slow') ? 400 : 5)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))`
