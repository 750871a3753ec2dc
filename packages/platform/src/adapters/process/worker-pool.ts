/** Runs tasks in warm worker processes: one task at a time in each, unless the DAG says that several may share one. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../../core/app-error.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import { LogLines } from '../../execution/log-lines.ts'
import { taskSubject } from '../../execution/task-facts.ts'
import { needsInputs } from '../../execution/task-input.ts'
import type { TaskLog, TaskLogs } from '../../execution/task-log.ts'
import { failed, type TaskOutcome } from '../../execution/task-outcome.ts'
import type { Wait } from '../../scheduling/task-instance.ts'
import type { Attempt, AttemptResult, CallbackCall, TaskRunner } from '../../scheduling/task-runner.ts'
import { leanFacts } from './attempt-facts.ts'
import { beginning, ending, LastLine } from './attempt-log.ts'
import { CANCELLED, type JobResult, runJob } from './attempt-run.ts'
import { masked } from './masked-outcome.ts'
import { type AnswersOptions, TaskAnswers } from './task-answers.ts'
import { WorkerFleet } from './worker-fleet.ts'
import type { WorkerPatience } from './worker-process.ts'
import { Subjects } from './worker-subjects.ts'
import { WorkerWaits } from './worker-waits.ts'

export interface WorkerPoolOptions extends AnswersOptions {
  /** The DAGs folder. */
  readonly folder: string
  readonly logs: TaskLogs
  /** Where callbacks of DAGs are heard. */
  readonly logger?: Logger
  /** How many tasks may run at the same time. */
  readonly workers?: number
  /** A worker that has had nothing to do for so long is ended. */
  readonly idleMs?: number
  /** How many idle workers stay for that long; the others are ended after a few seconds. Default: one for each core, and at least 4. */
  readonly warmWorkers?: number
  /** How long a task may take to end by itself once it is told to. */
  readonly graceMs?: number
  readonly patience?: WorkerPatience
  /** The most memory of a worker's JavaScript heap, in MiB. Default: as much as Node takes. */
  readonly memoryMb?: number
  /** How many deferred tasks wait in one process. */
  readonly waitsPerProcess?: number
  /** How long a callback may take: those that never end would take the places of all others. */
  readonly callbackSeconds?: number
  /** Added to the environment of the workers. */
  readonly environment?: Readonly<Record<string, string>>
}

const DEFAULT_WORKERS = 8
const DEFAULT_IDLE_MS = 60_000
const DEFAULT_GRACE_MS = 5_000
const DEFAULT_CALLBACK_SECONDS = 300

