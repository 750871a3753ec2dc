/** Time as the domain sees it. Rooms take a `Clock`; only `main.ts` knows the real one. */

export interface Clock {
  now(): Date
  /** Resolves after `ms`, or as soon as `signal` aborts. Never rejects, so that a loop can look at its signal itself. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      let timer: NodeJS.Timeout
      const wait = (leftMs: number) => {
        timer = setTimeout(
          () => (leftMs > LONGEST_TIMER_MS ? wait(leftMs - LONGEST_TIMER_MS) : finish()),
          Math.min(leftMs, LONGEST_TIMER_MS),
        )
      }
      wait(ms)
      signal?.addEventListener('abort', finish, { once: true })
    }),
}

/** A clock that stands still until `advance` moves it, waking the sleepers whose time has come, in order. */
export class ManualClock implements Clock {
  #now: number
  #sleepers: { at: number; wake: () => void }[] = []

  constructor(start: Date | string) {
    this.#now = new Date(start).getTime()
  }

  now(): Date {
    return new Date(this.#now)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        resolve()
      })
    })
  }

  advance(ms: number): void {
    this.#now += ms
    const due = this.#sleepers.filter((s) => s.at <= this.#now).sort((a, b) => a.at - b.at)
    this.#sleepers = this.#sleepers.filter((s) => s.at > this.#now)
    for (const sleeper of due) sleeper.wake()
  }
}
