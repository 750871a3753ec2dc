/** What the scheduler asks of whatever runs tasks. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'

/** One try of one task, with all that a worker needs to know. Plain data. */
export interface Attempt {
  /** The fencing token: only what comes with the token of the try under way is recorded. */
  readonly attemptId: string
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  readonly tryNumber: number
  readonly maxTries: number
  readonly runType: string
  readonly logicalDate: string | null
  readonly dataIntervalStart: string
  readonly dataIntervalEnd: string
  /** Where the interval before this one begins by the schedule; null without one. For `prev_ds`. */
  readonly previousIntervalStart: string | null
  readonly conf: Readonly<Record<string, unknown>>
  readonly startedBy: string
  /** Path of the DAG's file below the DAGs folder. */
  readonly file: string
  readonly task: TaskDocument
  readonly dag: Pick<DagDocument, 'params' | 'timezone' | 'description' | 'tags' | 'owners'>
}

/** How a try ended by its own account. `isFinal`: more tries would not help, so none is made. */
export type AttemptResult =
  | { readonly state: 'success'; readonly output: unknown; readonly renderedFields: unknown }
  | { readonly state: 'skipped'; readonly detail: string; readonly renderedFields: unknown }
  | { readonly state: 'failed'; readonly detail: string; readonly isFinal: boolean; readonly renderedFields: unknown }

export interface TaskRunner {
  /**
   * Runs one try to its end. `onStart` is called when a worker takes it. Aborting `signal` ends the try and all its processes.
   * Rejects only when it could not be run at all.
   */
  run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult>
  /** Ends everything that is running and resolves when nothing is left. */
  stop(): Promise<void>
}
