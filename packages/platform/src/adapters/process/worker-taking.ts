/** Whether a worker in which nothing runs takes what it is given: what a task has left behind may let nothing else run there. */

/** A worker that is only slow must have time enough. */
const TAKEN_MS = 10_000

export class Taking {
  readonly #onHeldUp: () => void
  readonly #milliseconds: number
  #timer: NodeJS.Timeout | null = null
  #job = 0

  /** `onHeldUp` is called when a job was not taken in time. */
  constructor(onHeldUp: () => void, milliseconds = TAKEN_MS) {
    this.#onHeldUp = onHeldUp
    this.#milliseconds = milliseconds
  }

  /** The worker has been given a job. */
  expect(job: number): void {
    this.stop()
    this.#job = job
    this.#timer = setTimeout(this.#onHeldUp, this.#milliseconds).unref()
  }

  /** The worker has taken it. */
  taken(job: number): void {
    if (job === this.#job) this.stop()
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }
}

/** Whether a worker says that it has taken a job. The first one it takes in any case, and where others run nobody could tell what holds it up. */
export const saysTaken = (job: number, isNext: boolean, running: number): boolean => job > 1 && !isNext && running === 0
