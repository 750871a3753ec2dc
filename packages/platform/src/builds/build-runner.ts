/** The queue of builds: starts them in order, no more at once than allowed, cancels them, and picks up after a restart. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import type { Logger } from '../core/logger.ts'
import { BUILD_PERMISSIONS, type Principal, principal } from '../core/principal.ts'
import type { Service } from '../core/service.ts'
import { type Build, type BuildStore, isFinished, moveTo, revisionOf, stepName } from './build.ts'
import { BuildEnded, executeBuild, PlatformStopped, timeoutMsOf } from './build-execution.ts'
import type { BuildLog } from './build-log.ts'
import { parseDuration } from './duration.ts'
import { DEFAULT_QUEUE_TTL_MS } from './limits.ts'
import type { StepDriver } from './step-driver.ts'

/** What the builds room needs of accounts. */
interface BuildTokenIssuer {
  issue(who: Principal, seconds: number): Promise<string>
}

export interface BuildRunnerOptions {
  readonly store: BuildStore
  readonly driver: StepDriver
  readonly log: BuildLog
  readonly tokens: BuildTokenIssuer
  readonly events: Events
  readonly clock: Clock
  readonly logger: Logger
  /** How many builds run at once. A build that another running build has started does not count: the other may wait for it. */
  readonly concurrency?: number
  /** Hides secrets in a line of a log. */
  readonly mask?: (text: string) => string
}

const POLL_MS = 15_000

export class BuildRunner implements Service {
  #options: BuildRunnerOptions
  #running = new Map<string, { build: Build; cancellation: AbortController; done: Promise<void> }>()
  #stopping = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #turn: Promise<void> = Promise.resolve()
  #waiters = new Map<string, Set<() => void>>()

  constructor(options: BuildRunnerOptions) {
    this.#options = options
  }

  /** Builds that ran when the platform died end as INTERNAL_ERROR: their steps may have had effects, so only people or DAGs repeat them. Queued ones run. */
  async start(): Promise<void> {
    const { store, driver, log } = this.#options
    for (const build of await store.list({ statuses: ['WORKING'], limit: 1000 })) {
      await driver.recover(build)
      for (const step of build.steps) if (step.status === 'WORKING') moveTo(step, 'INTERNAL_ERROR')
      const detail = 'The platform went down while this build ran. Run it again.'
      log.append(build.id, `INTERNAL_ERROR\nERROR: ${detail}\n`)
      await this.#finish(build, new BuildEnded('INTERNAL_ERROR', detail))
    }
    this.#loop = this.#poll()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const { cancellation } of this.#running.values()) cancellation.abort(new PlatformStopped())
    await Promise.all([this.#loop, this.#turn, ...[...this.#running.values()].map(({ done }) => done)])
  }

  /** Keeps a new build and starts it when its turn comes. A build that is finished already (its file was bad) is only kept and told. */
  async submit(build: Build): Promise<void> {
    await this.#options.store.create(build)
    this.#tell(build)
    if (isFinished(build.status)) {
      this.#options.log.append(build.id, `starting build "${build.id}"\n\nERROR\nERROR: ${build.statusDetail}\n`)
      await this.#close(build)
    } else this.startQueued()
  }

  /** Ends a build that has not finished; a running one ends a moment later. */
  async cancel(id: string): Promise<void> {
    // Within the queue's turn, so that it cannot start while it is being cancelled.
    const turn = this.#turn.then(async () => {
      const running = this.#running.get(id)
      if (running) return running.cancellation.abort()
      const build = await this.#options.store.find(id)
      if (build?.status === 'QUEUED') await this.#finish(build, new BuildEnded('CANCELLED', 'Build was cancelled.'))
    })
    this.#turn = turn.catch(() => {})
    await turn
  }

  /** The build as it is in memory while it runs, which may be newer than what is stored. */
  running(id: string): Build | null {
    return this.#running.get(id)?.build ?? null
  }

  /** Whether this process runs the build: not before its turn, nor once its status is final, nor after a crash. */
  isRunning(id: string): boolean {
    const build = this.#running.get(id)?.build
    return build !== undefined && !isFinished(build.status)
  }

