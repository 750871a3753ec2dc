/** Logs do not grow for ever: once a day, what is older than the settings say is deleted, a little at a time. */

import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Service } from '../core/service.ts'

const DAY_MS = 86_400_000
/** Between two deletions, so that others get their turn. */
const BREATH_MS = 20

/** Deletes some of what is older than `at`, an ISO instant; answers 0 when none is left. */
interface Aging {
  deleteBefore(at: string): Promise<number>
}

export interface LogRetentionOptions {
  readonly logs: Readonly<Record<string, Aging>>
  readonly retentionSeconds: number
  readonly clock: Clock
  readonly logger: Logger
}

export class LogRetention implements Service {
  readonly #options: LogRetentionOptions
  readonly #over = new AbortController()
  #work: Promise<void> = Promise.resolve()

  constructor(options: LogRetentionOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#work = this.#run()
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#work
  }

  /** One sweep over all of them. Answers how much was deleted of each. */
  async sweep(): Promise<Readonly<Record<string, number>>> {
    const { logs, retentionSeconds, clock, logger } = this.#options
    const at = new Date(clock.now().getTime() - retentionSeconds * 1000).toISOString()
    const deleted: Record<string, number> = {}
    for (const [name, log] of Object.entries(logs)) {
      deleted[name] = 0
      try {
        for (let count = -1; count !== 0 && !this.#over.signal.aborted; ) {
          count = await log.deleteBefore(at)
          deleted[name] += count
          if (count > 0) await clock.sleep(BREATH_MS, this.#over.signal)
        }
      } catch (error) {
        logger.error(`What is old in the ${name} could not be deleted. It is tried again in a day.`, { error: messageOf(error) })
      }
    }
    return deleted
  }

  async #run(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      await this.sweep()
      await this.#options.clock.sleep(DAY_MS, signal)
    }
  }
}
