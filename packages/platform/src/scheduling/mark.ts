/** Marking: states that somebody sets by hand, of tasks and of whole runs. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { type Cleared, clearPicked, withSurroundings } from './clear.ts'
import { type DagRun, type DagRunState, isFinished, moveRun } from './dag-run.ts'
import { TaskGraph } from './task-graph.ts'
import { isDone, moveInstance, type TaskInstance, type TaskInstanceState } from './task-instance.ts'
import { isSelected, type RunRange, type RunWithInstances, runsAround, selectTasks, type TaskReference } from './task-selection.ts'

export type MarkedState = 'success' | 'failed' | 'skipped'

export interface MarkRequest {
  /** Without a map index: every instance of the task. */
  readonly keys: readonly { readonly taskId: string; readonly mapIndex?: number }[]
  readonly state: MarkedState
  readonly upstream: boolean
  readonly downstream: boolean
  readonly future: boolean
  readonly past: boolean
}

export interface Marked {
  /** What changes its state, as it is then. What was running, queued, restarting or deferred is to be ended. */
  readonly instances: readonly TaskInstance[]
  /** What had failed, or could not run, after the marked tasks: it begins anew, with the setups and teardowns around it. */
  readonly cleared: Cleared
}

/** Which runs a request is about, beginning at `run`. Throws `invalid` for one that stands nowhere in time. */
export const runsToMark = ({ future, past }: Pick<MarkRequest, 'future' | 'past'>, run: DagRun): RunRange =>
  runsAround(run, { future, past })

/**
 * What a request marks in `runs`, which are those of {@link runsToMark} with all of their instances. As in Airflow the tasks after the
 * marked ones that are `failed` or `upstream_failed` are cleared, so that these runs go on. Throws `not_found`.
 */
export function markTasks(document: DagDocument, request: MarkRequest, runs: readonly RunWithInstances[], now: Date): Marked {
  const references = request.keys.map(({ taskId, mapIndex }): TaskReference => (mapIndex === undefined ? taskId : [taskId, mapIndex]))
  const meant = selectTasks(document, references, request)
  const graph = new TaskGraph(document)
  const following = selectTasks(document, references, { upstream: false, downstream: true })
  const isMarked = (instance: TaskInstance) => isSelected(meant, instance) && instance.state !== 'removed'
  if (!runs.some(({ instances }) => instances.some(isMarked))) {
    const ids = request.keys.map(({ taskId, mapIndex }) => (mapIndex === undefined ? `"${taskId}"` : `"${taskId}" [${mapIndex}]`))
    throw new AppError('not_found', `There is nothing to mark: ${ids.join(', ')} of DAG "${document.dagId}" has no instance in these runs.`)
  }
  const instances = runs.flatMap((one) => one.instances.filter((i) => isMarked(i) && i.state !== request.state))
  const picked = runs.map(({ run, instances: all }) => ({
    run,
    selected: withSurroundings(
      graph,
      all.filter((i) => FAILED_LIKE.has(i.state) && isSelected(following, i) && !isMarked(i)),
      all,
    ).filter((i) => !isMarked(i)),
  }))
  return {
    instances: instances.map((instance) => mark(instance, request.state, now)),
    cleared: clearPicked(document, { resetDagRuns: true, preventRunningTask: false, note: null }, picked, now),
  }
}

export interface MarkedRun {
  /** The very same object when a teardown has to run before the run can end. */
  readonly run: DagRun
  /** What changes its state, as it is then. What was running, queued, restarting or deferred is to be ended. */
  readonly instances: readonly TaskInstance[]
}

/**
 * What else happens when a whole run is marked. `success`: all of its tasks are a success. `failed`: what works fails, what has not begun is
 * skipped. Either way teardowns that are not through still run, and the run ends when they have; to fail then, its last tasks that have
 * not begun become `upstream_failed` rather than skipped. `queued` takes a run up again that has ended. Throws `conflict` when the run is
 * not one that can be.
 */
export function markRun(
  document: DagDocument,
  run: DagRun,
  instances: readonly TaskInstance[],
  state: Exclude<DagRunState, 'running'>,
  now: Date,
): MarkedRun {
  if (state === 'queued') return { run: requeue(run, now), instances: [] }
  const tasks = new Map(document.tasks.map((task) => [task.taskId, task]))
  const isPendingTeardown = (one: TaskInstance) => tasks.get(one.taskId)?.role === 'teardown' && !isDone(one.state)
  const isKept = instances.some(isPendingTeardown)
  const others = instances.filter((one) => !isPendingTeardown(one) && one.state !== 'removed')
  const isLast = ({ taskId }: TaskInstance) =>
    tasks.get(taskId)?.downstream.every((after) => tasks.get(after)?.role === 'teardown') ?? false
  const target = (one: TaskInstance): TaskInstanceState => {
    if (state === 'success') return 'success'
    if (isDone(one.state)) return one.state
    if (WORKING.has(one.state)) return 'failed'
    return isKept && one.state === 'none' && isLast(one) ? 'upstream_failed' : 'skipped'
  }
  const marked = others.flatMap((one) => (target(one) === one.state ? [] : mark(one, target(one), now)))
  const isThere = isKept || run.state === state
  return { run: isThere ? run : moveRun(run, state, now), instances: marked }
}

const FAILED_LIKE: ReadonlySet<TaskInstanceState> = new Set(['failed', 'upstream_failed'])

const WORKING: ReadonlySet<TaskInstanceState> = new Set(['running', 'deferred', 'up_for_reschedule', 'restarting'])

const mark = (instance: TaskInstance, state: TaskInstanceState, now: Date): TaskInstance => ({
  ...moveInstance(instance, state, now, { detail: `Marked ${state} by hand.` }),
  attemptId: null,
})

function requeue(run: DagRun, now: Date): DagRun {
  if (run.state === 'queued') return run
  if (isFinished(run.state)) return { ...moveRun(run, 'queued', now), startedAt: null, queuedAt: now.toISOString() }
  throw new AppError(
    'conflict',
    `Run "${run.runId}" of DAG "${run.dagId}" is running. Mark it success or failed before you queue it again.`,
  )
}
