/** Clearing: task instances that begin anew, and the runs that are taken up again for them. Pure. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { type DagRun, isFinished, moveRun } from './dag-run.ts'
import { deadlinesOf } from './deadline.ts'
import { TaskGraph } from './task-graph.ts'
import { moveInstance, type TaskInstance, type TaskInstanceState } from './task-instance.ts'
import {
  isSelected,
  type RunRange,
  type RunWithInstances,
  runsAround,
  sameIndex,
  selectTasks,
  type TaskReference,
} from './task-selection.ts'
import type { TaskTry } from './task-try.ts'

/** As in Airflow's REST API, where `dryRun`, `onlyFailed` and `resetDagRuns` are true by default and the others false. */
export interface ClearRequest {
  /** Nothing is recorded: the caller answers {@link Cleared.selected}. */
  readonly dryRun: boolean
  /** Only what failed, or could not run because of it; with `onlyRunning` also what runs. */
  readonly onlyFailed: boolean
  readonly onlyRunning: boolean
  /** Runs that have ended are taken up again; otherwise what is cleared in them waits until somebody does that. */
  readonly resetDagRuns: boolean
  readonly includeUpstream: boolean
  readonly includeDownstream: boolean
  /** Also in the runs after or before this one, by logical date. */
  readonly includeFuture: boolean
  readonly includePast: boolean
  /** Ids of tasks or groups, or a task with one map index; null for all. */
  readonly taskIds: readonly TaskReference[] | null
  /** Either a run, or bounds of logical dates, both included; null for no bound. */
  readonly runId: string | null
  readonly startDate: Date | null
  readonly endDate: Date | null
  /** Refuse to clear what is running. */
  readonly preventRunningTask: boolean
  /** Of the cleared instances; null to keep theirs. */
  readonly note: string | null
}

export interface Cleared {
  /** What is cleared, as it was. */
  readonly selected: readonly TaskInstance[]
  /** What becomes of it: revision one higher. */
  readonly instances: readonly TaskInstance[]
  /** Runs that are taken up again. */
  readonly runs: readonly DagRun[]
  /** The last tries of what had run, to be kept. Those of restarting ones follow when these have ended. */
  readonly tries: readonly TaskTry[]
}

/** Clears a whole run. */
export const clearRunRequest = (runId: string, { onlyFailed, dryRun }: Pick<ClearRequest, 'onlyFailed' | 'dryRun'>): ClearRequest => ({
  dryRun,
  onlyFailed,
  onlyRunning: false,
  resetDagRuns: true,
  includeUpstream: false,
  includeDownstream: false,
  includeFuture: false,
  includePast: false,
  taskIds: null,
  runId,
  startDate: null,
  endDate: null,
  preventRunningTask: false,
  note: null,
})

/** Which runs a request is about; `run` is the one of its `runId`, if it has one. Throws `invalid` with everything that is wrong with it. */
export function runsToClear(request: ClearRequest, run: DagRun | null): RunRange {
  const { runId, startDate, endDate, includeFuture, includePast, taskIds } = request
  const problems: string[] = []
  if (runId !== null && (startDate || endDate)) problems.push('dag_run_id and start_date or end_date exclude each other: send one of them.')
  if (startDate && includePast) problems.push('start_date and include_past exclude each other: send one of them.')
  if (endDate && includeFuture) problems.push('end_date and include_future exclude each other: send one of them.')
  if (startDate && endDate && startDate > endDate) problems.push('end_date is before start_date.')
  if (taskIds?.length === 0) problems.push('task_ids is empty: name a task, or leave it out for all of them.')
  if (problems.length > 0) throw new AppError('invalid', 'Tasks cannot be cleared like this.', { problems })
  if (run) return runsAround(run, { future: includeFuture, past: includePast })
  // Only all of them are also those without a logical date.
  if (!startDate && !endDate) return 'all'
  return { from: startDate?.toISOString() ?? null, to: endDate?.toISOString() ?? null }
}

/**
 * What a request clears in `runs`, which are those of {@link runsToClear} with all of their instances. The setups and teardowns around a
 * cleared task are cleared with it, whatever their state. Throws `not_found` for tasks that the DAG does not have, `conflict` when
 * something runs and the request does not want that to be ended.
 */
export function clear(document: DagDocument, request: ClearRequest, runs: readonly RunWithInstances[], now: Date): Cleared {
  const graph = new TaskGraph(document)
  const tasks = selectTasks(document, request.taskIds, { upstream: request.includeUpstream, downstream: request.includeDownstream })
  const states = statesToClear(request)
  const picked = runs.flatMap(({ run, instances }) => {
    const meant = instances.filter((one) => isSelected(tasks, one) && (states?.includes(one.state) ?? true))
    return { run, selected: withSurroundings(graph, meant, instances) }
  })
  return clearPicked(document, request, picked, now)
}

/** The instance as it is once it is cleared: `none`, or `restarting` as long as a worker or something elsewhere works for it. */
export function clearInstance(instance: TaskInstance, task: TaskDocument, now: Date): TaskInstance {
  const cleared = { ...instance, maxTries: instance.tryNumber + task.retries }
  if (instance.state === 'none') return { ...cleared, revision: instance.revision + 1 }
  if (isWorking(instance)) {
    // It keeps its token and what it waits for, so that these can be ended, also after a crash.
    const facts = { attemptId: instance.attemptId, deferral: instance.deferral, maxTries: cleared.maxTries }
    return instance.state === 'restarting'
      ? { ...cleared, revision: instance.revision + 1 }
      : moveInstance(instance, 'restarting', now, facts)
  }
  return beginAnew(cleared, task, now)
}

