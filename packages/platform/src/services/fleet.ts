/** The revisions that run: started, watched, restarted when they crash, drained when others take over. */
import { readFile } from 'node:fs/promises'
import { AppError, messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import type { Logger } from '../core/logger.ts'
import { type Principal, principal, REVISION_PERMISSIONS } from '../core/principal.ts'
import { waitUntilReady } from './readiness.ts'
import { moveRevision, type Revision, type RevisionDriver, type RevisionState, type RunningRevision } from './revision.ts'
import type { RevisionStore } from './service.ts'

/** Signs what a revision shows to the platform's doors. */
interface RevisionTokens {
  issue(who: Principal, seconds: number): Promise<string>
}

export interface FleetOptions {
  readonly driver: RevisionDriver
  readonly revisions: RevisionStore
  readonly tokens: RevisionTokens
  /** The platform's address, for the revision's MLflow client. */
  readonly endpoint: string
  readonly events: Events
  readonly clock: Clock
  readonly logger: Logger
}

/** The right to send one request to a revision; `release` it when the answer has ended. */
export interface Lease {
  readonly revision: string
  readonly running: RunningRevision
  release(): void
}

interface Instance {
  phase: 'starting' | 'ready' | 'draining' | 'stopping'
  running: RunningRevision | null
  inFlight: number
  /** Called when the last request has ended. */
  onIdle: () => void
  readonly abort: AbortController
  /** Settles when it is ready or has failed. */
  started: Promise<void>
  /** Resolves when it has been stopped and its state says so. */
  retired: Promise<void>
}

const TOKEN_SECONDS = 30 * 86_400
const STOP_GRACE_MS = 10_000
const MAX_BACKOFF_MS = 60_000
const LOG_LINES = 12

export class Fleet {
  #options: FleetOptions
  #instances = new Map<string, Instance>()
  /** Revisions that are to run, so that a crash restarts them; each with the mark of the one loop that watches it. */
  #kept = new Map<string, symbol>()
  /** Revisions whose files are being removed: a start waits for the end of it. */
  #unloading = new Map<string, Promise<void>>()
  #closing = new AbortController()

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Starts the revision unless it runs, and resolves when it is ready. Throws `unavailable`, with its last words, when that does not happen. */
  async ensureReady(name: string, signal: AbortSignal): Promise<void> {
    const instance = this.#instances.get(name)
    if (instance?.phase === 'ready') return
    if (instance?.phase === 'draining') {
      instance.phase = 'ready'
      await this.#mark(name, 'ready')
      return
    }
    if (instance?.phase === 'starting') return instance.started
    if (!instance) return this.#start(name, signal)
    // What ends must have ended, and have said so, before it starts again. Others may wait for the same.
    await instance.started.catch(() => {})
    await instance.running?.exited
    await instance.retired
    return this.ensureReady(name, signal)
  }

  /** Runs the revision until it is retired: what crashes or cannot start is started again, after 1 s, 2 s, 4 s … 60 s. */
  keep(name: string): void {
    if (this.#kept.has(name)) return
    const mark = Symbol(name)
    this.#kept.set(name, mark)
    void this.#keepRunning(name, () => this.#kept.get(name) === mark && !this.#closing.signal.aborted)
  }

  /** The right to send a request to the revision; null when it is not ready. */
  acquire(name: string): Lease | null {
    const instance = this.#instances.get(name)
    if (!instance?.running || (instance.phase !== 'ready' && instance.phase !== 'draining')) return null
    instance.inFlight++
    let isReleased = false
    const release = () => {
      if (isReleased) return
      isReleased = true
      if (--instance.inFlight === 0) instance.onIdle()
    }
    return { revision: name, running: instance.running, release }
  }

  /** Lets the revision finish its requests, for `drainMs` at most, and stops it. */
  async retire(name: string, drainMs: number): Promise<void> {
    this.#kept.delete(name)
    const instance = this.#instances.get(name)
    if (!instance) return this.#settle(name)
    if (instance.phase === 'starting') {
      instance.abort.abort()
      await instance.started.catch(() => {})
      return
    }
    if (instance.phase !== 'ready') return
    instance.phase = 'draining'
    await this.#mark(name, 'draining')
    if (instance.inFlight > 0) await this.#idle(instance, drainMs)
    // A rollback may have taken it back meanwhile.
    if (instance.phase !== 'draining') return
    instance.phase = 'stopping'
    instance.retired = this.#end(name, instance)
    await instance.retired
  }

  /** Removes the files of the revision unless it runs or is to run; its next start fetches them again. */
  async unload(name: string): Promise<void> {
    if (this.#instances.has(name) || this.#kept.has(name)) return
    const unloaded = this.#options.driver.unload(name).finally(() => this.#unloading.delete(name))
    this.#unloading.set(name, unloaded)
    await unloaded
  }

  /** Stops everything; states stay as they are, so that the next start runs the same revisions. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#kept.clear()
    await Promise.all(
      [...this.#instances.values()].map(async (instance) => {
        instance.phase = 'stopping'
        instance.abort.abort()
        await instance.started.catch(() => {})
        await instance.running?.stop(STOP_GRACE_MS)
      }),
    )
  }

  async #keepRunning(name: string, isKept: () => boolean): Promise<void> {
    const { clock, logger } = this.#options
    const { signal } = this.#closing
    let backoffMs = 1000
    while (isKept()) {
      const startedAt = clock.now().getTime()
      try {
        await this.ensureReady(name, signal)
        const instance = this.#instances.get(name)
        const how = await instance?.running?.exited
        if (!isKept()) return
        logger.warn(`Revision ${name} ended (${how}); it is started again.`)
      } catch (error) {
        if (!isKept()) return
        logger.error(`Revision ${name} could not be started: ${messageOf(error)}`)
      }
      if (clock.now().getTime() - startedAt > MAX_BACKOFF_MS) backoffMs = 1000
      await clock.sleep(backoffMs, signal)
      backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)
    }
  }

  #start(name: string, signal: AbortSignal): Promise<void> {
    const abort = new AbortController()
    const instance: Instance = {
      ...{ phase: 'starting', running: null, inFlight: 0, onIdle: () => {}, abort },
      ...{ started: Promise.resolve(), retired: Promise.resolve() },
    }
    this.#instances.set(name, instance)
    instance.started = this.#launch(name, instance, AbortSignal.any([signal, abort.signal, this.#closing.signal]))
    return instance.started
  }

  async #launch(name: string, instance: Instance, signal: AbortSignal): Promise<void> {
    const { driver, clock } = this.#options
    try {
      const revision = await this.#mark(name, 'deploying')
      await this.#unloading.get(name)?.catch(() => {})
      const running = await driver.start({ revision, environment: await this.#environment(revision) }, signal)
      instance.running = running
      void running.exited.then(() => this.#instances.get(name) === instance && this.#instances.delete(name))
      await waitUntilReady(running, revision.template.probe, clock, signal)
      instance.phase = 'ready'
      await this.#mark(name, 'ready')
    } catch (error) {
      instance.phase = 'stopping'
      await instance.running?.stop(STOP_GRACE_MS)
      if (this.#instances.get(name) === instance) this.#instances.delete(name)
      if (signal.aborted) {
        if (!this.#closing.signal.aborted) await this.#mark(name, 'retired')
        throw new AppError('conflict', `Revision "${name}" was stopped before it was ready.`)
      }
      const reason = messageOf(error)
      const detail = `Revision "${name}" is not ready: ${reason}. ${await this.#lastWords(name)}`
      await this.#mark(name, 'failed', detail)
      throw new AppError('unavailable', detail, { cause: error })
    }
  }

  async #end(name: string, { running }: Instance): Promise<void> {
    await running?.stop(STOP_GRACE_MS)
    await this.#mark(name, 'retired')
  }

  async #environment({ name, service, template }: Revision): Promise<Record<string, string>> {
    const { tokens, endpoint } = this.#options
    const tracking = template.env.MLFLOW_TRACKING_URI ?? endpoint
    // Somebody else's MLflow server must not see a token of this platform.
    const token: Record<string, string> = isSameServer(tracking, endpoint)
      ? { MLFLOW_TRACKING_TOKEN: await tokens.issue(principal(`revision:${service}/${name}`, REVISION_PERMISSIONS), TOKEN_SECONDS) }
      : {}
    return { MLFLOW_TRACKING_URI: tracking, ...token, ...template.env, K_SERVICE: service, K_REVISION: name, K_CONFIGURATION: service }
  }

  async #lastWords(name: string): Promise<string> {
    const log = await readFile(this.#options.driver.logFile(name), 'utf8').catch(() => '')
    const lines = log.trimEnd().split('\n').slice(-LOG_LINES)
    return log.trim() === ''
      ? 'It wrote nothing to its log. Start its command by hand with PORT set to see why.'
      : `Mend what its log says and deploy again. The last lines of its log:\n${lines.join('\n')}`
  }

  async #mark(name: string, state: RevisionState, detail: string | null = null): Promise<Revision> {
    const { revisions, events, clock } = this.#options
    const revision = await revisions.find(name)
    if (!revision) throw new AppError('not_found', `Revision "${name}" has been deleted.`)
    const moved = moveRevision(revision, state, detail, clock.now())
    await revisions.save(moved)
    if (moved.state !== revision.state || state === 'deploying')
      events.emit('revision.changed', revision.createdBy, {
        ...{ service: revision.service, revision: name, state, image: revision.template.image, detail },
      })
    return moved
  }

  /** A revision that does not run, although its state says so, is retired. */
  async #settle(name: string): Promise<void> {
    const revision = await this.#options.revisions.find(name)
    if (revision && ['ready', 'draining', 'deploying'].includes(revision.state)) await this.#mark(name, 'retired')
  }

  async #idle(instance: Instance, limitMs: number): Promise<void> {
    const enough = new AbortController()
    instance.onIdle = () => enough.abort()
    await this.#options.clock.sleep(limitMs, AbortSignal.any([enough.signal, this.#closing.signal]))
    instance.onIdle = () => {}
  }
}

function isSameServer(uri: string, endpoint: string): boolean {
  if (!URL.canParse(uri)) return false
  const [one, other] = [new URL(uri), new URL(endpoint)]
  const host = ({ hostname }: URL) => (hostname === 'localhost' ? '127.0.0.1' : hostname)
  return host(one) === host(other) && one.port === other.port && one.protocol === other.protocol
}
