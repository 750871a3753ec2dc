/** DuckDB in a process of its own: a crash of native code, or a query that eats all memory, hurts only that process. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'

export type EngineRequest =
  | { id: number; kind: 'open'; path: string; config: Record<string, string>; setup: readonly string[] }
  | { id: number; kind: 'run'; session: string; sql: string; values: readonly unknown[] }
  | { id: number; kind: 'interrupt'; session: string }
  | { kind: 'close'; session: string }

export type EngineReply =
  | { id: number; kind: 'rows'; rows: Record<string, unknown>[] }
  | { id: number; kind: 'progress'; fraction: number }
  | { id: number; kind: 'error'; message: string }

export interface EngineOptions {
  /** What messages call this engine: `The warehouse`, `The engine of cluster "x"`. */
  readonly name: string
  readonly clock: Clock
  /** A database file, or `:memory:`. */
  readonly path?: string
  readonly threads?: number
  readonly memoryMegabytes?: number
  /** Where the engine spills what does not fit into memory. */
  readonly temporaryDirectory?: string
  /** Further settings of DuckDB, set before anything runs. */
  readonly config?: Readonly<Record<string, string>>
  /** Statements that run once when the process opens the database. */
  readonly setup?: readonly string[]
  /**
   * Ends the process after so long without work; the next `run` starts it again. `null`: it lives until `stop`. By default a file's engine ends after a
   * minute, and one in memory lives.
   */
  readonly idleMilliseconds?: number | null
  /** Told when the process ended without being asked to. */
  readonly onCrash?: (reason: string) => void
}

export interface RunOptions {
  readonly values?: readonly unknown[]
  /** Statements of one session share a connection: temporary views and transactions are its own. */
  readonly session?: string
  readonly signal?: AbortSignal
  /** Told the done fraction (0 to 1) of a long statement now and then. */
  readonly onProgress?: (fraction: number) => void
}

interface Pending {
  resolve(rows: Record<string, unknown>[]): void
  reject(error: unknown): void
  onProgress: ((fraction: number) => void) | undefined
}

const IDLE_MS = 60_000
const OPEN_ATTEMPTS = 40
const OPEN_RETRY_MS = 250

export class EngineProcess {
  #options: EngineOptions
  #child: ChildProcess | undefined
  #opened: Promise<void> | undefined
  #pending = new Map<number, Pending>()
  #lastId = 0
  #idle = new AbortController()

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** Undefined while no process runs. */
  get processId(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process if it is not running, and opens the database. `run` does so by itself. */
  async start(): Promise<void> {
    this.#opened ??= this.#open()
    await this.#opened
  }

  /**
   * Runs one statement and answers its rows. Throws `invalid` with the engine's words when the statement fails, `unavailable` when the process
   * died, and the signal's reason when it was aborted (the statement is then interrupted).
   */
  async run<T = Record<string, unknown>>(
    sql: string,
    { values = [], session = 'main', signal, onProgress }: RunOptions = {},
  ): Promise<T[]> {
    signal?.throwIfAborted()
    this.#idle.abort()
    await this.start()
    let id = 0
    const interrupt = () => this.#child?.connected && this.#child.send({ id, kind: 'interrupt', session } satisfies EngineRequest)
    signal?.addEventListener('abort', interrupt, { once: true })
    try {
      signal?.throwIfAborted()
      const asked = this.#ask((own) => {
        id = own
        return { id, kind: 'run', session, sql, values }
      }, onProgress)
      return (await asked) as T[]
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', interrupt)
      if (this.#pending.size === 0) void this.#endWhenIdle()
    }
  }

  /** Forgets a session with its temporary views. */
  closeSession(session: string): void {
    if (this.#child?.connected) this.#child.send({ kind: 'close', session } satisfies EngineRequest)
  }

  /** Kills the process. What was asked and is not answered fails with `unavailable`. */
  async stop(): Promise<void> {
    this.#idle.abort()
    const child = this.#child
    if (!child) return
    this.#forget(child, `${this.#options.name} was stopped.`)
    const exited = new Promise((resolve) => child.once('exit', resolve))
    killGroup(child)
    await exited
  }

  async #open(): Promise<void> {
    const { path = ':memory:', threads = 2, memoryMegabytes = 1024, temporaryDirectory, config, setup = [], clock } = this.#options
    const settings = {
      threads: String(threads),
      memory_limit: `${memoryMegabytes}MB`,
      ...(temporaryDirectory ? { temp_directory: temporaryDirectory } : {}),
      ...config,
    }
    for (let attempt = 1; ; attempt++) {
      this.#spawn()
      try {
        await this.#ask((id) => ({ id, kind: 'open', path, config: settings, setup }))
        return
      } catch (error) {
        await this.stop()
        // After a crash of the platform the old process needs a moment to notice and let go of the file.
        if (attempt === OPEN_ATTEMPTS || !/lock/i.test(String(error))) throw error
        await clock.sleep(OPEN_RETRY_MS)
      }
    }
  }

  #spawn(): void {
    const child = fork(fileURLToPath(new URL('./engine.ts', import.meta.url)), [], {
      serialization: 'advanced',
      detached: true,
      execArgv: [],
      // Nothing of the platform's own environment: no secrets, and UTC whatever the machine's zone is.
      env: { TZ: 'UTC', PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    child.on('message', (reply: EngineReply) => this.#settle(reply))
    child.on('error', () => {})
    child.on('exit', (code, signal) => {
      if (this.#child !== child) return
      const reason = `${this.#options.name} ended unexpectedly (${signal ? `signal ${signal}` : `status ${code}`}). Run the work again; if it ends again, give it more memory.`
      this.#forget(child, reason)
      this.#options.onCrash?.(reason)
    })
  }

  #ask(request: (id: number) => EngineRequest, onProgress?: (fraction: number) => void): Promise<Record<string, unknown>[]> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#pending.set(id, { resolve, reject, onProgress })
      this.#child?.send(request(id), (error) => {
        if (error && this.#pending.delete(id))
          reject(new AppError('unavailable', `${this.#options.name} does not answer.`, { cause: error }))
      })
    })
  }

  #settle(reply: EngineReply): void {
    const pending = this.#pending.get(reply.id)
    if (!pending) return
    if (reply.kind === 'progress') {
      pending.onProgress?.(reply.fraction)
      return
    }
    this.#pending.delete(reply.id)
    if (reply.kind === 'rows') pending.resolve(reply.rows)
    else pending.reject(new AppError('invalid', reply.message))
  }

  #forget(child: ChildProcess, reason: string): void {
    if (this.#child === child) {
      this.#child = undefined
      this.#opened = undefined
    }
    const error = new AppError('unavailable', reason)
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }

  async #endWhenIdle(): Promise<void> {
    const { path = ':memory:', idleMilliseconds = path === ':memory:' ? null : IDLE_MS, clock } = this.#options
    if (idleMilliseconds === null) return
    this.#idle.abort()
    const idle = new AbortController()
    this.#idle = idle
    await clock.sleep(idleMilliseconds, idle.signal)
    if (!idle.signal.aborted && this.#pending.size === 0) await this.stop()
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}
