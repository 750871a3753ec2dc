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
  | 'up_for_reschedule'
  | 'deferred'
  | 'restarting'
  | 'removed'

/** Instants are ISO strings in UTC. */
export interface TaskInstance {
  readonly dagId: string
  readonly runId: string
  readonly taskId: string
  /** -1 for a task that is not mapped, or not yet; -1 and skipped for one that was mapped over nothing. */
  readonly mapIndex: number
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
  /** When a task that is `up_for_retry` or `up_for_reschedule` may run again. */
  readonly retryAt: string | null
  /** When the first look of a sensor was: its timeout counts from there, through retries; cleared with the task. */
  readonly firstStartedAt: string | null
  readonly rescheduleCount: number
  /** What a `deferred` task waits for, and what it hears when it goes on. */
  readonly deferral: Deferral | null
  /** Which of the tasks after it a branch has chosen to skip: also when these are cleared, as long as this one is not. */
  readonly skip: Skip | null
  /** How many elements its output has, if a mapped task is made of it; of an instance of a mapped task 1 where it has answered something, else 0. */
  readonly mapLength: number | null
  /** Its name among the instances of its task, by `mapIndexTemplate`. */
  readonly mapLabel: string | null
  readonly pool: string
  readonly poolSlots: number
  readonly priorityWeight: number
  readonly note: string | null
  /** Why it is in this state, when there is more to say. */
  readonly detail: string | null
  /** The arguments of the latest try with their templates rendered and secrets masked. */
  readonly renderedFields: unknown
  /** Counts the moves, so that a store refuses a change that was made to an older state. */
  readonly revision: number
}

/** What came of a wait. `ends`: its trigger has said how the task ends, so that nothing goes on. */
export type WaitEvent = { readonly value: unknown } | { readonly error: string; readonly ends?: 'failed' | 'skipped' }

/** What a task that holds no worker waits for. Kept as it is; `args` encrypted. */
export interface Deferral {
  readonly wait: Wait
  /** ISO instant at which the wait has failed; null for never. */
  readonly timeoutAt: string | null
  /** What came of the wait, once it is over: the task goes on with it. */
  readonly event: WaitEvent | null
}

export type Wait =
  /** Until an instant. */
  | { readonly kind: 'time'; readonly at: string }
  /** Until the operator's function of that name answers, in a process where many wait together. It may be begun more than once. */
  | { readonly kind: 'trigger'; readonly name: string; readonly args: unknown }
  /** Until somebody answers. */
  | { readonly kind: 'input'; readonly request: InputRequest }

/** A question to a human. */
export interface InputRequest {
  readonly subject: string
  readonly body: string | null
  readonly options: readonly string[]
  readonly defaults: readonly string[] | null
  readonly multiple: boolean
  /** Names of users who may answer; empty for everybody who may run DAGs. */
  readonly assignees: readonly string[]
  /** Default values of further fields, and their JSON Schemas. */
  readonly params: Readonly<Record<string, unknown>>
  readonly paramSchemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly respondedBy: string | null
  readonly respondedAt: string | null
  readonly chosen: readonly string[] | null
  readonly paramsInput: Readonly<Record<string, unknown>> | null
}

/** Of the tasks right after: all but the followed ones and what comes after those; or all right after; or all after, whatever their trigger rules. */
export type Skip = { readonly followed: readonly string[] } | { readonly all: 'direct' | 'descendants' }

/** Every move that a task instance may make. */
export const TASK_INSTANCE_MOVES: Readonly<Record<TaskInstanceState, readonly TaskInstanceState[]>> = {
  // To success or failed from anywhere: marked by hand.
  none: ['scheduled', 'success', 'failed', 'skipped', 'upstream_failed', 'removed'],
  scheduled: ['queued', 'none', 'success', 'failed', 'skipped', 'removed'],
  // Back to scheduled: the platform ended before a worker took it.
  queued: ['running', 'scheduled', 'restarting', 'success', 'failed', 'skipped'],
  // To scheduled: the platform ended while it ran, and it is tried again at once.
  running: ['success', 'failed', 'skipped', 'up_for_retry', 'up_for_reschedule', 'deferred', 'restarting', 'scheduled'],
  up_for_retry: ['scheduled', 'none', 'success', 'failed', 'skipped', 'removed'],
  up_for_reschedule: ['scheduled', 'none', 'success', 'failed', 'skipped', 'removed'],
  // What it waited for has come, or it goes on with the news that it has not.
  deferred: ['scheduled', 'restarting', 'success', 'failed', 'skipped', 'up_for_retry', 'removed'],
  // Cleared while it ran: what runs is ended, then it begins anew.
  restarting: ['none', 'success', 'failed', 'skipped'],
  // Cleared, or marked otherwise by hand.
  success: ['none', 'failed', 'skipped'],
  failed: ['none', 'success', 'skipped'],
  skipped: ['none', 'success', 'failed'],
  upstream_failed: ['none', 'success', 'failed', 'skipped'],
  // The file has the task again.
  removed: ['none'],
}

