/** What the scheduler asks of whatever runs tasks. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import type { Skip, TaskInstance, Wait, WaitEvent } from './task-instance.ts'

/** One try of one task, with all that a worker needs to know. Plain data. */
export interface Attempt {
  /** The fencing token: only what comes with the token of the try under way is recorded. */
  readonly attemptId: string
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  readonly mapIndex: number
  readonly tryNumber: number
  readonly maxTries: number
  readonly runType: string
  readonly logicalDate: string | null
  readonly dataIntervalStart: string
  readonly dataIntervalEnd: string
  /** Where the interval before this one begins by the schedule; null without one. For `prev_ds`. */
  readonly previousIntervalStart: string | null
  readonly runAfter: string
  readonly runQueuedAt: string
  readonly runStartedAt: string | null
  readonly conf: Readonly<Record<string, unknown>>
  readonly startedBy: string
  /** Path of the DAG's file below the DAGs folder. */
  readonly file: string
  readonly task: TaskDocument
  /** The document itself, not a copy: runners tell their workers of it once. So with `task`. */
  readonly dag: DagDocument
  /** What the task goes on with after it was deferred; null for a beginning. */
  readonly resume: WaitEvent | null
  readonly firstStartedAt: string | null
  readonly rescheduleCount: number
  /** How many instances the mapped task has in this run; null for one that is not mapped. */
  readonly mapCount: number | null
}

/** How a try ended by its own account, or how it goes on without a worker. */
export type AttemptResult = {
  readonly renderedFields: unknown
  /** When the worker took it and let it go, as ISO instants; the scheduler's own time counts where they are missing. */
  readonly startedAt?: string
  readonly endedAt?: string
} & (
  | {
      readonly state: 'success'
      readonly output: unknown
      /** What a branch or a short circuit has decided. */
      readonly skip?: Skip
      /** Instances of a mapped task may have names. */
      readonly mapLabel?: string
      /** More about the assets that it has updated: extra facts by asset name, and the assets that stand behind its aliases. */
      readonly assetEvents?: readonly {
        readonly name: string
        readonly alias?: string
        readonly extra: Readonly<Record<string, unknown>>
      }[]
    }
  | { readonly state: 'skipped'; readonly detail: string }
  | {
      readonly state: 'failed'
      readonly detail: string
      /** More tries would not help, so none is made. */
      readonly isFinal: boolean
      /** A retry policy has said how long to wait, or (with `retries`) that it is tried again anyway. */
      readonly retryAfterSeconds?: number
    }
  | { readonly state: 'rescheduled'; readonly at: string }
  | { readonly state: 'deferred'; readonly wait: Wait; readonly timeoutSeconds: number | null }
)

/** What a callback is told. `which` is the author's name for it: `onFailure`, `onRetry`, `deadline:0` … */
export interface CallbackCall {
  readonly id: string
  readonly which: string
  /** Of the task; null for the DAG's own. */
  readonly attempt: Attempt | null
  readonly dagId: string
  readonly runId: string
  readonly file: string
  readonly reason: string
}

/** A trigger has thrown `SkipTask` or `FailTask`: the task ends so. */
export class WaitEnded extends Error {
  readonly ends: 'failed' | 'skipped'

  constructor(detail: string, ends: 'failed' | 'skipped') {
    super(detail)
    this.ends = ends
  }
}

export interface TaskRunner {
  /**
   * Runs one try to its end. `onStart` is called when a worker takes it. Aborting `signal` ends the try and all its processes;
   * the task may end what it has begun elsewhere. Rejects only when it could not be run at all.
   */
  run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult>
  /**
   * Waits as a deferred task has said, together with many others. Aborting `signal` ends the wait; an abort before the call, too,
   * lets the operator end what it has begun elsewhere. Rejects with what the operator's function throws;
   * with a `WaitEnded` when that is how the task is to end.
   */
  wait(attempt: Attempt, wait: Extract<Wait, { kind: 'trigger' }>, signal: AbortSignal): Promise<unknown>
  /** Calls an author's function about something that has happened. Rejects with what it throws. */
  call(callback: CallbackCall, signal: AbortSignal): Promise<void>
  /** Ends everything that is running and resolves when nothing is left. Nothing that runs elsewhere is cancelled. */
  stop(): Promise<void>
}

export type InstanceKey = Pick<TaskInstance, 'dagId' | 'runId' | 'taskId' | 'mapIndex'>
