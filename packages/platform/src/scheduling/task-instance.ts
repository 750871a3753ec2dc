/** One task in one run: its facts, its states and the moves between them. Pure. */
import type { TaskDocument } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import type { DagRun } from './dag-run.ts'

export type TaskInstanceState =
  | 'none'
  | 'scheduled'
  | 'queued'
  | 'running'
  | 'success'
  | 'failed'
  | 'skipped'
  | 'upstream_failed'
  | 'up_for_retry'
  | 'removed'

/** Instants are ISO strings in UTC. */
export interface TaskInstance {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  readonly operator: string
  readonly state: TaskInstanceState
  /** 0 before the first try. */
  readonly tryNumber: number
  readonly maxTries: number
  /** The fencing token of the try under way: what any other attempt reports is not heard. */
  readonly attemptId: string | null
  /** How many tries were lost because the platform ended, by no fault of the task. */
  readonly lostAttempts: number
  readonly scheduledAt: string | null
  readonly queuedAt: string | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  /** When a task that is `up_for_retry` may run again. */
  readonly retryAt: string | null
  /** Why it is in this state, when there is more to say. */
  readonly detail: string | null
  /** The arguments of the latest try with their templates rendered and secrets masked. */
  readonly renderedFields: unknown
  /** Counts the moves, so that a store refuses a change that was made to an older state. */
  readonly revision: number
}

/** Every move that a task instance may make. */
export const TASK_INSTANCE_MOVES: Readonly<Record<TaskInstanceState, readonly TaskInstanceState[]>> = {
  none: ['scheduled', 'skipped', 'upstream_failed', 'removed'],
  scheduled: ['queued', 'skipped', 'failed', 'removed'],
  // Back to scheduled: the platform ended before a worker took it.
  queued: ['running', 'scheduled', 'failed', 'skipped'],
  // To scheduled: the platform ended while it ran, and it is tried again at once.
  running: ['success', 'failed', 'skipped', 'up_for_retry', 'scheduled'],
  up_for_retry: ['scheduled', 'failed', 'skipped', 'removed'],
  success: [],
  failed: [],
  skipped: [],
  upstream_failed: [],
  // The file has the task again.
  removed: ['none'],
}

const FINISHED: ReadonlySet<TaskInstanceState> = new Set(['success', 'failed', 'skipped', 'upstream_failed', 'removed'])
const ACTIVE: ReadonlySet<TaskInstanceState> = new Set(['queued', 'running'])

/** Nothing more will happen to it in this run. */
export const isDone = (state: TaskInstanceState): boolean => FINISHED.has(state)

/** It holds a slot. */
export const isActive = (state: TaskInstanceState): boolean => ACTIVE.has(state)

export function newTaskInstance({ dagId, runId }: Pick<DagRun, 'dagId' | 'runId'>, task: TaskDocument): TaskInstance {
  return {
    dagId,
    runId,
    taskId: task.taskId,
    operator: task.operator,
    state: 'none',
    tryNumber: 0,
    maxTries: task.retries,
    attemptId: null,
    lostAttempts: 0,
    scheduledAt: null,
    queuedAt: null,
    startedAt: null,
    endedAt: null,
    retryAt: null,
    detail: null,
    renderedFields: null,
    revision: 0,
  }
}

/** What a move may bring with it. */
export type MoveFacts = Partial<
  Pick<TaskInstance, 'tryNumber' | 'maxTries' | 'attemptId' | 'lostAttempts' | 'retryAt' | 'detail' | 'renderedFields'>
>

/** The instance after its move to `state`; throws `internal` when the table does not allow it. Times follow from the move. */
export function moveInstance(instance: TaskInstance, state: TaskInstanceState, now: Date, facts: MoveFacts = {}): TaskInstance {
  if (!TASK_INSTANCE_MOVES[instance.state].includes(state)) {
    const { dagId, runId, taskId } = instance
    throw new AppError('internal', `Task "${taskId}" in run "${runId}" of DAG "${dagId}" cannot go from ${instance.state} to ${state}.`)
  }
  const at = now.toISOString()
  return {
    ...instance,
    attemptId: isActive(state) ? instance.attemptId : null,
    detail: null,
    retryAt: null,
    ...(state === 'scheduled' && { scheduledAt: at, queuedAt: null, startedAt: null, endedAt: null }),
    ...(state === 'queued' && { queuedAt: at }),
    ...(state === 'running' && { startedAt: at }),
    ...((isDone(state) || state === 'up_for_retry') && { endedAt: at }),
    ...facts,
    state,
    revision: instance.revision + 1,
  }
}

export interface TaskInstanceStore {
  find(dagId: string, runId: string, taskId: string): Promise<TaskInstance | null>
  /** Those of one run in the order of its file, or of several runs newest first; leave ids out for all of them. */
  list(query: {
    readonly dagId?: string
    readonly runId?: string
    readonly states?: readonly TaskInstanceState[]
    readonly limit: number
    readonly offset: number
  }): Promise<{ instances: TaskInstance[]; total: number }>
  /** Every instance of one run. */
  listOfRun(dagId: string, runId: string): Promise<TaskInstance[]>
}
