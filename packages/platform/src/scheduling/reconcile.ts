/** The instances of a run as its DAG's file has them now: new tasks are added, tasks that are gone are removed. */
import type { BoardRun } from './board-run.ts'
import type { DagPlan, PlannedTask } from './dag-plan.ts'
import { isActive, isDone, newTaskInstance, type TaskInstance } from './task-instance.ts'
import type { Turn } from './turn.ts'

export function reconcile(turn: Turn, of: BoardRun, plan: DagPlan): void {
  of.follow(plan)
  of.reconciledWith = plan
  for (const planned of plan.order) {
    const task = of.tasks.get(planned.taskId)
    if (!task || task.instances.size === 0) {
      turn.put(of, newInstance(of, planned))
      continue
    }
    const isGone = (mapIndex: number) => mapIndex >= 0 && !planned.expand
    for (const instance of [...task.instances.values()]) {
      if (instance.state === 'removed' && !isGone(instance.mapIndex)) turn.move(of, instance, 'none')
      else if (isIdle(instance) && isGone(instance.mapIndex)) {
        turn.move(of, instance, 'removed', { detail: 'The task is no longer mapped.' })
      }
    }
    const isMappedNow = planned.expand !== null && [...task.instances.keys()].some((index) => index >= 0)
    if (!isMappedNow && !task.single) turn.put(of, newInstance(of, planned))
  }
  for (const task of of.tasks.values()) {
    if (task.planned) continue
    for (const instance of [...task.instances.values()]) {
      if (isIdle(instance)) turn.move(of, instance, 'removed', { detail: "The DAG's file no longer has this task." })
    }
  }
}

export const newInstance = (of: BoardRun, planned: PlannedTask, mapIndex = -1): TaskInstance => ({
  ...newTaskInstance(of.run, planned.document, mapIndex),
  priorityWeight: planned.priorityWeight,
})

/** A task that has not begun. */
const isIdle = ({ state }: TaskInstance): boolean => !isActive(state) && !isDone(state) && state !== 'deferred'
