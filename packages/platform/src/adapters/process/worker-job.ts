/** Inside a worker: the jobs that it runs, and the channel to the platform that they share. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { TaskHost } from '../../execution/task-context.ts'
import type { Question } from '../../execution/task-question.ts'
import { type FromWorker, MOST_TOGETHER, type ToWorker } from '../../execution/worker-protocol.ts'
import { PlatformChannel } from './platform-channel.ts'

/** Which job the code that runs belongs to: what one leaves behind must not speak, or ask, in the name of the next. */
export const runner = new AsyncLocalStorage<Job>()

/** So much of what is said waits for the end of the turn at most, in characters; and in milliseconds, however long the turn takes. */
const MOST_WAITING = 64 * 1024
const LONGEST_SILENCE_MS = 10
/** What a task may say, in characters: the platform keeps no more of it either. */
const MOST_SAID = 80 * 1024 * 1024

/** Without its platform a worker has nobody to report to: it goes, with all that it has started. */
export const channel = new PlatformChannel(() => process.kill(-process.pid, 'SIGKILL'))

/** As it was before any task could replace it: what is measured with it is written down by the platform. */
export const milliseconds = Date.now

let outbox: FromWorker[] = []
let waitingLength = 0
let flushedAt = 0
let questions = 0
const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()

/** Messages of one turn of the event loop travel together. */
export function post(message: FromWorker): void {
  const length = outbox.push(message)
  if (length >= MOST_TOGETHER) flush()
  else if (length === 1) setImmediate(flush)
}

/** All that was said is on its way when this returns. */
export function flush(): void {
  const batch = outbox
  outbox = []
  waitingLength = 0
  flushedAt = milliseconds()
  if (batch.length > 0) channel.say(batch)
}

export function answered(message: Extract<ToWorker, { type: 'answer' }>): void {
  const question = asked.get(message.question)
  asked.delete(message.question)
  if (message.error === undefined) question?.resolve(message.value)
  else question?.reject(Object.assign(new Error(message.error), message.code !== undefined && { code: message.code }))
}

export class Job implements TaskHost {
  readonly id: number
  readonly url: string
  readonly controller = new AbortController()
  readonly #isShared: boolean
  readonly startedAt = milliseconds()
  hasEnded = false
  isCancelled = false
  /** It has asked for its signal: it may tidy up when it is told to end. */
  isListening = false
  #breakOff: ((reason: Error) => void) | null = null
  #said = 0

  /** `isShared`: other jobs run in this process, so that it cannot be ended with this one. */
  constructor(id: number, url: string, isShared: boolean) {
    this.id = id
    this.url = url
    this.#isShared = isShared
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  end(): void {
    this.hasEnded = true
  }

  listens(): void {
    if (this.isListening) return
    this.isListening = true
    post({ type: 'listens', job: this.id })
  }

  brokenOff(): Promise<never> | null {
    if (this.#isShared) return null
    return new Promise((_, reject) => {
      this.#breakOff = reject
    })
  }

  abort(reason: Error): void {
    this.controller.abort(reason)
    if (!this.isListening) this.#breakOff?.(reason)
  }

  now(): Date {
    return new Date()
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, Math.min(milliseconds, 2 ** 31 - 1))
      signal.addEventListener('abort', done, { once: true })
    })
  }

  /** The first words go at once, so that they are read while the task computes and lets nothing else run. */
  log(text: string): void {
    for (let from = 0; from < text.length; from += MOST_WAITING) this.#say(text.slice(from, from + MOST_WAITING))
  }

  #say(text: string): void {
    if (this.#isLate() || this.#said > MOST_SAID) return
    const isFirst = this.#said === 0
    this.#said += text.length
    const last = outbox.at(-1)
    if (last?.type === 'log' && last.job === this.id) outbox[outbox.length - 1] = { ...last, text: last.text + text }
    else post({ type: 'log', job: this.id, text })
    waitingLength += text.length
    if (isFirst || waitingLength > MOST_WAITING || milliseconds() - flushedAt > LONGEST_SILENCE_MS) flush()
  }

  ask(question: Question): Promise<unknown> {
    if (this.#isLate()) {
      return Promise.reject(new Error('The task that asks has ended already. Wait for all that a task begins before it answers.'))
    }
    const id = ++questions
    return new Promise((resolve, reject) => {
      asked.set(id, { resolve, reject })
      post({ type: 'ask', job: this.id, question: id, ask: question })
    })
  }

  /** Also when it speaks through the context of a job that goes on. */
  #isLate(): boolean {
    return this.hasEnded || (runner.getStore()?.hasEnded ?? false)
  }
}