export class WorkerPool implements TaskRunner {
  readonly #options: WorkerPoolOptions
  readonly #answers: TaskAnswers
  readonly #fleet: WorkerFleet
  readonly #waits: WorkerWaits
  readonly #subjects = new Subjects()
  readonly #graceMs: number

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#answers = new TaskAnswers(options)
    this.#graceMs = options.graceMs ?? DEFAULT_GRACE_MS
    const cores = availableParallelism()
    this.#fleet = new WorkerFleet({
      folder: options.folder,
      workers: options.workers ?? DEFAULT_WORKERS,
      idleMs: options.idleMs ?? DEFAULT_IDLE_MS,
      warm: options.warmWorkers ?? Math.max(4, cores),
      starting: cores,
      memoryMb: options.memoryMb ?? null,
      environment: options.environment ?? {},
      ...(options.patience && { patience: options.patience }),
    })
    this.#waits = new WorkerWaits({ options, answers: this.#answers, fleet: this.#fleet, subjects: this.#subjects, graceMs: this.#graceMs })
  }

  /** The processes that are there now. */
  get size(): number {
    return this.#fleet.size
  }

  /** Whether a try runs here, by the subject that it acts as. A cancelled one still does while it tidies up. */
  isRunning(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  /** Tells that files of the DAGs folder are others now: no task runs in a worker that has read an older one. Without it this is noticed in 0.2 s. */
  filesChanged(): void {
    this.#fleet.filesChanged()
  }

  async run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult> {
    const subject = taskSubject(attempt)
    const { tasksPerWorker: capacity = 1 } = attempt.dag
    const file = join(this.#options.folder, attempt.file)
    const request = { lane: `tasks ${capacity}`, capacity, counts: true, file, ticket: this.#fleet.ticket(), signal }
    let log: TaskLog | null = null
    let hasStarted = false
    for (;;) {
      const place = await this.#fleet.acquire(request)
      if (!place) {
        log?.close()
        return CANCELLED
      }
      const { worker } = place.seat
      let hasBegun = false
      const begin = () => {
        hasBegun = true
        this.#subjects.begin(subject)
        if (!hasStarted) onStart()
        hasStarted = true
        log?.write(beginning(attempt, worker.pid))
      }
      try {
        log ??= this.#options.logs.open(attempt)
        if (place.state === 'taken') begin()
        const lines = new LastLine(log)
        const inputs = needsInputs(attempt.task, attempt.mapIndex) ? await this.#answers.inputs(attempt).catch(refusal) : null
        if (inputs && 'state' in inputs) {
          lines.end(`${ending(inputs)}\n`)
          log.close()
          return inputs
        }
        const when = place.state === 'reserved' ? this.#fleet.confirm(place) : 'now'
        if (when === 'never') continue
        if (when === 'now' && !hasBegun) begin()
        const result = await runJob({
          worker,
          file,
          work: { kind: 'run', facts: leanFacts(attempt), inputs },
          attempt,
          signal,
          timeoutSeconds: attempt.task.executionTimeoutSeconds,
          graceMs: this.#graceMs,
          clock: this.#options.clock,
          ...(when === 'later' && {
            onBegan: () => {
              this.#fleet.began(place)
              begin()
            },
          }),
          // In a worker of its own the next task has to wait for the last words of this one.
          ...(capacity > 1 && { onOver: () => this.#fleet.giveBack(place) }),
          onLog: lines.write,
          answer: (question) => this.#answers.answer(attempt, question),
        })
        if ('displaced' in result) {
          if (hasBegun) lines.end(`${result.displaced} This one is not the reason, so it begins anew.\n`)
          continue
        }
        const outcome = masked(result.outcome, (text) => this.#options.secrets.mask(text))
        lines.end(`${ending(outcome)}\n`)
        log.close()
        return timed(outcome, result)
      } catch (error) {
        log?.close()
        throw error
      } finally {
        if (hasBegun) this.#subjects.end(subject)
        this.#fleet.giveBack(place)
      }
    }
  }

  wait(attempt: Attempt, wait: Extract<Wait, { kind: 'trigger' }>, signal: AbortSignal): Promise<unknown> {
    return this.#waits.wait(attempt, wait, signal)
  }

  async call(callback: CallbackCall, signal: AbortSignal): Promise<void> {
    const { attempt, which, dagId, runId, reason } = callback
    const { callbackSeconds = DEFAULT_CALLBACK_SECONDS } = this.#options
    const file = join(this.#options.folder, callback.file)
    const place = await this.#fleet.acquireBeside('callbacks', 1, file, signal)
    if (!place) throw new Error('The callback was cancelled.')
    const log = attempt ? this.#options.logs.open(attempt) : this.#spoken(which, dagId, runId)
    try {
      const result = await runJob({
        worker: place.seat.worker,
        file,
        work: { kind: 'call', facts: attempt && leanFacts(attempt), which, about: { dagId, runId, reason } },
        attempt,
        signal,
        timeoutSeconds: callbackSeconds,
        graceMs: this.#graceMs,
        clock: this.#options.clock,
        onLog: (text) => log.write(text),
        answer: (question) => this.#answers.answer(attempt ?? { dagId, runId }, question),
      })
      if ('displaced' in result) throw new Error(result.displaced)
      if (result.outcome.state !== 'failed') return
      const { detail } = result.outcome
      // What it has thrown it has said itself.
      if (result.startedAt === null) log.write(`The callback ${which} has failed: ${detail}\n`)
      throw new Error(this.#options.secrets.mask(detail))
    } finally {
      log.close()
      this.#fleet.giveBack(place)
    }
  }

  /** What callbacks of DAGs say: there is no try that it could be the log of. */
  #spoken(which: string, dagId: string, runId: string): TaskLog {
    const { clock, secrets, logger = silentLogger } = this.#options
    const onText = (text: string) => logger.info(`The callback ${which} says: ${text.trimEnd()}`, { dagId, runId })
    return new LogLines({ now: () => clock.now(), mask: (text) => secrets.mask(text), onText })
  }

  /** What they have begun elsewhere goes on. */
  stop(): Promise<void> {
    return this.#fleet.stop()
  }
}

/** What the tasks before have left does not fit: that is an outcome. A store that is gone is thrown. */
function refusal(error: unknown): ReturnType<typeof failed> {
  if (error instanceof AppError && error.code === 'invalid') return failed(error.message)
  throw error
}

const timed = (outcome: TaskOutcome, { startedAt, endedAt }: JobResult): AttemptResult =>
  startedAt === null || endedAt === null
    ? outcome
    : { ...outcome, startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }
