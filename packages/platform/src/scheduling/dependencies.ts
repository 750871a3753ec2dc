/** Whether an instance that has not begun may begin, given what lies before it in its run and in the run before. Pure. */
import { type BoardRun, type BoardTask, isSameGroup, type Past } from './board-run.ts'
import type { DagPlan, PlannedTask } from './dag-plan.ts'
import { TaskGraph } from './task-graph.ts'
import type { Skip, TaskInstance, TaskInstanceState } from './task-instance.ts'
import { addState, noCounts, ruleVerdict, setupVerdict, teardownVerdict, type UpstreamCounts, type Verdict } from './trigger-rule.ts'

export interface Finding {
  readonly verdict: Verdict
  /** Why it waits or cannot run. */
  readonly detail: string | null
}

const RUN: Finding = { verdict: 'run', detail: null }

/** What the instance hears from branches, setups, its trigger rule, and the run before, in this order. */
export function examine(of: BoardRun, planned: PlannedTask, instance: TaskInstance): Finding {
  const found = fromThisRun(of, planned, instance)
  const { waitForPastDependsBeforeSkipping } = planned.document
  if (found.verdict !== 'run' && !(found.verdict === 'skipped' && waitForPastDependsBeforeSkipping)) return found
  const hindrance = pastHindrance(of, planned)
  return hindrance === null ? found : { verdict: 'wait', detail: hindrance }
}

/** The same without the run before. */
export function fromThisRun(of: BoardRun, planned: PlannedTask, { mapIndex }: TaskInstance): Finding {
  const { role, triggerRule } = planned.document
  if (role === 'teardown') {
    const setups = planned.upstream.filter(({ taskId }) => planned.document.setups.includes(taskId))
    const verdict = teardownVerdict(countUpstream(of, planned, planned.upstream, mapIndex), countUpstream(of, planned, setups, mapIndex))
    const scope = countUpstream(of, planned, planned.scope, mapIndex)
    if (verdict === 'run' && scope.done < scope.all) {
      return { verdict: 'wait', detail: 'Not all between its setups and it are done.' }
    }
    return verdict === 'run'
      ? RUN
      : { verdict, detail: verdict === 'wait' ? 'Not all before it are done.' : 'None of its setups succeeded.' }
  }
  const skipper = skippedBy(of, planned, mapIndex)
  if (skipper !== null) return { verdict: 'skipped', detail: `Task "${skipper}" has chosen to skip it.` }
  // As in Airflow it does not even wait for its setups.
  if (triggerRule === 'always') return RUN
  const setups = planned.outerSetups.length > 0 ? setupVerdict(countUpstream(of, planned, planned.outerSetups, mapIndex), mapIndex) : 'run'
  const bySetups: Finding = { verdict: setups, detail: 'Its setups must all have succeeded.' }
  if (setups !== 'run' && setups !== 'wait') return bySetups
  const verdict = ruleVerdict(triggerRule, countUpstream(of, planned, planned.upstream, mapIndex), mapIndex)
  if (verdict === 'run') return setups === 'run' ? RUN : bySetups
  if (verdict === 'wait') return setups === 'run' ? { verdict, detail: null } : bySetups
  return { verdict, detail: `Its trigger rule ${triggerRule} can no longer be met by the tasks before it.` }
}

/** How the instances of some tasks before `planned` stand, as far as they matter to its instance `mapIndex`. */
function countUpstream(of: BoardRun, planned: PlannedTask, upstream: readonly PlannedTask[], mapIndex: number): UpstreamCounts {
  const counts = noCounts()
  for (const before of upstream) {
    const task = of.tasks.get(before.taskId)
    const one = task && mapIndex >= 0 && isSameGroup(planned, before) ? (task.instances.get(mapIndex) ?? task.single) : undefined
    if (one) addState(counts, one.state, 1)
    else if (task) addTask(counts, task)
    else counts.all += 1
  }
  return counts
}

function addTask(into: UpstreamCounts, { counts, instances }: BoardTask): void {
  const { success, failed, upstream_failed: unmet, skipped, removed } = counts
  into.all += instances.size
  into.done += success + failed + unmet + skipped + removed
  into.success += success
  into.failed += failed
  into.failedLike += failed + unmet
  into.skipped += skipped
  into.removed += removed
}

/** The task that has decided to skip this one, while its decision stands. */
function skippedBy(of: BoardRun, planned: PlannedTask, mapIndex: number): string | null {
  if (of.skips === 0) return null
  const skipOf = (before: PlannedTask): Skip | null => {
    const task = of.tasks.get(before.taskId)
    const one = isSameGroup(planned, before) && mapIndex >= 0 ? task?.instances.get(mapIndex) : task?.single
    return one?.state === 'success' ? one.skip : null
  }
  for (const before of planned.upstream) {
    const skip = skipOf(before)
    if (skip && of.plan && ('all' in skip || !isFollowed(of.plan, skip.followed, planned.taskId))) return before.taskId
  }
  for (const before of planned.outerCircuits) {
    const skip = skipOf(before)
    if (skip && 'all' in skip && skip.all === 'descendants') return before.taskId
  }
  return null
}

const followed = new WeakMap<DagPlan, Map<string, ReadonlySet<string>>>()

/** Whether a task is one of those that a branch follows (ids of tasks or groups), or comes after one of them. */
function isFollowed(plan: DagPlan, ids: readonly string[], taskId: string): boolean {
  let known = followed.get(plan)
  if (!known) {
    known = new Map()
    followed.set(plan, known)
  }
  const key = ids.join('\n')
  let reached = known.get(key)
  if (!reached) {
    const graph = new TaskGraph(plan.document)
    const begun = ids.flatMap((id) => (plan.tasks.has(id) ? [id] : graph.tasksOfGroup(id)))
    reached = new Set([...begun, ...begun.flatMap((id) => [...graph.after(id)])])
    known.set(key, reached)
  }
  return reached.has(taskId)
}

const isFine = (state: TaskInstanceState): boolean => state === 'success' || state === 'skipped'

/** Without the instances of a mapped task for which there is no element any more. */
const statesIn = (past: Past, taskId: string): TaskInstanceState[] => past.states(taskId).filter((state) => state !== 'removed')

/** Why the run before does not let this task begin yet; null when it does, or when the task does not look back. */
export function pastHindrance(of: BoardRun, planned: PlannedTask): string | null {
  const { dependsOnPast, waitForDownstream, ignoreFirstDependsOnPast, downstream } = planned.document
  if (!dependsOnPast && !waitForDownstream) return null
  const { past } = of
  if (past === undefined) return 'The run before has yet to be looked up.'
  if (past === null || of.run.backfill?.ordinal === 1) return null
  const { taskId } = planned
  const states = statesIn(past, taskId)
  if (states.length === 0) {
    if (ignoreFirstDependsOnPast && of.ranBefore.get(taskId) === false) return null
    return `It depends on the run before, "${past.runId}", which does not have it.`
  }
  if (!states.every(isFine)) return `It depends on the run before, "${past.runId}", where it has not succeeded.`
  if (waitForDownstream && !downstream.every((id) => statesIn(past, id).every(isFine))) {
    return `It waits for the tasks right after it in the run before, "${past.runId}".`
  }
  return null
}
