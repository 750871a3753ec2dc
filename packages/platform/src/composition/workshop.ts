/** A workshop without a platform: the DAGs folder read into memory, and workers whose tasks are heard and not recorded. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DagFolder } from '../adapters/process/dag-folder.ts'
import { WorkerPool } from '../adapters/process/worker-pool.ts'
import { SqliteConnectionStore } from '../adapters/sqlite/connection.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqlitePoolStore } from '../adapters/sqlite/pool.ts'
import { SqliteVariableStore } from '../adapters/sqlite/variable.ts'
import { SqliteXComStore } from '../adapters/sqlite/xcom.ts'
import { AppError, didYouMean } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { Events } from '../core/events.ts'
import { TASK_PERMISSIONS } from '../core/principal.ts'
import type { TaskLogs, TryOfTask } from '../execution/task-log.ts'
import type { DagRecord } from '../scheduling/dag.ts'
import type { Pool } from '../scheduling/pool.ts'
import { Fernet, newFernetKey } from '../secrets/fernet.ts'
import { Masker, setSensitiveNames } from '../secrets/masking.ts'
import type { Settings } from '../settings.ts'
import { localAccess } from './local-access.ts'
import { dagFolderOptions, workerPoolOptions } from './scheduling-settings.ts'
import { taskSecrets } from './secrets.ts'
import { WorkshopPlatform } from './workshop-platform.ts'

export interface WorkshopOptions {
  readonly settings: Settings
  readonly onLine: (line: string) => void
  /** Added to the environment of the tasks. */
  readonly environment?: Readonly<Record<string, string>>
}

export class Workshop {
  readonly #options: WorkshopOptions
  /** Of the run alone. */
  readonly db = new Database(':memory:')
  readonly events = new Events(systemClock)
  readonly xcoms = new SqliteXComStore(this.db)
  readonly #compileCache = mkdtempSync(join(tmpdir(), 'daggerboard-workshop-'))
  readonly #home: Database | null
  readonly pool: WorkerPool
  /** Hides the secrets that its tasks have been given. */
  readonly mask: (text: string) => string

  private constructor(options: WorkshopOptions, endpoint: string, token: (() => Promise<string>) | null) {
    this.#options = options
    const { settings, environment = {} } = options
    const kept = join(settings.home, 'platform.sqlite')
    this.#home = existsSync(kept) ? new Database(kept) : null
    const store = this.#home ?? this.db
    const key = settings.fernetKey || (this.#home ? readFileSync(join(settings.home, 'keys', 'fernet.key'), 'utf8').trim() : newFernetKey())
    const fernet = new Fernet(key, systemClock)
    const tokens = { issue: async () => (token ? token() : noPlatform(settings.home)) }
    const variables = new SqliteVariableStore(store, fernet)
    const connections = new SqliteConnectionStore(store, fernet)
    setSensitiveNames({ names: settings.sensitiveNames, hidesFields: settings.hidesSensitiveFields })
    const masker = new Masker({ contentPatterns: settings.masksSecretPatterns })
    const secrets = taskSecrets({ tokens, endpoint }, variables, connections, masker)
    this.mask = secrets.mask
    const limits = workerPoolOptions(settings, this.#compileCache)
    this.pool = new WorkerPool({
      ...limits,
      environment: { ...limits.environment, ...environment },
      folder: settings.dagsFolder,
      secrets,
      xcoms: this.xcoms,
      logs: spokenLogs(options.onLine, secrets.mask),
      clock: systemClock,
      platform: new WorkshopPlatform(this.db, this.#home),
    })
  }

  /** Connections to the platform itself lead to the one that runs in the home, if one does; there its tasks may do what tasks may, and no more. */
  static async open(options: WorkshopOptions): Promise<Workshop> {
    const access = await localAccess(options.settings.home, TASK_PERMISSIONS)
    return new Workshop(options, access?.endpoint ?? '', access && (() => access.token()))
  }

  /** Reads the DAGs folder; throws `not_found` with what cannot be read in it. */
  async read(dagId: string): Promise<DagRecord> {
    const { settings } = this.#options
    const dags = new SqliteDagStore(new Database(':memory:'))
    const folder = new DagFolder({
      ...dagFolderOptions(settings),
      ...{ folder: settings.dagsFolder, dags, clock: systemClock, events: this.events, compileCache: this.#compileCache },
    })
    try {
      await folder.start()
      const found = await dags.find(dagId)
      if (found && !found.hasImportErrors) return found
      const problems = (await dags.importErrors()).map(({ file, line, message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`)
      const known = (await dags.list()).map((dag) => dag.dagId)
      throw new AppError('not_found', `There is no DAG "${dagId}" in ${settings.dagsFolder}.${didYouMean(dagId, known)}`, { problems })
    } finally {
      await folder.stop()
    }
  }

  /** Those of the platform in the home; none without one. */
  async pools(): Promise<readonly Pool[]> {
    return this.#home ? new SqlitePoolStore(this.#home, this.#options.settings.defaultPoolSlots).list() : []
  }

  async close(): Promise<void> {
    await this.pool.stop()
    this.#home?.close()
    this.db.close()
    rmSync(this.#compileCache, { recursive: true, force: true })
  }
}

function noPlatform(home: string): never {
  throw new AppError(
    'unavailable',
    `The connection leads to the platform itself, and none runs in ${home}. Start one, or give the connection another place.`,
  )
}

/** Whole lines, each with the task that wrote it. */
function spokenLogs(onLine: (line: string) => void, mask: (text: string) => string): TaskLogs {
  const name = ({ taskId, mapIndex = -1 }: TryOfTask) => (mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`)
  return {
    open(of) {
      let rest = ''
      const speak = (line: string) => onLine(`[${name(of)}] ${mask(line)}`)
      return {
        write(text) {
          const lines = (rest + text).split('\n')
          rest = lines.pop() ?? ''
          lines.forEach(speak)
        },
        close() {
          if (rest !== '') speak(rest)
          rest = ''
        },
      }
    },
    read: async () => null,
    readFrom: async () => null,
    async *tail() {},
    delete: async () => {},
  }
}
