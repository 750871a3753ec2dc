/** Runs tasks as functions of this process: the double of the worker pool, and all that a simulation needs. */
import { messageOf } from '../../core/app-error.ts'
import type { Attempt, AttemptResult, TaskRunner } from '../../scheduling/task-runner.ts'

export type InlineTask = (attempt: Attempt, signal: AbortSignal) => unknown

export class InlineRunner implements TaskRunner {
  /** Every attempt that was begun, in order. */
  readonly begun: Attempt[] = []
  readonly #task: InlineTask

  /** `task` runs for every attempt: what it answers is the output, what it throws is the failure. */
  constructor(task: InlineTask) {
    this.#task = task
  }

  async run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult> {
    this.begun.push(attempt)
    onStart()
    const renderedFields = attempt.task.args
    try {
      return { state: 'success', output: await this.#task(attempt, signal), renderedFields }
    } catch (error) {
      const name = error instanceof Error ? error.name : ''
      if (name === 'SkipTask') return { state: 'skipped', detail: messageOf(error), renderedFields }
      return { state: 'failed', detail: messageOf(error), isFinal: name === 'FailTask', renderedFields }
    }
  }

  /** The doubles wait for nothing. */
  async wait(): Promise<unknown> {
    return null
  }

  async call(): Promise<void> {}

  async stop(): Promise<void> {}
}
