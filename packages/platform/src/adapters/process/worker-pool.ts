/** Runs tasks in warm worker processes: one task at a time in each, started when needed, ended when idle. */
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { principal, TASK_PERMISSIONS } from '../../core/principal.ts'
import { taskSubject } from '../../execution/task-facts.ts'
import type { TaskLogs } from '../../execution/task-log.ts'
import type { TaskSecrets } from '../../execution/task-secrets.ts'
import type { Question, TaskOutcome } from '../../execution/worker-protocol.ts'
import type { Attempt, AttemptResult, TaskRunner } from '../../scheduling/task-runner.ts'
import type { XComStore } from '../../scheduling/xcom.ts'
import { maskFields } from '../../secrets/masking.ts'
import { WorkerProcess } from './worker-process.ts'

export interface WorkerPoolOptions {
  /** The DAGs folder. */
  readonly folder: string
  readonly secrets: TaskSecrets
  readonly xcoms: XComStore
  readonly logs: TaskLogs
  readonly clock: Clock
  /** How many tasks may run at the same time. */
  readonly workers?: number
  /** A worker that has had nothing to do for so long is ended. */
  readonly idleMs?: number
  /** How long a task may take to end by itself once it is told to. */
  readonly graceMs?: number
  /** Added to the environment of the workers. */
  readonly environment?: Readonly<Record<string, string>>
}

const DEFAULT_WORKERS = 8
const DEFAULT_IDLE_MS = 60_000
const DEFAULT_GRACE_MS = 5_000

export class WorkerPool implements TaskRunner {
  readonly #options: WorkerPoolOptions
  readonly #all = new Set<WorkerProcess>()
  /** The one that ran last stands last. */
  #idle: { readonly worker: WorkerProcess; readonly timer: NodeJS.Timeout }[] = []
  /** Tries that wait for one of those that run to end, the longest first. */
  readonly #waiting = new Set<() => void>()
  /** What the tries that run act as. */
  readonly #subjects = new Set<string>()
  #busy = 0
  #isStopped = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /** The processes that are there now. */
  get size(): number {
    return this.#all.size
  }

  /** Whether a try runs here, by the subject that it acts as. A cancelled one still does while it tidies up. */
  isRunning(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  async run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult> {
    if (!(await this.#slot(signal))) return CANCELLED
    try {
      return await this.#runLogged(attempt, signal, onStart)
    } finally {
      this.#busy -= 1
      this.#wakeNext()
    }
  }

  wait(): Promise<unknown> {
    return Promise.reject(new Error('Deferred tasks are not run yet.'))
  }

  call(): Promise<void> {
    return Promise.reject(new Error('Callbacks are not run yet.'))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const worker of this.#all) worker.kill()
    this.#all.clear()
    for (const { timer } of this.#idle) clearTimeout(timer)
    this.#idle = []
    while (this.#waiting.size > 0) this.#wakeNext()
  }

  /** Throws when there can be no log: nothing has been started then. */
  async #runLogged(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult> {
    const log = this.#options.logs.open(attempt)
    const worker = this.#take(join(this.#options.folder, attempt.file))
    const subject = taskSubject(attempt)
    this.#subjects.add(subject)
    try {
      onStart()
      log.write(`Try ${attempt.tryNumber} of task "${attempt.taskId}" begins in worker ${worker.pid ?? '?'}.\n`)
      let isWithinLine = false
      const onLog = (text: string) => {
        isWithinLine = !text.endsWith('\n')
        log.write(text)
      }
      const outcome = this.#masked(await this.#runIn(worker, attempt, signal, onLog))
      log.write(
        `${isWithinLine ? '\n' : ''}The task has ended as ${outcome.state}${outcome.state === 'success' ? '.' : `: ${outcome.detail}`}\n`,
      )
      return outcome
    } finally {
      this.#subjects.delete(subject)
      await log.close()
      this.#free(worker)
    }
  }

  /** After a cancellation or a timeout the whole process tree goes, whatever state the task has left it in. */
  async #runIn(worker: WorkerProcess, attempt: Attempt, signal: AbortSignal, onLog: (text: string) => void): Promise<TaskOutcome> {
    const { clock, graceMs = DEFAULT_GRACE_MS } = this.#options
    const limit = attempt.task.executionTimeoutSeconds
    const over = new AbortController()
    let ended: TaskOutcome | null = null
    const end = (reason: string, outcome: TaskOutcome) => {
      if (ended) return
      ended = outcome
      worker.abort(reason)
      void clock.sleep(graceMs, over.signal).then(() => worker.kill())
    }
    const onAbort = () => end('The task was cancelled.', CANCELLED)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    if (limit !== null) {
      const detail = `The task ran longer than its executionTimeout of ${limit} s.`
      void clock.sleep(limit * 1000, over.signal).then(() => {
        if (!over.signal.aborted) end(detail, { state: 'failed', detail, isFinal: false, renderedFields: null })
      })
    }
    const outcome = await worker.run(join(this.#options.folder, attempt.file), attempt, {
      onLog,
      answer: (question) => this.#answer(attempt, question),
    })
    over.abort()
    signal.removeEventListener('abort', onAbort)
    return ended ?? outcome
  }

  async #answer(attempt: Attempt, question: Question): Promise<unknown> {
    const { secrets, xcoms, clock } = this.#options
    const { dagId, runId, taskId } = attempt
    if (question.what === 'xcomPull') return (await xcoms.find(dagId, runId, question.taskId, question.key))?.value ?? null
    if (question.what === 'xcomPush') {
      await xcoms.save({ dagId, runId, taskId, key: question.key, value: question.value, at: clock.now().toISOString() })
      return null
    }
    const who = principal(taskSubject(attempt), TASK_PERMISSIONS)
    return question.what === 'variable' ? secrets.variable(question.key, who) : secrets.connection(question.id, who)
  }

  /** Resolves when fewer tasks run than may; false when the try was cancelled first. */
  async #slot(signal: AbortSignal): Promise<boolean> {
    const { workers = DEFAULT_WORKERS } = this.#options
    while (this.#busy >= workers && !signal.aborted && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
        signal.addEventListener('abort', () => this.#wake(resolve), { once: true })
      })
    }
    if (signal.aborted || this.#isStopped) {
      this.#wakeNext()
      return false
    }
    this.#busy += 1
    return true
  }

