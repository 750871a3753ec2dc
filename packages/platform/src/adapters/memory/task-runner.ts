/** Runs tasks as functions of this process: the double of the worker pool, and all that a simulation needs. */
import { messageOf } from '../../core/app-error.ts'
import type { Wait } from '../../scheduling/task-instance.ts'
import type { Attempt, AttemptResult, CallbackCall, TaskRunner } from '../../scheduling/task-runner.ts'

export type InlineTask = (attempt: Attempt, signal: AbortSignal) => unknown

export type InlineWait = (attempt: Attempt, wait: Extract<Wait, { kind: 'trigger' }>, signal: AbortSignal) => unknown

type Ending = AttemptResult extends infer Result ? (Result extends AttemptResult ? Omit<Result, 'renderedFields'> : never) : never

/** What a task answers to end otherwise than with an output: deferred, rescheduled, with a branch chosen … */
export class InlineEnding {
  readonly result: Ending

  constructor(result: Ending) {
    this.result = result
  }
}

export class InlineRunner implements TaskRunner {
  /** Every attempt that was begun, in order. */
  readonly begun: Attempt[] = []
  /** Every callback that was called, in order. */
  readonly called: CallbackCall[] = []
  readonly #task: InlineTask
  readonly #wait: InlineWait

  /**
   * `task` runs for every attempt: what it answers is the output, or how it ends; what it throws is the failure.
   * `wait` stands for the triggers of deferred tasks; without it they answer null at once.
   */
  constructor(task: InlineTask, wait: InlineWait = () => null) {
    this.#task = task
    this.#wait = wait
  }

  async run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult> {
    this.begun.push(attempt)
    onStart()
    const renderedFields = attempt.task.args
    try {
      const output = await this.#task(attempt, signal)
      return output instanceof InlineEnding ? { ...output.result, renderedFields } : { state: 'success', output, renderedFields }
    } catch (error) {
      const name = error instanceof Error ? error.name : ''
      if (name === 'SkipTask') return { state: 'skipped', detail: messageOf(error), renderedFields }
      return { state: 'failed', detail: messageOf(error), isFinal: name === 'FailTask', renderedFields }
    }
  }

  async wait(attempt: Attempt, wait: Extract<Wait, { kind: 'trigger' }>, signal: AbortSignal): Promise<unknown> {
    return this.#wait(attempt, wait, signal)
  }

  async call(callback: CallbackCall): Promise<void> {
    this.called.push(callback)
  }

  async stop(): Promise<void> {}
}
