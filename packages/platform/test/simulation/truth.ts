/** What has to hold, said again by itself: limits at every moment, and in a run that has ended the states of its tasks. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import type { DagRun } from '../../src/scheduling/dag-run.ts'
import type { TaskInstance, TaskInstanceState } from '../../src/scheduling/task-instance.ts'
import { POOLS } from './random-dag.ts'
import type { Work } from './simulated-runner.ts'

/** Somebody gives it more slots, and takes them again: what runs then goes on. */
export const MOST_NARROW_SLOTS = 4

export function limitComplaints(documents: readonly DagDocument[], working: readonly Work[], parallelism: number): string[] {
  const complaints: string[] = []
  const check = (what: string, found: number, most: number) => {
    if (found > most) complaints.push(`${what}: ${found} at work, at most ${most} may be`)
  }
  check('over all', working.length, parallelism)
  for (const { name, slots } of POOLS) {
    const inPool = working.filter(({ attempt }) => attempt.task.pool === name)
    check(
      `pool ${name}`,
      inPool.reduce((sum, { attempt }) => sum + attempt.task.poolSlots, 0),
      name === 'narrow' ? MOST_NARROW_SLOTS : slots,
    )
  }
  for (const { dagId, maxActiveTasks, tasks } of documents) {
    const own = working.filter(({ attempt }) => attempt.dagId === dagId)
    check(dagId, own.length, maxActiveTasks)
    for (const { taskId, maxActivePerDag, maxActivePerRun } of tasks) {
      const ofTask = own.filter(({ attempt }) => attempt.taskId === taskId)
      if (maxActivePerDag !== null) check(`${dagId}.${taskId}`, ofTask.length, maxActivePerDag)
      for (const { attempt } of ofTask) {
        const inRun = ofTask.filter((other) => other.attempt.runId === attempt.runId).length
        if (maxActivePerRun !== null) check(`${dagId}.${taskId} in ${attempt.runId}`, inRun, maxActivePerRun)
      }
    }
  }
  return complaints
}

const END: ReadonlySet<TaskInstanceState> = new Set(['success', 'failed', 'skipped', 'upstream_failed', 'removed'])

/** Of a run that has ended. Where somebody has cleared or marked something (`isTouched`), the tasks need not agree with each other. */
export function runComplaints(document: DagDocument, run: DagRun, instances: readonly TaskInstance[], isTouched: boolean): string[] {
  const complaints: string[] = []
  const name = `${run.dagId}/${run.runId}`
  const of = (taskId: string) => instances.filter((instance) => instance.taskId === taskId)
  for (const { taskId, mapIndex, state } of instances)
    if (!END.has(state)) complaints.push(`${name}/${taskId}/${mapIndex} is ${state} in a run that has ended as ${run.state}`)
  if (isTouched) return complaints
  const taskOf = new Map(document.tasks.map((task) => [task.taskId, task]))
  const isMappedGroup = (task: TaskDocument | undefined) => task?.groupId === 'mapped_group'
  for (const task of document.tasks) {
    for (const { mapIndex, state, tryNumber } of of(task.taskId)) {
      // Within a mapped group each element goes its own way.
      const seen = (id: string) =>
        isMappedGroup(task) && isMappedGroup(taskOf.get(id)) && mapIndex >= 0 ? of(id).filter((one) => one.mapIndex === mapIndex) : of(id)
      const before = task.upstream.flatMap(seen).map((one) => one.state)
      const setups = task.setups.flatMap(seen).map((one) => one.state)
      const problem = task.role === 'teardown' ? teardownProblem(state, tryNumber, setups) : stateProblem(task, state, tryNumber, before)
      if (problem) complaints.push(`${name}/${task.taskId}/${mapIndex} ${problem} after [${before.join(', ')}] with ${task.triggerRule}`)
    }
  }
  const isIgnorable = (task: TaskDocument | undefined) => task?.role === 'teardown' && !task.failsRun
  const counting = document.tasks.filter((task) => !isIgnorable(task))
  const effective = counting.filter(({ downstream }) => document.failFast || downstream.every((id) => isIgnorable(taskOf.get(id))))
  const leaves = effective.length > 0 ? effective : document.tasks.filter(({ downstream }) => downstream.length === 0)
  const hasFailed = leaves.flatMap(({ taskId }) => of(taskId)).some(({ state }) => state === 'failed' || state === 'upstream_failed')
  if (document.runTimeoutSeconds === null && run.state !== (hasFailed ? 'failed' : 'success'))
    complaints.push(`${name} has ended as ${run.state}, its leaves say otherwise`)
  return complaints
}

/** What a setup has made is removed, unless no setup has made anything. */
function teardownProblem(state: TaskInstanceState, tryNumber: number, setups: readonly TaskInstanceState[]): string | null {
  const hasRun = tryNumber > 0 && (state === 'success' || state === 'failed')
  if (hasRun && setups.length > 0 && !setups.includes('success')) return `has run (${state}) although no setup has succeeded`
  return null
}

/** What each rule needs to run; written once more, from the names of the rules. */
const NEEDS: Readonly<Record<TaskDocument['triggerRule'], (states: readonly TaskInstanceState[]) => boolean>> = {
  all_success: (s) => s.every((x) => x === 'success' || x === 'removed'),
  all_failed: (s) => s.every((x) => x === 'failed' || x === 'upstream_failed' || x === 'removed'),
  all_done: () => true,
  all_done_min_one_success: (s) => s.includes('success') && !s.includes('skipped'),
  all_skipped: (s) => s.every((x) => x === 'skipped' || x === 'removed'),
  one_success: (s) => s.includes('success'),
  one_failed: (s) => s.includes('failed') || s.includes('upstream_failed'),
  one_done: (s) => s.includes('success') || s.includes('failed'),
  none_failed: (s) => !s.includes('failed') && !s.includes('upstream_failed'),
  none_failed_min_one_success: (s) => !s.includes('failed') && !s.includes('upstream_failed') && s.includes('success'),
  none_skipped: (s) => !s.includes('skipped'),
  always: () => true,
}

function stateProblem(
  task: TaskDocument,
  state: TaskInstanceState,
  tryNumber: number,
  before: readonly TaskInstanceState[],
): string | null {
  const mayRun = before.length === 0 || NEEDS[task.triggerRule](before)
  const hasRun = tryNumber > 0 && (state === 'success' || state === 'failed')
  if (hasRun && !mayRun) return `has run (${state})`
  // What it is mapped over, or a setup further up, may have failed.
  if (state === 'upstream_failed' && mayRun && task.expand === null && task.groupId === null && task.taskId !== 'inside')
    return 'has not run'
  return null
}