  #wakeNext(): void {
    const [next] = this.#waiting
    if (next) this.#wake(next)
  }

  /** Who is woken waits no longer: the next call must not be spent on him. */
  #wake(waiting: () => void): void {
    this.#waiting.delete(waiting)
    waiting()
  }

  /** A warm worker that has not read anything that has changed since; one that knows the file already if there is one. */
  #take(file: string): WorkerProcess {
    for (const { worker, timer } of this.#idle) {
      if (worker.isAlive && !worker.isOld) continue
      clearTimeout(timer)
      this.#end(worker)
    }
    this.#idle = this.#idle.filter(({ worker }) => this.#all.has(worker))
    const found = this.#idle.findLast(({ worker }) => worker.knows(file)) ?? this.#idle.at(-1)
    if (!found) {
      const { environment = {} } = this.#options
      const worker = new WorkerProcess(environment)
      this.#all.add(worker)
      return worker
    }
    clearTimeout(found.timer)
    this.#idle = this.#idle.filter((other) => other !== found)
    return found.worker
  }

  #free(worker: WorkerProcess): void {
    if (!worker.isAlive || worker.isSpent || this.#isStopped) this.#end(worker)
    else {
      const timer = setTimeout(() => {
        this.#idle = this.#idle.filter((other) => other.worker !== worker)
        this.#end(worker)
      }, this.#options.idleMs ?? DEFAULT_IDLE_MS)
      timer.unref()
      this.#idle.push({ worker, timer })
    }
  }

  #end(worker: WorkerProcess): void {
    worker.kill()
    this.#all.delete(worker)
  }

  #masked(outcome: TaskOutcome): TaskOutcome {
    const mask = (text: string) => this.#options.secrets.mask(text)
    const renderedFields = maskDeep(maskFields(outcome.renderedFields), mask)
    return outcome.state === 'success' ? { ...outcome, renderedFields } : { ...outcome, renderedFields, detail: mask(outcome.detail) }
  }
}

const CANCELLED: TaskOutcome & AttemptResult = { state: 'failed', detail: 'The task was cancelled.', isFinal: true, renderedFields: null }

function maskDeep(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value)
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskDeep(item, mask)]))
}
