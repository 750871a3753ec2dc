/** Whether a run is over, and how. Pure. */
import type { BoardRun } from './board-run.ts'
import type { PlannedTask } from './dag-plan.ts'

export interface Outcome {
  readonly state: 'success' | 'failed'
  readonly reason: string
}

/** The leaves decide: one that succeeds because of its trigger rule makes the run a success although something before it failed. */
export function outcomeOf(of: BoardRun): Outcome | null {
  const { plan } = of
  if (!plan) return null
  if (of.unfinished > 0) return isDeadlocked(of) ? { state: 'failed', reason: 'all_tasks_deadlocked' } : null
  const deciding = plan.document.failFast ? plan.order.filter(({ isIgnorable }) => !isIgnorable) : plan.leaves
  return deciding.some((task) => hasFailed(of, task))
    ? { state: 'failed', reason: 'task_failure' }
    : { state: 'success', reason: 'success' }
}

function hasFailed(of: BoardRun, { taskId }: PlannedTask): boolean {
  const counts = of.tasks.get(taskId)?.counts
  return counts !== undefined && counts.failed + counts.upstream_failed > 0
}

/** Nothing runs or will be tried again, and nothing that waits can ever begin: not even when another run has moved on. */
function isDeadlocked(of: BoardRun): boolean {
  if (of.counts.none < of.unfinished || of.isDirty) return false
  for (const { planned, counts } of of.tasks.values()) {
    if (counts.none === 0 || !planned) continue
    const { dependsOnPast, waitForDownstream, maxActivePerDag, maxActivePerRun } = planned.document
    if (dependsOnPast || waitForDownstream || maxActivePerDag !== null || maxActivePerRun !== null) return false
  }
  return true
}
