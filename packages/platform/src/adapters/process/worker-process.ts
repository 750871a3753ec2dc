/** The platform's end of one warm worker. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError, wholeMessageOf } from '../../core/app-error.ts'
import { type NextJob, NextJobs } from '../../execution/next-jobs.ts'
import { type FromWorker, type JobWork, messagesOf, type ToWorker } from '../../execution/worker-protocol.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'
import { CHANNEL, ChildChannel } from './child-channel.ts'
import type { JobEnd, JobHost } from './job-host.ts'
import { childEnvironment, killTree, NODE_FLAGS } from './node-child.ts'
import { paced } from './paced-reading.ts'
import { endOf } from './worker-end.ts'
import { WorkerOutbox } from './worker-outbox.ts'
import { WorkerOutput } from './worker-output.ts'
import { Pulse } from './worker-pulse.ts'
import { saysTaken, Taking } from './worker-taking.ts'

const SCRIPT = fileURLToPath(new URL('./worker.ts', import.meta.url))

/** No job has this number. */
const NOBODY = 0
/** Of a process that ends its channel is closed first. */
const CLOSED_MS = 1_000

/** How long it may let nothing else run. */
export interface WorkerPatience {
  /** One in which nothing runs is given so long to begin with a job, before it begins in another one. Default 10 s. */
  readonly takenMs?: number
  /** One in which many wait is asked so often whether it lets them; after 6 questions without an answer it is ended. Default 5 s. */
  readonly pulseMs?: number
}

export interface WorkerOptions {
  readonly environment: Readonly<Record<string, string>>
  /** Of the JavaScript heap, in MiB. */
  readonly memoryMb: number | null
  /** The DAGs folder. */
  readonly folder: string
  /** How many jobs it may run at the same time. */
  readonly capacity: number
  readonly patience?: WorkerPatience
  onReady(worker: WorkerProcess): void
  onExit(worker: WorkerProcess): void
}

export class WorkerProcess {
  readonly capacity: number
  /** Resolves when the process and its channel are gone. */
  readonly ended: Promise<void>
  readonly #options: WorkerOptions
  readonly #child: ChildProcess
  readonly #output: WorkerOutput
  readonly #channel: ChildChannel
  readonly #outbox: WorkerOutbox
  readonly #pace: (length: number) => void
  readonly #taking: Taking
  readonly #pulse: Pulse
  readonly #jobs = new Map<number, JobHost>()
  /** Those that begin when others end. */
  readonly #next = new NextJobs<NextJob & { readonly host: JobHost }>()
  /** Of the files that it has read, by path. */
  readonly stamps = new Map<string, string>()
  #lastJob = 0
  readonly #running = new Set<number>()
  #end: string | null = null
  /** Why the platform has ended it; null when it was to end. */
  #because: string | null = null
  /** Nothing that it may say will be understood any more. */
  #isSpoilt = false
  /** The job on whose account the process ends. */
  #culprit: number | null = null
  #isReady = false
  #isSpent = false
  #wasToldToEnd = false

