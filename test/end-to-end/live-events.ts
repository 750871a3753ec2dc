/** The live stream of a platform, for tests that wait for what happens instead of sleeping. */
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'

export type Facts = Record<string, unknown>

interface Waiter {
  readonly type: string
  readonly accept: (facts: Facts) => boolean
  readonly resolve: (facts: Facts) => void
  readonly reject: (error: Error) => void
}

export class LiveEvents {
  readonly #over = new AbortController()
  #waiters: Waiter[] = []

  /** Resolves when the stream is open: nothing that happens afterwards is missed. The platform must have a refresh to tell of. */
  static async open(client: PlatformClient): Promise<LiveEvents> {
    const events = new LiveEvents()
    const stream = client.events('/api/v1/events', events.#over.signal)
    await stream.next()
    void events.#read(stream)
    return events
  }

  /** The facts of the next event of that type that `accept` takes. */
  until(type: string, accept: (facts: Facts) => boolean): Promise<Facts> {
    return new Promise((resolve, reject) => this.#waiters.push({ type, accept, resolve, reject }))
  }

  close(): void {
    this.#over.abort()
  }

  async #read(stream: AsyncGenerator<{ type: string; data: string }>): Promise<void> {
    try {
      for await (const { type, data } of stream) {
        const { facts } = JSON.parse(data) as { facts?: Facts }
        if (!facts) continue
        const met = this.#waiters.filter((waiter) => waiter.type === type && waiter.accept(facts))
        this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
        for (const waiter of met) waiter.resolve(facts)
      }
    } catch (error) {
      if (!this.#over.signal.aborted) for (const waiter of this.#waiters) waiter.reject(error as Error)
    }
  }
}