const FINISHED: ReadonlySet<TaskInstanceState> = new Set(['success', 'failed', 'skipped', 'upstream_failed', 'removed'])
const ACTIVE: ReadonlySet<TaskInstanceState> = new Set(['queued', 'running', 'restarting'])

/** Nothing more will happen to it in this run. */
export const isDone = (state: TaskInstanceState): boolean => FINISHED.has(state)

/** It holds a slot. */
export const isActive = (state: TaskInstanceState): boolean => ACTIVE.has(state)

/** One name for what the four parts name together. */
export const instanceKey = ({ dagId, runId, taskId, mapIndex }: Pick<TaskInstance, 'dagId' | 'runId' | 'taskId' | 'mapIndex'>): string =>
  `${dagId}/${runId}/${taskId}/${mapIndex}`

export function newTaskInstance({ dagId, runId }: Pick<DagRun, 'dagId' | 'runId'>, task: TaskDocument, mapIndex = -1): TaskInstance {
  return {
    dagId,
    runId,
    taskId: task.taskId,
    mapIndex,
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
    firstStartedAt: null,
    rescheduleCount: 0,
    deferral: null,
    skip: null,
    mapLength: null,
    mapLabel: null,
    pool: task.pool,
    poolSlots: task.poolSlots,
    priorityWeight: task.priorityWeight,
    note: null,
    detail: null,
    renderedFields: null,
    revision: 0,
  }
}

/** What a move may bring with it. */
export type MoveFacts = Partial<
  Pick<
    TaskInstance,
    | 'tryNumber'
    | 'maxTries'
    | 'attemptId'
    | 'lostAttempts'
    | 'startedAt'
    | 'endedAt'
    | 'retryAt'
    | 'firstStartedAt'
    | 'rescheduleCount'
    | 'deferral'
    | 'skip'
    | 'mapLength'
    | 'mapLabel'
    | 'detail'
    | 'renderedFields'
    | 'note'
    | 'pool'
    | 'poolSlots'
    | 'priorityWeight'
  >
>

/** The instance after its move to `state`; throws `internal` when the table does not allow it. Times follow from the move. */
export function moveInstance(instance: TaskInstance, state: TaskInstanceState, now: Date, facts: MoveFacts = {}): TaskInstance {
  if (!TASK_INSTANCE_MOVES[instance.state].includes(state)) {
    const { dagId, runId, taskId } = instance
    throw new AppError('internal', `Task "${taskId}" in run "${runId}" of DAG "${dagId}" cannot go from ${instance.state} to ${state}.`)
  }
  const at = now.toISOString()
  const moved: { -readonly [Key in keyof TaskInstance]: TaskInstance[Key] } = {
    ...instance,
    attemptId: isActive(state) ? instance.attemptId : null,
    detail: null,
    retryAt: null,
    state,
    revision: instance.revision + 1,
  }
  if (state === 'none') moved.deferral = null
  if (state === 'scheduled') {
    // The same try goes on after a wait: it began when it first did.
    if (instance.state !== 'deferred' && instance.state !== 'up_for_reschedule') moved.startedAt = null
    moved.scheduledAt = at
    moved.queuedAt = null
    moved.endedAt = null
  } else if (state === 'queued') moved.queuedAt = at
  else if (state === 'running') moved.startedAt ??= at
  else if (isDone(state) || state === 'up_for_retry') {
    moved.endedAt = at
    // Who was asked what, and what they have answered, is kept.
    if (state === 'up_for_retry' || instance.deferral?.wait.kind !== 'input') moved.deferral = null
  }
  return Object.assign(moved, facts)
}

export interface TaskInstanceStore {
  find(dagId: string, runId: string, taskId: string, mapIndex?: number): Promise<TaskInstance | null>
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
  /** Whether some run of the DAG with an earlier logical date has had the task. */
  existsBefore(dagId: string, taskId: string, logicalDate: string): Promise<boolean>
}
