/** A platform for the tests of builds and repositories: real doors on the loopback, real processes, real git, a real store. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Tokens } from '../src/accounts/token.ts'
import { ObjectFiles } from '../src/adapters/filesystem/object.ts'
import { Git } from '../src/adapters/git/git.ts'
import { GitRepositoryStore } from '../src/adapters/git/repository.ts'
import { GitProcessTransport } from '../src/adapters/git/transport.ts'
import { FileBuildLog } from '../src/adapters/process/build-log.ts'
import { ProcessStepDriver } from '../src/adapters/process/step-driver.ts'
import { SqliteBucketStore } from '../src/adapters/sqlite/bucket.ts'
import { SqliteBuildStore } from '../src/adapters/sqlite/build.ts'
import { Database } from '../src/adapters/sqlite/database.ts'
import { SqliteObjectStore } from '../src/adapters/sqlite/object.ts'
import { SqliteSeenRefsStore } from '../src/adapters/sqlite/push.ts'
import { SqliteTriggerStore } from '../src/adapters/sqlite/trigger.ts'
import { SqliteUploadStore } from '../src/adapters/sqlite/upload.ts'
import { Buckets } from '../src/buckets/bucket.ts'
import { Storage } from '../src/buckets/storage.ts'
import { Uploads } from '../src/buckets/upload.ts'
import type { Build, BuildStatus } from '../src/builds/build.ts'
import { BuildRunner } from '../src/builds/build-runner.ts'
import { Builds } from '../src/builds/builds.ts'
import { PushTriggers } from '../src/builds/push-triggers.ts'
import { systemClock } from '../src/core/clock.ts'
import { type DomainEvent, Events } from '../src/core/events.ts'
import { silentLogger } from '../src/core/logger.ts'
import { type Permission, principal, ROLE_PERMISSIONS } from '../src/core/principal.ts'
import { authentication } from '../src/http/authentication.ts'
import { cloudBuildDoor } from '../src/http/cloud-build/cloud-build-door.ts'
import type { DoorEnvironment } from '../src/http/door.ts'
import { repositoryDoor } from '../src/http/git/repository.ts'
import { storageDoor } from '../src/http/storage/storage-door.ts'
import { Pushes } from '../src/repositories/push.ts'

export const PROJECT = 'shop'

export class BuildPlatform {
  readonly home: string
  readonly events: Events
  readonly told: DomainEvent[] = []
  readonly store: SqliteBuildStore
  readonly triggers: SqliteTriggerStore
  readonly repositories: GitRepositoryStore
  readonly pushes: Pushes
  readonly runner: BuildRunner
  readonly builds: Builds
  readonly log: FileBuildLog
  readonly #pushTriggers: PushTriggers
  readonly #tokens = new Tokens(randomBytes(32), systemClock)
  readonly #storage: Parameters<typeof storageDoor>[0]
  #server: ServerType | null = null
  endpoint = 'http://127.0.0.1:0'

  static async start({
    concurrency = 2,
    db = new Database(':memory:'),
  }: {
    concurrency?: number
    db?: Database
  } = {}): Promise<BuildPlatform> {
    const platform = new BuildPlatform(await mkdtemp(join(tmpdir(), 'builds-')), db, concurrency)
    await platform.#listen()
    await platform.#pushTriggers.start()
    await platform.runner.start()
    return platform
  }

  private constructor(home: string, db: Database, concurrency: number) {
    this.home = home
    this.events = new Events(systemClock)
    this.events.subscribe((event) => this.told.push(event))
    const data = new ObjectFiles(join(home, 'objects'))
    const buckets = new Buckets({ store: new SqliteBucketStore(db), clock: systemClock })
    const storage = new Storage({ buckets, store: new SqliteObjectStore(db), data, clock: systemClock })
    const uploads = new Uploads({ storage, store: new SqliteUploadStore(db), data, clock: systemClock })
    const directory = join(home, 'builds')
    const endpoint = () => this.endpoint
    const tokens = this.#tokens
    this.log = new FileBuildLog({ directory, endpoint, tokens, projectId: PROJECT })
    this.#storage = { project: PROJECT, buckets, storage, uploads, virtualObjects: (bucket, name) => this.log.virtualObject(bucket, name) }
    this.store = new SqliteBuildStore(db)
    this.triggers = new SqliteTriggerStore(db)
    const git = new Git({ directory: join(home, 'repositories') })
    this.repositories = new GitRepositoryStore(git)
    this.transport = new GitProcessTransport(git)
    this.pushes = new Pushes({ repositories: this.repositories, seen: new SqliteSeenRefsStore(db), events: this.events })
    const driver = new ProcessStepDriver({ directory, cacheDirectory: join(home, 'cache'), endpoint, projectId: PROJECT })
    const { store, triggers, repositories, events, log } = this
    this.runner = new BuildRunner({ store, driver, log, tokens, events, clock: systemClock, logger: silentLogger, concurrency })
    this.builds = new Builds({ store, triggers, runner: this.runner, repositories, clock: systemClock })
    this.#pushTriggers = new PushTriggers({ builds: this.builds, triggers, repositories, events, logger: silentLogger, projectId: PROJECT })
  }

  readonly transport: GitProcessTransport

  async stop(): Promise<void> {
    await this.#pushTriggers.stop()
    await this.runner.stop()
    await this.pushes.stop()
    const server = this.#server
    await new Promise<void>((resolve) => {
      if (!server) return resolve()
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
    await rm(this.home, { recursive: true, force: true })
  }

  token(subject = 'user:ada', permissions: readonly Permission[] = ROLE_PERMISSIONS.user): Promise<string> {
    return this.#tokens.issue(principal(subject, permissions), 600)
  }

  /** Creates a build and resolves when it is over. */
  async run(body: object, by = 'user:ada'): Promise<{ build: Build; log: string }> {
    const { id } = await this.builds.create(body, { projectId: PROJECT, location: 'global', by })
    return this.finished(id)
  }

  async finished(id: string): Promise<{ build: Build; log: string }> {
    await this.runner.finished(id)
    const build = await this.store.find(id)
    if (!build) throw new Error(`No build ${id}`)
    return { build, log: Buffer.from((await this.log.read(id, 0)) ?? []).toString('utf8') }
  }

  /** Resolves with the first build.changed event, past or to come, that `matches`. */
  buildTold(
    matches: (facts: Extract<DomainEvent, { type: 'build.changed' }>) => boolean,
  ): Promise<Extract<DomainEvent, { type: 'build.changed' }>> {
    const isIt = (event: DomainEvent): event is Extract<DomainEvent, { type: 'build.changed' }> =>
      event.type === 'build.changed' && matches(event)
    const past = this.told.find(isIt)
    if (past) return Promise.resolve(past)
    return new Promise((resolve) => {
      const unsubscribe = this.events.subscribe((event) => {
        if (!isIt(event)) return
        unsubscribe()
        resolve(event)
      })
    })
  }

  statusReached = (id: string, status: BuildStatus) => this.buildTold(({ facts }) => facts.buildId === id && facts.status === status)

  async #listen(): Promise<void> {
    const app = new Hono<DoorEnvironment>()
    const byPassword = () => Promise.reject(new Error('There are no passwords here.'))
    app.use(authentication({ byToken: (text) => this.#tokens.verify(text), byPassword }))
    const { builds, triggers, runner, log, repositories, transport, pushes } = this
    app.route('/', cloudBuildDoor({ builds, triggers, runner, log, clock: systemClock }))
    app.route('/', repositoryDoor({ repositories, transport, pushes, projectId: PROJECT }))
    app.route('/', storageDoor(this.#storage))
    this.#server = await new Promise((resolve) => {
      const server: ServerType = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
        this.endpoint = `http://127.0.0.1:${port}`
        resolve(server)
      })
    })
  }
}
