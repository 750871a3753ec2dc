/** The limits that hold a ready task back, each under a name, in the order in which they are looked at. Pure. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import type { Slots } from './slots.ts'
import { taskInRunKey, taskKey } from './slots.ts'
import type { TaskInstance } from './task-instance.ts'

const pausedLimit = (dagId: string) => `paused/${dagId}`
const dagLimit = (dagId: string) => `dag/${dagId}`
const taskLimit = (dagId: string, taskId: string) => `task/${taskKey(dagId, taskId)}`
const taskInRunLimit = (dagId: string, taskId: string, runId: string) => `taskInRun/${taskInRunKey(dagId, taskId, runId)}`
const poolLimit = (pool: string, poolSlots: number) => `pool/${poolSlots}/${pool}`

/** Tasks with the same key are held back by the same limits, so that only the first of them need be looked at. */
export function lineKey({ dagId, runId, taskId, pool, poolSlots }: TaskInstance, task: TaskDocument | undefined): string {
  const own =
    task?.maxActivePerRun != null ? taskInRunKey(dagId, taskId, runId) : task?.maxActivePerDag != null ? taskKey(dagId, taskId) : dagId
  return `${poolSlots}/${pool}/${own}`
}

/** The limits at which there is more room when this instance gives its slots back. `sizes`: how many slots of its pool tasks wait for. */
export function limitsOf({ dagId, runId, taskId, pool }: TaskInstance, slots: Slots, sizes: Iterable<number>): string[] {
  const left = slots.left(pool)
  const ofPool = [...sizes].filter((size) => size <= left).map((size) => poolLimit(pool, size))
  return [dagLimit(dagId), taskLimit(dagId, taskId), taskInRunLimit(dagId, taskId, runId), ...ofPool]
}

/** The first limit without room for the instance; null when all have it. `parallelism` is not among them: see the selection. */
export function reachedLimit(
  { dagId, runId, taskId, pool, poolSlots }: TaskInstance,
  dag: { readonly isPaused: boolean; readonly document: Pick<DagDocument, 'maxActiveTasks'> },
  task: TaskDocument,
  slots: Slots,
): string | null {
  if (dag.isPaused) return pausedLimit(dagId)
  if (slots.activeOfDag(dagId) >= dag.document.maxActiveTasks) return dagLimit(dagId)
  if (task.maxActivePerDag !== null && slots.activeOfTask(dagId, taskId) >= task.maxActivePerDag) return taskLimit(dagId, taskId)
  if (task.maxActivePerRun !== null && slots.activeOfTaskInRun(dagId, taskId, runId) >= task.maxActivePerRun) {
    return taskInRunLimit(dagId, taskId, runId)
  }
  return slots.left(pool) < poolSlots ? poolLimit(pool, poolSlots) : null
}
