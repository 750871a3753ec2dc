/** The whole house: every part made, its doors opened on one port, its services started, and stopped in the opposite order. */
import { LivesByKind, requireAlive } from '../accounts/lives.ts'
import { type TokenIssuer, Tokens } from '../accounts/token.ts'
import { livesOfUsers, logIn, principalOf } from '../accounts/user.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteEventLog } from '../adapters/sqlite/event-log.ts'
import { SqliteRevokedTokenStore } from '../adapters/sqlite/revoked-token.ts'
import { SqliteUserStore } from '../adapters/sqlite/user.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { Events } from '../core/events.ts'
import type { Logger } from '../core/logger.ts'
import { principal, ROLE_PERMISSIONS } from '../core/principal.ts'
import type { Service } from '../core/service.ts'
import { accountsDoor } from '../http/accounts/login.ts'
import { healthDoor } from '../http/health.ts'
import type { Settings } from '../settings.ts'
import { VERSION } from '../version.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { composeBuilds } from './builds.ts'
import { composeData } from './data.ts'
import { ensureAdmin } from './first-login.ts'
import { Home } from './home.ts'
import { composeLibraries } from './libraries.ts'
import { composeModels } from './models.ts'
import type { Ground, Part } from './part.ts'
import { composeRefreshes, composeWeb } from './refreshes.ts'
import { composeScheduling } from './scheduling.ts'
import { composeSecrets } from './secrets.ts'
import { seed } from './seed.ts'
import { type Route, Server } from './server.ts'
import { composeServices } from './services.ts'
import { composeBuckets, composeImages } from './storage.ts'
import { refusalOf } from './unusable-home.ts'

export { VERSION }

/** How long the token lives that commands of this process use. */
const COMMAND_TOKEN_SECONDS = 24 * 3600

export interface Platform {
  readonly endpoint: string
  readonly warehouse: Warehouse
  /** Every address that its doors answer. */
  readonly routes: readonly Route[]
  /** Makes tokens for whoever runs this process. */
  readonly tokens: TokenIssuer
  /** The admin's password if it was made at this start: show it, it is kept nowhere. */
  readonly newPassword: string | null
  /** A token of the user admin, for the commands that run in this process. */
  adminToken(): Promise<string>
  stop(): Promise<void>
}

export interface PlatformOptions {
  readonly settings: Settings
  readonly logger: Logger
  readonly clock?: Clock
}

/** Starts a platform. When anything of it cannot start, what has started is stopped again and the error thrown. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  try {
    return await composePlatform(options)
  } catch (error) {
    throw refusalOf(error, options.settings.home)
  }
}

async function composePlatform({ settings, logger, clock = systemClock }: PlatformOptions): Promise<Platform> {
  for (const warning of settings.origin.warnings) logger.warn(warning)
  const home = new Home(settings.home)
  const started: Service[] = []
  const stopping = new AbortController()
  const stop = async () => {
    stopping.abort()
    for (const service of started.splice(0).reverse())
      await service.stop().catch((error: unknown) => logger.error('A part did not stop as it should', { error }))
  }
  started.push({ start: async () => {}, stop: async () => home.release() })
  try {
    const db = new Database(home.folder('platform.sqlite'))
    started.push({ start: async () => {}, stop: async () => db.close() })
    const server = new Server()
    started.push({ start: async () => {}, stop: () => server.close() })
    const endpoint = await server.listen(settings.port)

    const users = new SqliteUserStore(db)
    const { newPassword } = await ensureAdmin(users, settings.adminPassword)
    const tokens = new Tokens(home.signingKey(), clock, new SqliteRevokedTokenStore(db))
    const events = new Events(clock, (error) => logger.error('A subscriber of the events failed', { error }))
    const recorder = { eventLog: new SqliteEventLog(db), clock }
    const ground: Ground = {
      version: VERSION,
      settings,
      home,
      db,
      clock,
      events,
      tokens,
      recorder,
      logger,
      endpoint,
      stopping: stopping.signal,
    }

    const secrets = composeSecrets(ground)
    const builds = composeBuilds(ground, secrets.forTasks.mask)
    const services = composeServices(ground)
    const data = composeData(ground)
    const parts: Part[] = [
      services.ingress,
      {
        doors: [healthDoor({ version: VERSION }), accountsDoor({ users, tokens, project: settings.project, recorder })],
        lives: { user: livesOfUsers(users) },
      },
      // First to start, so that it misses nothing that the others tell.
      composeRefreshes(ground),
      secrets,
      composeModels(ground),
      composeLibraries(ground),
      composeBuckets(ground, builds.virtualObjects),
      services,
      composeImages(ground),
      data,
      builds,
      composeScheduling(ground, secrets),
      composeWeb(),
    ]
    const byPassword = async (name: string, password: string) => principalOf(await logIn(users, name, password))
    const lives = new LivesByKind(Object.assign({}, ...parts.map((part) => part.lives)))
    const byToken = async (token: string) => requireAlive(await tokens.verify(token), lives)
    const routes = server.open(
      { byToken, byPassword },
      parts.flatMap((part) => part.doors),
    )
    await seed({ ground, pushes: builds.pushes, variables: secrets.variables, connections: secrets.connections })
    for (const service of parts.flatMap((part) => part.services ?? [])) {
      started.push(service)
      await service.start()
    }
    home.publish(endpoint)
    const admin = principal('user:admin', ROLE_PERMISSIONS.admin)
    const adminToken = () => tokens.issue(admin, COMMAND_TOKEN_SECONDS)
    return { endpoint, warehouse: data.warehouse, routes, tokens, newPassword, adminToken, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
