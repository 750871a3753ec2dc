/** A listening MLflow door for tests: the real stores in memory, the real artifacts in a folder that goes away with it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Tokens } from '../src/accounts/token.ts'
import { FilesystemArtifactStore } from '../src/adapters/filesystem/artifact.ts'
import { Database } from '../src/adapters/sqlite/database.ts'
import { sqliteModelStores } from '../src/adapters/sqlite/model-stores.ts'
import { systemClock } from '../src/core/clock.ts'
import { type DomainEvent, Events } from '../src/core/events.ts'
import { BUILD_PERMISSIONS, principal, REVISION_PERMISSIONS } from '../src/core/principal.ts'
import { authentication } from '../src/http/authentication.ts'
import type { DoorEnvironment } from '../src/http/door.ts'
import { mlflowDoor } from '../src/http/mlflow/mlflow-door.ts'
import { createModelRegistry } from '../src/models/registry.ts'

export interface ListeningMlflow {
  readonly uri: string
  /** Of `build:test`, which may write. */
  readonly token: string
  /** Of `revision:test`, which may only read. */
  readonly readToken: string
  /** All events so far. */
  readonly events: readonly DomainEvent[]
  /** Errors that were answered 500. */
  readonly internalErrors: readonly unknown[]
  stop(): Promise<void>
}

export async function listenMlflow(): Promise<ListeningMlflow> {
  const folder = await mkdtemp(join(tmpdir(), 'daggerboard-mlflow-'))
  const db = new Database(':memory:')
  const domainEvents = new Events(systemClock)
  const events: DomainEvent[] = []
  domainEvents.subscribe((event) => events.push(event))
  const models = createModelRegistry({
    stores: sqliteModelStores({ db, clock: systemClock }),
    artifacts: new FilesystemArtifactStore({ folder }),
    clock: systemClock,
    events: domainEvents,
  })
  const tokens = new Tokens(randomBytes(32), systemClock)
  const byToken = (token: string) => tokens.verify(token)
  const internalErrors: unknown[] = []
  const app = new Hono<DoorEnvironment>()
  app.use(authentication({ byToken, byPassword: byToken }))
  app.route('/', mlflowDoor({ models, onInternalError: (error) => internalErrors.push(error) }))
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: await tokens.issue(principal('build:test', BUILD_PERMISSIONS), 3600),
    readToken: await tokens.issue(principal('revision:test', REVISION_PERMISSIONS), 3600),
    events,
    internalErrors,
    async stop() {
      await new Promise((resolve) => {
        server.close(resolve)
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
      db.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
