/**
 * Jobs that wait in a worker for a place there: each begins the moment that another job ends, without a word of the platform. Both sides
 * count the ends and give each of them to the same job, so that the platform knows what has begun as soon as it hears of an end.
 *
 * The rule: ends have numbers, from 1. A job that was sent when the platform knew of `heard` ends takes the first end after these that no job
 * sent before it has taken.
 */
export interface NextJob {
  readonly job: number
  /** Of how many ends the platform knew when it sent the job. */
  readonly heard: number
}

export class NextJobs<T extends NextJob> {
  #ends = 0
  /** The last end that a job has taken. */
  #taken = 0
  readonly #waiting: T[] = []

  /** How many jobs have ended, as far as this side knows. */
  get ends(): number {
    return this.#ends
  }

  get size(): number {
    return this.#waiting.length
  }

  has(job: number): boolean {
    return this.#waiting.some((one) => one.job === job)
  }

  /** Answers the job if it begins at once: one has ended of which the platform did not know. Else it waits. */
  add(one: T): T | null {
    this.#waiting.push(one)
    return this.#begin()
  }

  /** Another job has ended. Answers the one that begins in its place. */
  ended(): T | null {
    this.#ends += 1
    return this.#begin()
  }

  /** It is not to begin any more. Answers it if it was waiting. */
  take(job: number): T | null {
    const at = this.#waiting.findIndex((one) => one.job === job)
    return at < 0 ? null : (this.#waiting.splice(at, 1)[0] ?? null)
  }

  /** None of them is to begin any more. Answers which. */
  clear(): T[] {
    return this.#waiting.splice(0)
  }

  /** Whoever came first goes first: nobody takes an end before him. */
  #begin(): T | null {
    const [first] = this.#waiting
    if (!first) return null
    const end = Math.max(first.heard, this.#taken) + 1
    if (end > this.#ends) return null
    this.#taken = end
    this.#waiting.shift()
    return first
  }
}
