/** What a worker is told: messages that arise together travel together. */
import { messageOf } from '../../core/app-error.ts'
import { MOST_TOGETHER, type ToWorker } from '../../execution/worker-protocol.ts'
import type { ChildChannel } from './child-channel.ts'

export class WorkerOutbox {
  readonly #channel: ChildChannel
  readonly #onTooLarge: (message: ToWorker, why: string) => void
  #waiting: ToWorker[] = []

  /** `onTooLarge` hears of a message that cannot be sent at all, and why, as a sentence. */
  constructor(channel: ChildChannel, onTooLarge: (message: ToWorker, why: string) => void) {
    this.#channel = channel
    this.#onTooLarge = onTooLarge
  }

  post(message: ToWorker): void {
    const length = this.#waiting.push(message)
    if (length >= MOST_TOGETHER) this.#flush()
    else if (length === 1) setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    const batch = this.#waiting
    this.#waiting = []
    try {
      if (batch.length > 0) this.#channel.send(batch)
    } catch {
      for (const message of batch) this.#sendAlone(message)
    }
  }

  #sendAlone(message: ToWorker): void {
    try {
      this.#channel.send([message])
    } catch (error) {
      const mend = 'Hand less on between tasks, such as the path of a file.'
      this.#onTooLarge(message, `It is too large to be sent to a worker (${messageOf(error)}). ${mend}`)
    }
  }
}
