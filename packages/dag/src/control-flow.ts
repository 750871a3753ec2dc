/** Tasks that decide which of the tasks after them run. */
import type { Choice } from './builder.ts'
import { didYouMean } from './definition-error.ts'
import { roots } from './edges.ts'
import { Group } from './group.ts'
import type { Operator } from './operator.ts'
import { branchTo, type Decision, FailTask, goOn, skipAfter } from './outcome.ts'
import type { Step } from './step.ts'
import type { Task } from './task.ts'
import type { TaskContext } from './task-context.ts'

/** `self` answers the task that it is the work of, `named` all steps of the DAG. */
export const branchOperator = (
  self: () => Task,
  named: ReadonlyMap<string, Step>,
  choose: (context: TaskContext) => Choice | Promise<Choice>,
): Operator<object, Decision<readonly string[]>> => ({
  name: 'Branch',
  args: {},
  flow: 'branch',
  run: async (_args, context) => {
    const choice = await choose(context)
    return branchTo(...new Set(([choice ?? []].flat() as (string | Step)[]).flatMap((chosen) => followed(self(), chosen, named))))
  },
})

/** The ids of the tasks right after `task` that `chosen` means; throws `FailTask` when it does not come right after it. */
function followed(task: Task, chosen: string | Step, named: ReadonlyMap<string, Step>): readonly string[] {
  const step = typeof chosen === 'string' ? named.get(chosen) : chosen
  const ids = step instanceof Group ? roots(step).map(({ id }) => id) : step ? [step.id] : []
  if (ids.length > 0 && ids.every((id) => task.downstream.has(id))) return ids
  const id = typeof chosen === 'string' ? chosen : (step?.id ?? JSON.stringify(chosen))
  const hint = didYouMean(id, task.downstream) || ` Right after it come: ${[...task.downstream].join(', ') || 'none'}.`
  throw new FailTask(`Branch "${task.id}" has chosen "${id}", which does not come right after it.${hint}`)
}

export const shortCircuitOperator = <Output>(
  test: (context: TaskContext) => Output | Promise<Output>,
  ignoreDownstreamTriggerRules: boolean,
): Operator<object, Decision<Output>> => ({
  name: 'ShortCircuit',
  args: {},
  flow: 'shortCircuit',
  run: async (_args, context) => {
    const output = await test(context)
    return output ? goOn(output) : skipAfter(output, ignoreDownstreamTriggerRules ? 'descendants' : 'direct')
  },
})

/** Decided by the scheduler, which knows the schedule. */
export const LATEST_ONLY: Operator<object, null> = { name: 'LatestOnly', args: {}, flow: 'latestOnly', run: async () => null }

export const EMPTY: Operator<object, null> = { name: 'Empty', args: {}, run: async () => null }
