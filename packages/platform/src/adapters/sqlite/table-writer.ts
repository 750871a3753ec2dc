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

/** So long it may take over a batch. One takes milliseconds; a slow disk takes a second. */
const LONGEST_MS = 30_000
const YOUNG_MEGABYTES = 8

export class TableWriter {
  readonly #path: string
  #state = newState()
  #thread: Worker | null = null
  #given = 0

  /** `path` is that of the SQLite file. */
  constructor(path: string) {
    this.#path = path
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

  /** Begins in the background; again it does nothing. */
  start(): void {
    if (this.#thread) return
    this.#thread = new Worker(new URL('./table-writer-thread.ts', import.meta.url), {
      workerData: { path: this.#path, state: this.#state },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    const state = this.#state
    this.#thread.unref()
    this.#thread.on('error', () => Atomics.store(state, STATE.hasFailed, 1))
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
    if (this.isReady) {
      this.#post('close')
      this.#given += 1
      this.wait()
    }
    this.end()
  }

  /** Ends the thread, whatever it does. It may be started again. */
  end(): void {
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
