/** What comes next in a run: which tasks are ready, which can no longer run, and whether the run has ended. Pure. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import type { DagRun } from './dag-run.ts'
import { isActive, isDone, moveInstance, newTaskInstance, type TaskInstance, type TaskInstanceState } from './task-instance.ts'
import { verdict } from './trigger-rule.ts'

export type Instances = ReadonlyMap<string, TaskInstance>

export interface Decision {
  /** Instances after their moves; each stands once for every move it made, in order. */
  readonly moves: readonly TaskInstance[]
  readonly outcome: 'success' | 'failed' | null
  /** When the next retry is due. */
  readonly wakeAt: Date | null
}

/**
 * Looks at every unfinished task in the order of its edges, so that one call follows a chain of skips to its end.
 * Asked again about the answer, it has nothing to add.
 */
export function decide(dag: DagDocument, instances: Instances, now: Date): Decision {
  const states = new Map<string, TaskInstanceState>()
  const moves: TaskInstance[] = []
  let wakeAt = null as Date | null
  for (const task of inOrder(dag)) {
    const instance = instances.get(task.taskId)
    if (!instance) continue
    states.set(task.taskId, instance.state)
    if (instance.state === 'up_for_retry') {
      const due = new Date(instance.retryAt ?? now)
      if (due > now) wakeAt = wakeAt && wakeAt < due ? wakeAt : due
      else moves.push(moveInstance(instance, 'scheduled', now))
    }
    if (instance.state === 'none') {
      const found = verdict(
        task.triggerRule,
        task.upstream.map((id) => states.get(id) ?? 'none'),
      )
      if (found === 'wait') continue
      const moved = moveInstance(instance, found === 'run' ? 'scheduled' : found, now, { detail: reason(task, found) })
      moves.push(moved)
      states.set(task.taskId, moved.state)
    }
  }
  // A task that the file no longer has may still be running.
  for (const { taskId, state } of instances.values()) if (!states.has(taskId) && isActive(state)) states.set(taskId, state)
  return { moves, outcome: outcome(dag, states, moves.length > 0), wakeAt }
}

/** The instances of a run as its DAG's file has them now: new tasks are added, tasks that are gone are removed. Only what changed. */
export function reconcile(dag: DagDocument, run: DagRun, instances: Instances, now: Date): TaskInstance[] {
  const changed: TaskInstance[] = []
  const known = new Set(dag.tasks.map((task) => task.taskId))
  for (const task of dag.tasks) {
    const instance = instances.get(task.taskId)
    if (!instance) changed.push(newTaskInstance(run, task))
    else if (instance.state === 'removed') changed.push(moveInstance(instance, 'none', now))
  }
  for (const instance of instances.values()) {
    const isIdle = instance.state === 'none' || instance.state === 'scheduled' || instance.state === 'up_for_retry'
    if (!known.has(instance.taskId) && isIdle) {
      changed.push(moveInstance(instance, 'removed', now, { detail: "The DAG's file no longer has this task." }))
    }
  }
  return changed
}

/** The leaves decide: a leaf that succeeds because of its trigger rule makes the run a success although something before it failed. */
function outcome(dag: DagDocument, states: ReadonlyMap<string, TaskInstanceState>, hasMoved: boolean): 'success' | 'failed' | null {
  if ([...states.values()].every(isDone)) {
    const leaves = dag.tasks.filter((task) => task.downstream.length === 0).map((task) => states.get(task.taskId))
    return leaves.some((state) => state === 'failed' || state === 'upstream_failed') ? 'failed' : 'success'
  }
  // Deadlock: nothing runs or will be tried again, and nothing that waits can ever be ready.
  const isStuck = !hasMoved && [...states.values()].every((state) => isDone(state) || state === 'none')
  return isStuck ? 'failed' : null
}

const reason = (task: TaskDocument, found: 'run' | 'skipped' | 'upstream_failed'): string | null =>
  found === 'run' ? null : `Its trigger rule ${task.triggerRule} can no longer be met by the tasks before it.`

const orders = new WeakMap<DagDocument, readonly TaskDocument[]>()

/** Every task after all that come before it; otherwise as the file has them. */
function inOrder(dag: DagDocument): readonly TaskDocument[] {
  const known = orders.get(dag)
  if (known) return known
  const byId = new Map(dag.tasks.map((task) => [task.taskId, task]))
  const missing = new Map(dag.tasks.map((task) => [task.taskId, task.upstream.length]))
  const order = dag.tasks.filter((task) => task.upstream.length === 0)
  for (const task of order) {
    for (const id of task.downstream) {
      const left = (missing.get(id) ?? 0) - 1
      missing.set(id, left)
      const next = byId.get(id)
      if (left === 0 && next) order.push(next)
    }
  }
  orders.set(dag, order)
  return order
}
