/**
 * A thread that brings what is durable in the journal to the tables, over a connection of its own, so that the platform does not stand still
 * meanwhile. One batch after another, each in one transaction. It never writes beside another writer: whoever uses the tables waits first
 * until it has nothing left to do.
 */
import { Worker } from 'node:worker_threads'
import { AppError } from '../../core/app-error.ts'

/** Places in the memory that both threads see. */
export const STATE = { isReady: 0, done: 1, hasFailed: 2, places: 3 } as const

/** Entries of the journal in their order. `last` is the number of the last; `isForGood`: they are to outlive a loss of power when they are in the tables. */
export interface Batch {
  readonly texts: readonly string[]
  readonly last: number
  readonly isForGood: boolean
}

export type ToTableWriter = Batch | 'close'

/** What its thread begins with. */
export interface ThreadData {
  readonly path: string
  readonly state: Int32Array<SharedArrayBuffer>
  readonly busyMilliseconds: number | undefined
}

interface Options {
  /** So long its thread waits for another writer of the file before a batch has failed. Default 5 s. */
  readonly busyMilliseconds?: number
  /** So long after one has failed no other thread is begun. Default 10 s. */
  readonly restMilliseconds?: number
}

/** So long it may take over a batch. One takes milliseconds; a slow disk takes a second. */
const LONGEST_MS = 30_000
const REST_MS = 10_000
const YOUNG_MEGABYTES = 8

export class TableWriter {
  readonly #path: string
  readonly #options: Options
  #state = newState()
  #thread: Worker | null = null
  #given = 0
  #notBefore = 0

  /** `path` is that of the SQLite file, whose tables are there. */
  constructor(path: string, options: Options = {}) {
    this.#path = path
    this.#options = options
  }

  /** Whether it takes batches: it needs a moment after {@link start}, and one that has failed takes none any more. */
  get isReady(): boolean {
    return this.#read(STATE.isReady) === 1 && !this.hasFailed
  }

  /** A batch could not be written; those after it were left out. */
  get hasFailed(): boolean {
    return this.#read(STATE.hasFailed) === 1
  }

  /** How many batches are in the tables, of those that were given. */
  get done(): number {
    return this.#read(STATE.done)
  }

  /**
   * Begins in the background; again it does nothing, nor does it soon after a failure. Tables in memory are those of one connection: for
   * them there is no thread.
   */
  start(): void {
    if (this.#thread || this.#path === ':memory:' || performance.now() < this.#notBefore) return
    const state = this.#state
    const workerData: ThreadData = { path: this.#path, state, busyMilliseconds: this.#options.busyMilliseconds }
    const thread = new Worker(new URL('./table-writer-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    thread.unref()
    for (const end of ['error', 'exit']) thread.on(end, () => Atomics.store(state, STATE.hasFailed, 1))
    this.#thread = thread
  }

  /** Begins, and blocks until it takes batches or has failed. */
  startNow(): void {
    this.start()
    if (this.#thread) Atomics.wait(this.#state, STATE.isReady, 0, LONGEST_MS)
  }

  /** Answers how many batches will be done once this one is. */
  give(batch: Batch): number {
    this.#post(batch)
    this.#given += 1
    return this.#given
  }

  /** Blocks until all that was given is in the tables, or has failed. Throws `unavailable` when it does not come to an end. */
  wait(): void {
    for (;;) {
      const done = this.done
      if (done >= this.#given || this.hasFailed) return
      if (Atomics.wait(this.#state, STATE.done, done, LONGEST_MS) === 'timed-out')
        throw new AppError('unavailable', `The tables of ${this.#path} have taken nothing for ${LONGEST_MS / 1000} s. Is its disk there?`)
    }
  }

  /** Closes its connection, when all that was given is done. */
  close(): void {
    try {
      if (!this.isReady) return
      this.#post('close')
      this.#given += 1
      this.wait()
    } finally {
      this.end()
    }
  }

  /** Ends the thread, whatever it does. It may be started again. */
  end(): void {
    if (this.hasFailed) this.#notBefore = performance.now() + (this.#options.restMilliseconds ?? REST_MS)
    void this.#thread?.terminate()
    this.#thread = null
    this.#state = newState()
    this.#given = 0
  }

  #post(message: ToTableWriter): void {
    this.#thread?.postMessage(message)
  }

  #read(place: number): number {
    return Atomics.load(this.#state, place)
  }
}

const newState = () => new Int32Array(new SharedArrayBuffer(4 * STATE.places))
