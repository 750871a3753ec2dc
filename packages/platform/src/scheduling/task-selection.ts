/** Which tasks of which runs somebody means who clears or marks: ids with relatives, and runs before or after. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { AppError, didYouMean } from '../core/app-error.ts'
import type { DagRun } from './dag-run.ts'
import { TaskGraph } from './task-graph.ts'
import type { TaskInstance } from './task-instance.ts'

/** A task, all of its mapped instances; or one of them. */
export type TaskReference = string | readonly [taskId: string, mapIndex: number]

/** Map indices of each task that is meant; `all` also stands for a task that is not mapped. */
export type TaskSelection = ReadonlyMap<string, ReadonlySet<number> | 'all'>

/** One run, or those with a logical date from here to there, both included (ISO, UTC); null for no bound. */
export type RunRange = 'all' | { readonly runId: string } | { readonly from: string | null; readonly to: string | null }

export interface RunWithInstances {
  readonly run: DagRun
  readonly instances: readonly TaskInstance[]
}

/** So many unknown tasks are named, each with what may have been meant. */
const MOST_UNKNOWN = 20

/**
 * The tasks that `references` (ids of tasks or of groups; null for all) name, with what lies before or after them. In a mapped group
 * the relatives of one instance are those of its own index. Throws `not_found` with every id that the DAG does not have.
 */
export function selectTasks(
  document: DagDocument,
  references: readonly TaskReference[] | null,
  { upstream, downstream }: { readonly upstream: boolean; readonly downstream: boolean },
): TaskSelection {
  const graph = new TaskGraph(document)
  const selection = new Map<string, Set<number> | 'all'>()
  const unknown: string[] = []
  for (const reference of references ?? graph.ids) {
    const [id, mapIndex] = typeof reference === 'string' ? [reference, null] : reference
    const taskIds = graph.task(id) ? [id] : mapIndex === null ? graph.tasksOfGroup(id) : []
    if (taskIds.length === 0) {
      if (unknown.length === MOST_UNKNOWN) {
        unknown.push('There are more.')
        break
      }
      unknown.push(`There is no task or group "${id}".${didYouMean(id, [...graph.ids, ...graph.groupIds])}`)
    }
    for (const taskId of taskIds) {
      add(selection, taskId, mapIndex)
      const relatives = [...(upstream ? graph.before(taskId) : []), ...(downstream ? graph.after(taskId) : [])]
      for (const relative of relatives) add(selection, relative, sameIndex(graph, taskId, relative, mapIndex))
    }
  }
  if (unknown.length > 0) {
    throw new AppError('not_found', `DAG "${document.dagId}" does not have all of these tasks.`, { problems: unknown })
  }
  return selection
}

export const isSelected = (selection: TaskSelection, { taskId, mapIndex }: Pick<TaskInstance, 'taskId' | 'mapIndex'>): boolean => {
  const indices = selection.get(taskId)
  return indices === 'all' || (indices?.has(mapIndex) ?? false)
}

/** The index of `other` that goes with one index of `taskId`: the same in their mapped group, else all (null). */
export function sameIndex(graph: TaskGraph, taskId: string, other: string, mapIndex: number | null): number | null {
  const group = graph.mappedGroup(taskId)
  return group !== null && mapIndex !== null && mapIndex >= 0 && graph.mappedGroup(other) === group ? mapIndex : null
}

/** The runs from that of `run` on, up to it, or all of them. Throws `invalid` for a run that stands nowhere in time. */
export function runsAround(run: DagRun, { future, past }: { readonly future: boolean; readonly past: boolean }): RunRange {
  if (!future && !past) return { runId: run.runId }
  if (run.logicalDate === null) {
    throw new AppError(
      'invalid',
      `Run "${run.runId}" of DAG "${run.dagId}" has no logical date, so no run is in its past or future. Leave out past and future.`,
    )
  }
  return { from: past ? null : run.logicalDate, to: future ? null : run.logicalDate }
}

function add(selection: Map<string, Set<number> | 'all'>, taskId: string, mapIndex: number | null): void {
  const known = selection.get(taskId)
  if (mapIndex === null) selection.set(taskId, 'all')
  else if (known !== 'all') selection.set(taskId, (known ?? new Set()).add(mapIndex))
}