  constructor(options: WorkerOptions) {
    this.#options = options
    this.capacity = options.capacity
    const memory = options.memoryMb === null ? [] : [`--max-old-space-size=${options.memoryMb}`]
    this.#child = spawn(process.execPath, [...NODE_FLAGS, ...memory, SCRIPT, String(options.capacity), options.folder], {
      stdio: ['ignore', 'pipe', 'pipe', CHANNEL],
      detached: true,
      env: childEnvironment(options.environment),
    })
    this.#output = new WorkerOutput(this.#child, this.#jobs)
    this.#channel = new ChildChannel(this.#child, {
      onFrame: (batch) => {
        const messages = messagesOf(batch)
        if (messages) for (const message of messages) this.#hear(message)
        return messages !== null
      },
      onBroken: (what) => this.#spoil(what),
      onEnd: () => {
        this.#isSpent = true
        setTimeout(() => this.#spoil('it has closed its channel to the platform'), CLOSED_MS).unref()
      },
    })
    this.#outbox = new WorkerOutbox(this.#channel, (message, why) => this.#refuse(message, why))
    this.#pace = paced(this.#channel)
    this.#taking = new Taking(() => this.#heldUp(), options.patience?.takenMs)
    this.#pulse = new Pulse(
      () => this.#outbox.post({ type: 'ping' }),
      () => this.#killFor('one of the waits in it'),
      options.patience?.pulseMs,
    )
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#end !== null) return
        this.#end = how
        this.#taking.stop()
        this.#pulse.stop()
        // Its children have lost their parent, and go with it.
        killTree(this.#child)
        // Nothing that it said last is lost: neither in the channel nor in the pipes.
        const over = () =>
          setImmediate(() =>
            setImmediate(() => {
              this.#lose()
              options.onExit(this)
              resolve()
            }),
          )
        this.#channel.afterLastWords(over)
      }
      this.#child.once('exit', (code, signal) =>
        end(endOf(code, signal, { memoryMb: options.memoryMb, lastWords: this.lastWords, because: this.#because })),
      )
      this.#child.once('error', (error) => end(`could not be started: ${error.message}`))
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isAlive(): boolean {
    return this.#end === null
  }

  /** Null while it is alive. */
  get howItEnded(): string | null {
    return this.#end
  }

  /** What it wrote last on its standard error. */
  get lastWords(): string {
    return this.#output.lastWords
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** How many jobs it runs, of whose end nothing has been heard. */
  get running(): number {
    return this.#running.size
  }

  /** It was told to break a task off, or something threw in it where nobody caught it: it must not be given another job. */
  get isSpent(): boolean {
    return this.#isSpent
  }

  set isSpent(value: boolean) {
    this.#isSpent = value
  }

  /**
   * Begins a job; `host` hears its end in any case, also when the process ends before it. `about` says which documents it needs. With `isNext`
   * it begins when another job ends.
   */
  start(file: string, work: JobWork, about: Attempt | null, host: JobHost, isNext = false): number {
    const job = ++this.#lastJob
    if (saysTaken(job, isNext, this.#running.size)) this.#taking.expect(job)
    if (isNext) this.#next.add({ job, heard: this.#next.ends, host })
    else this.#begin(job, host)
    if (this.#end !== null) {
      setImmediate(() => this.#lose())
      return job
    }
    if (work.kind === 'wait' && this.capacity > 1) this.#pulse.start()
    if (about) this.#outbox.tell(about)
    this.#outbox.post({ type: 'start', job, file, work, ...(isNext && { heard: this.#next.ends }) })
    return job
  }

  /** `isCancelled`: what the job has begun elsewhere is to end, too. */
  abort(job: number, reason: string, isCancelled: boolean): void {
    if (!this.#jobs.has(job) && !this.#next.has(job)) return
    if (this.capacity === 1) this.#wasToldToEnd = true
    this.#outbox.post({ type: 'abort', job, reason, isCancelled })
  }

  /** What has not begun yet begins elsewhere. */
  withdraw(): void {
    if (this.#next.size > 0) this.#outbox.post({ type: 'withdraw' })
  }

  /** Ends the worker and every process that its tasks have started. `culprit` is the job that makes it necessary. */
  kill(culprit: number | null = null): void {
    // Once it has ended, its number may be another process's.
    if (this.#end !== null) return
    this.#isSpent = true
    this.#culprit ??= culprit
    // A task that was to end leaves nothing; one that has ended by itself may have begun something that is to stay.
    killTree(this.#child, 'SIGKILL', this.#wasToldToEnd || culprit !== null)
  }

  #hear(message: FromWorker): void {
    if (message.type === 'ready') {
      this.#isReady = true
      this.#options.onReady(this)
    } else if (message.type === 'log') {
      this.#jobs.get(message.job)?.onLog(message.text)
      this.#pace(message.text.length)
    } else if (message.type === 'pong') this.#pulse.heard()
    else if (message.type === 'taken') this.#taking.taken(message.job)
    else if (message.type === 'listens') this.#jobs.get(message.job)?.onListens()
    else if (message.type === 'exits') this.#culprit = message.job
    else if (message.type === 'ask') this.#answer(message)
    else if (message.type === 'withdrawn') this.#putOff(message.job)
    else if (message.type === 'read') this.#learn(message.stamps)
    else {
      // Only what runs can end: both sides must count the same ends.
      const hasRun = this.#running.delete(message.job)
      if (this.#running.size === 0) this.#pulse.stop()
      this.#taking.taken(message.job)
      this.#learn(message.stamps)
      this.#isSpent ||= message.isLast
      if (!hasRun) return
      if (!message.isLast) {
        this.#beginNext()
        this.#jobs.get(message.job)?.onOver?.()
      }
      if (message.mayStillSpeak) this.#output.afterLastWords(() => this.#finish(message.job, message))
      else this.#finish(message.job, message)
    }
  }

  #learn(stamps: Readonly<Record<string, string>> = {}): void {
    for (const path in stamps) this.stamps.set(path, stamps[path] as string)
  }

  #answer({ job, question, ask }: Extract<FromWorker, { type: 'ask' }>): void {
    this.#jobs
      .get(job)
      ?.answer(ask)
      .then(
        (value) => this.#outbox.post({ type: 'answer', question, value }),
        (error: unknown) =>
          this.#outbox.post({
            type: 'answer',
            question,
            error: wholeMessageOf(error),
            ...(error instanceof AppError && { code: error.code }),
          }),
      )
  }

  #beginNext(): void {
    const next = this.#next.ended()
    if (!next) return
    this.#begin(next.job, next.host)
    next.host.onBegan?.()
  }

  #begin(job: number, host: JobHost): void {
    this.#running.add(job)
    this.#jobs.set(job, host)
  }

  /** One that has not begun. */
  #putOff(job: number): void {
    if (this.#next.has(job)) this.#finish(job, { type: 'displaced', detail: 'It has not begun there.' })
  }

  #finish(job: number, end: JobEnd): void {
    const host = this.#jobs.get(job) ?? this.#next.take(job)?.host
    this.#jobs.delete(job)
    this.#output.forget(job)
    host?.onEnd(end)
  }

  /** What it was given has not begun, and is not to blame. */
  #heldUp(): void {
    this.#culprit = NOBODY
    this.#killFor('what an earlier task had left behind')
  }

  #killFor(what: string): void {
    this.#because ??= `${what} let nothing else run in it`
    this.kill()
  }

  /** Without a channel nothing that runs in it can come to an end. */
  #spoil(why: string): void {
    if (this.#end !== null) return
    this.#isSpoilt = true
    this.#because ??= why
    const [first = null] = this.#jobs.keys()
    this.kill(this.#jobs.size === 1 ? first : null)
  }

  #lose(): void {
    for (const { host } of this.#next.clear()) host.onEnd({ type: 'displaced', detail: `The worker process ${this.#end}.` })
    const detail = `The worker process ${this.#end}${this.#isSpoilt ? '' : ' before the task had ended'}.`
    const shared = `${detail} ${this.#jobs.size} tasks shared it, and which of them ended it is not known.`
    const isShared = this.#jobs.size > 1
    for (const job of [...this.#jobs.keys()]) {
      if (this.#culprit !== null && job !== this.#culprit)
        this.#finish(job, { type: 'displaced', detail: `The worker process ${this.#end}.` })
      else this.#finish(job, { type: 'lost', detail: this.#culprit === null && isShared ? shared : detail })
    }
  }

  #refuse(message: ToWorker, why: string): void {
    if (message.type === 'start') this.#running.delete(message.job)
    if (message.type === 'start') this.#finish(message.job, { type: 'lost', detail: `The task cannot begin with its inputs. ${why}` })
    else if (message.type === 'answer') this.#outbox.post({ type: 'answer', question: message.question, error: why })
  }
}