  /** Resolves when the build is over, or `signal` aborts. */
  async finished(id: string, signal?: AbortSignal): Promise<void> {
    const build = this.running(id) ?? (await this.#options.store.find(id))
    if (!build || isFinished(build.status) || signal?.aborted) return
    await new Promise<void>((resolve) => {
      const waiters = this.#waiters.get(id) ?? new Set()
      this.#waiters.set(id, waiters.add(resolve))
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** One turn of the queue, never two at once. */
  startQueued(): void {
    this.#turn = this.#turn.then(() => this.#startWhatMay()).catch((error: unknown) => this.#options.logger.error(messageOf(error)))
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.startQueued()
      await this.#options.clock.sleep(POLL_MS, this.#stopping.signal)
    }
  }

  async #startWhatMay(): Promise<void> {
    const { store, clock, concurrency = 2 } = this.#options
    const queued = await store.list({ statuses: ['QUEUED'], limit: 1000 })
    for (const build of queued.reverse()) {
      if (this.#stopping.signal.aborted) return
      if (this.#running.has(build.id)) continue
      const ttl = parseDuration(build.queueTtl ?? '') ?? DEFAULT_QUEUE_TTL_MS
      const isNested = this.#isNested(build)
      if (clock.now().getTime() - Date.parse(build.createTime) > ttl)
        await this.#finish(build, new BuildEnded('EXPIRED', `Waited longer than ${ttl / 1000} seconds in the queue.`))
      else if (isNested || this.#topLevel() < concurrency) this.#run(build)
    }
  }

  #topLevel = (): number => [...this.#running.values()].filter(({ build }) => !this.#isNested(build)).length

  #isNested({ createdBy }: Build): boolean {
    return createdBy.startsWith('build:') && this.#running.has(createdBy.slice('build:'.length))
  }

  #run(build: Build): void {
    const cancellation = new AbortController()
    const done = this.#execute(build, cancellation.signal)
      .catch((error: unknown) => this.#options.logger.error(`Build ${build.id} could not be run to its end: ${messageOf(error)}`))
      .finally(() => {
        this.#running.delete(build.id)
        this.startQueued()
      })
    this.#running.set(build.id, { build, cancellation, done })
  }

  async #execute(build: Build, cancellation: AbortSignal): Promise<void> {
    const { driver, log, tokens, clock } = this.#options
    moveTo(build, 'WORKING')
    build.startTime = clock.now().toISOString()
    await this.#changed(build)
    let end: BuildEnded | null
    const token = await tokens.issue(principal(`build:${build.id}`, BUILD_PERMISSIONS), Math.ceil(timeoutMsOf(build) / 1000) + 60)
    try {
      end = await executeBuild(build, {
        driver,
        clock,
        token,
        cancellation,
        log: (line) => log.append(build.id, `${this.#masked(line, token)}\n`),
        changed: () => this.#changed(build),
      })
    } finally {
      await driver
        .release(build)
        .catch((error: unknown) => this.#options.logger.warn(`Cannot tidy up after build ${build.id}: ${messageOf(error)}`))
    }
    await this.#finish(build, end, token)
  }

  /** The log is complete before the build is over: who reads to the end after that misses nothing. */
  async #finish(build: Build, end: BuildEnded | null, token = ''): Promise<void> {
    const { log, clock } = this.#options
    await log.flush(build.id)
    moveTo(build, end?.status ?? 'SUCCESS')
    build.finishTime = clock.now().toISOString()
    if (end) {
      build.statusDetail = this.#masked(end.message, token)
      const detail = end.reason === null ? build.statusDetail : `${build.statusDetail}: ${this.#masked(end.reason, token)}`
      if (end.failureType !== null) build.failureInfo = { type: end.failureType, detail }
    }
    await this.#changed(build)
    await this.#close(build)
  }

  #masked(text: string, token: string): string {
    const { mask = (unmasked) => unmasked } = this.#options
    return mask(token === '' ? text : text.replaceAll(token, '****'))
  }

  async #close(build: Build): Promise<void> {
    for (const wake of this.#waiters.get(build.id) ?? []) wake()
    this.#waiters.delete(build.id)
    await this.#options.log
      .close(build)
      .catch((error: unknown) => this.#options.logger.warn(`Cannot keep the log of build ${build.id} in its bucket: ${messageOf(error)}`))
  }

  async #changed(build: Build): Promise<void> {
    await this.#options.store.update(build)
    this.#tell(build)
  }

  #tell(build: Build): void {
    this.#options.events.emit('build.changed', build.createdBy, {
      buildId: build.id,
      status: build.status,
      detail: build.failureInfo?.detail ?? build.statusDetail ?? null,
      ...revisionOf(build),
      trigger: build.triggerName ?? null,
      createdAt: build.createTime,
      startedAt: build.startTime ?? null,
      finishedAt: build.finishTime ?? null,
      steps: build.steps.map((step, index) => ({
        id: step.id ?? stepName(step, index),
        status: step.status,
        startedAt: step.timing?.startTime ?? null,
        finishedAt: step.timing?.endTime ?? null,
      })),
    })
  }
}
