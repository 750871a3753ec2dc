/** What a worker is told: messages that arise together travel together. */
import { messageOf } from '../../core/app-error.ts'
import { dagFacts } from '../../execution/task-facts.ts'
import { MOST_TOGETHER, type ToWorker } from '../../execution/worker-protocol.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'
import type { ChildChannel } from './child-channel.ts'

export class WorkerOutbox {
  readonly #channel: ChildChannel
  readonly #onTooLarge: (message: ToWorker, why: string) => void
  #waiting: ToWorker[] = []
  /** What the worker was told last, so that documents travel once. */
  readonly #told = new Map<string, unknown>()

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

  /** The documents that a job needs. */
  tell({ dagId, taskId, dag, task }: Attempt): void {
    if (this.#isNew(dagId, dag)) this.post({ type: 'dag', dagId, dag: dagFacts(dag) })
    if (this.#isNew(`${dagId}/${taskId}`, task)) this.post({ type: 'task', dagId, task })
  }

  #isNew(key: string, document: unknown): boolean {
    if (this.#told.get(key) === document) return false
    this.#told.set(key, document)
    return true
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