/** A restarting instance whose work has ended: it begins anew. Its try is to be kept before. */
export const restartInstance = (instance: TaskInstance, task: TaskDocument, now: Date): TaskInstance => beginAnew(instance, task, now)

/** The row that is kept of the last try of an instance; null when it has had none. */
export function tryOf(instance: TaskInstance): TaskTry | null {
  if (instance.tryNumber === 0 || isBetweenTries(instance)) return null
  const { dagId, runId, taskId, mapIndex, tryNumber, maxTries, operator, state, scheduledAt, queuedAt } = instance
  const { startedAt, endedAt, detail, renderedFields, pool, poolSlots, priorityWeight } = instance
  return {
    ...{ dagId, runId, taskId, mapIndex, tryNumber, maxTries, operator, state, scheduledAt, queuedAt },
    ...{ startedAt, endedAt, detail, renderedFields, pool, poolSlots, priorityWeight },
  }
}

/** Its last try is kept already, and the next one has not begun. */
const isBetweenTries = ({ state, deferral, rescheduleCount }: TaskInstance): boolean =>
  state === 'none' || (state === 'scheduled' && deferral === null && rescheduleCount === 0)

/** A run that has ended, taken up again. Deadlines that count from its queueing begin anew with it. */
export function reopenRun(document: Pick<DagDocument, 'deadlines'>, run: DagRun, now: Date): DagRun {
  const reopened = { ...moveRun(run, 'queued', now), startedAt: null, queuedAt: now.toISOString(), clearNumber: run.clearNumber + 1 }
  const renewed = deadlinesOf(document, reopened)
  const deadlines = run.deadlines.map((deadline, i) =>
    document.deadlines[i]?.reference.kind === 'queuedAt' ? (renewed[i] ?? null) : deadline,
  )
  return { ...reopened, deadlines, decidedAt: null }
}

interface Picked {
  readonly run: DagRun
  readonly selected: readonly TaskInstance[]
}

/** Clears what has been picked. */
export function clearPicked(
  document: DagDocument,
  request: Pick<ClearRequest, 'resetDagRuns' | 'preventRunningTask' | 'note'>,
  picked: readonly Picked[],
  now: Date,
): Cleared {
  const tasks = new Map(document.tasks.map((task) => [task.taskId, task]))
  const selected = picked.flatMap((one) => one.selected)
  const running = selected.filter(({ state }) => state === 'running')
  if (request.preventRunningTask && running.length > 0) {
    throw new AppError(
      'conflict',
      'Tasks that are running are not cleared. Wait for them, or send prevent_running_task: false to end them.',
      {
        problems: running.map(
          ({ taskId, runId, mapIndex }) => `Task "${taskId}"${mapIndex < 0 ? '' : ` [${mapIndex}]`} is running in run "${runId}".`,
        ),
      },
    )
  }
  const instances = selected.map((instance) => {
    const cleared = clearInstance(instance, tasks.get(instance.taskId) as TaskDocument, now)
    return request.note === null ? cleared : { ...cleared, note: request.note }
  })
  const runs = picked
    .filter(({ run, selected: some }) => request.resetDagRuns && some.length > 0 && isFinished(run.state))
    .map(({ run }) => reopenRun(document, run, now))
  const tries = selected.filter((instance) => !isWorking(instance)).flatMap((instance) => tryOf(instance) ?? [])
  return { selected, instances, runs, tries }
}

/** Something is at work for it that has to be ended first. */
const isWorking = ({ state }: TaskInstance): boolean => WORKING.has(state)

const WORKING: ReadonlySet<TaskInstanceState> = new Set(['queued', 'running', 'deferred', 'restarting'])

function statesToClear({ onlyFailed, onlyRunning }: ClearRequest): TaskInstanceState[] | null {
  if (!onlyFailed && !onlyRunning) return null
  return [...(onlyFailed ? (['failed', 'upstream_failed'] as const) : []), ...(onlyRunning ? (['running'] as const) : [])]
}

function beginAnew(instance: TaskInstance, task: TaskDocument, now: Date): TaskInstance {
  return {
    ...moveInstance(instance, 'none', now, { deferral: null, skip: null, mapLength: null, mapLabel: null, renderedFields: null }),
    scheduledAt: null,
    queuedAt: null,
    startedAt: null,
    endedAt: null,
    firstStartedAt: null,
    rescheduleCount: 0,
    lostAttempts: 0,
    pool: task.pool,
    poolSlots: task.poolSlots,
    priorityWeight: task.priorityWeight,
  }
}

/** What is meant, with the setups and teardowns around it, in the order of `all`. What the file no longer has is left as it is. */
export function withSurroundings(graph: TaskGraph, meant: readonly TaskInstance[], all: readonly TaskInstance[]): TaskInstance[] {
  const keys = new Set<string>()
  const key = (taskId: string, mapIndex: number | null) => `${taskId}/${mapIndex ?? '*'}`
  for (const { taskId, mapIndex } of meant) {
    keys.add(key(taskId, mapIndex))
    for (const other of graph.surroundings(taskId)) keys.add(key(other, sameIndex(graph, taskId, other, mapIndex)))
  }
  return all.filter(
    ({ taskId, mapIndex, state }) =>
      state !== 'removed' && graph.task(taskId) !== undefined && (keys.has(key(taskId, mapIndex)) || keys.has(key(taskId, null))),
  )
}
