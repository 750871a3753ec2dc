/** The limits that hold a ready task back: the selection asks for the first that is reached, an explanation for all of them. Pure. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'
import type { Slots } from './slots.ts'
import type { TaskInstance } from './task-instance.ts'

/** What a limit is judged by. */
export interface LimitFacts {
  readonly instance: TaskInstance
  readonly dag: { readonly isPaused: boolean; readonly document: Pick<DagDocument, 'maxActiveTasks'> }
  readonly task: TaskDocument
  readonly slots: Slots
  /** How many instances of a task are active: in one run, or in all. */
  readonly activeOfTask: (dagId: string, taskId: string, runId: string | null) => number
}

interface Limit {
  readonly kind: 'dag' | 'limit' | 'pool'
  /** Tasks that wait at limits of the same name are freed together. */
  readonly name: (instance: TaskInstance) => string
  readonly isReached: (facts: LimitFacts) => boolean
  readonly sentence: (facts: LimitFacts) => string
  readonly freedBy: (facts: LimitFacts) => string
}

const taskKey = (dagId: string, taskId: string): string => `${dagId}/${taskId}`

const taskInRunKey = (dagId: string, taskId: string, runId: string): string => `${dagId}/${taskId}/${runId}`

const poolLimit = (pool: string, poolSlots: number): string => `pool/${poolSlots}/${pool}`

const LIMITS: readonly Limit[] = [
  {
    kind: 'dag',
    name: ({ dagId }) => `paused/${dagId}`,
    isReached: ({ dag }) => dag.isPaused,
    sentence: ({ instance }) => `DAG "${instance.dagId}" is paused.`,
    freedBy: ({ instance }) => `Unpause DAG "${instance.dagId}".`,
  },
  {
    kind: 'limit',
    name: ({ dagId }) => `dag/${dagId}`,
    isReached: ({ instance: { dagId }, dag, slots }) => slots.activeOfDag(dagId) >= dag.document.maxActiveTasks,
    sentence: ({ instance: { dagId }, dag, slots }) =>
      `DAG "${dagId}" has ${slots.activeOfDag(dagId)} active tasks, and its maxActiveTasks allows ${dag.document.maxActiveTasks}.`,
    freedBy: ({ instance }) => `The end of any active task of DAG "${instance.dagId}".`,
  },
  {
    kind: 'limit',
    name: ({ dagId, taskId }) => `task/${taskKey(dagId, taskId)}`,
    isReached: ({ instance: { dagId, taskId }, task, activeOfTask }) =>
      task.maxActivePerDag !== null && activeOfTask(dagId, taskId, null) >= task.maxActivePerDag,
    sentence: ({ instance: { dagId, taskId }, task, activeOfTask }) =>
      `It is active ${activeOfTask(dagId, taskId, null)} times over all runs, and its maxActivePerDag allows ${task.maxActivePerDag}.`,
    freedBy: ({ instance }) => `The end of task "${instance.taskId}" in any run.`,
  },
  {
    kind: 'limit',
    name: ({ dagId, taskId, runId }) => `taskInRun/${taskInRunKey(dagId, taskId, runId)}`,
    isReached: ({ instance: { dagId, taskId, runId }, task, activeOfTask }) =>
      task.maxActivePerRun !== null && activeOfTask(dagId, taskId, runId) >= task.maxActivePerRun,
    sentence: ({ instance: { dagId, taskId, runId }, task, activeOfTask }) =>
      `It is active ${activeOfTask(dagId, taskId, runId)} times in this run, and its maxActivePerRun allows ${task.maxActivePerRun}.`,
    freedBy: ({ instance }) => `The end of another instance of task "${instance.taskId}" in this run.`,
  },
  {
    kind: 'pool',
    name: ({ pool, poolSlots }) => poolLimit(pool, poolSlots),
    isReached: ({ instance: { pool, poolSlots }, slots }) => slots.left(pool) < poolSlots,
    sentence: ({ instance: { pool, poolSlots }, slots }) => {
      const known = slots.pool(pool)
      if (!known) return `There is no pool "${pool}".`
      return `Pool "${pool}" has ${slots.left(pool)} of its ${known.slots} slots left, and it needs ${poolSlots}.`
    },
    freedBy: ({ instance: { pool, poolSlots }, slots }) => {
      const known = slots.pool(pool)
      if (!known) return `Create pool "${pool}".`
      return poolSlots > known.slots ? `Give pool "${pool}" ${poolSlots} slots or more.` : `The end of tasks in pool "${pool}".`
    },
  },
]

/** The name of the first limit without room for the instance; null when all have it. `parallelism` is not among them: see the selection. */
export function reachedLimit(facts: LimitFacts): string | null {
  for (const limit of LIMITS) if (limit.isReached(facts)) return limit.name(facts.instance)
  return null
}

export const reachedLimits = (facts: LimitFacts) =>
  LIMITS.filter((limit) => limit.isReached(facts)).map(({ kind, sentence, freedBy }) => ({
    kind,
    sentence: sentence(facts),
    freedBy: freedBy(facts),
    at: null,
  }))

/** Tasks with the same key are held back by the same limits, so that only the first of them need be looked at. */
export function lineKey({ dagId, runId, taskId, pool, poolSlots }: TaskInstance, task: TaskDocument | undefined): string {
  const isCappedInRun = task !== undefined && task.maxActivePerRun !== null
  const isCapped = task !== undefined && task.maxActivePerDag !== null
  const own = isCappedInRun ? taskInRunKey(dagId, taskId, runId) : isCapped ? taskKey(dagId, taskId) : dagId
  return `${poolSlots}/${pool}/${own}`
}

/** The limits at which there is more room when this instance gives its slots back. `sizes`: how many slots of its pool tasks wait for. */
export function limitsFreed(instance: TaskInstance, slots: Slots, sizes: Iterable<number>): string[] {
  const { pool } = instance
  const left = slots.left(pool)
  const ofPool = [...sizes].filter((size) => size <= left).map((size) => poolLimit(pool, size))
  return [...LIMITS.filter(({ kind }) => kind === 'limit').map(({ name }) => name(instance)), ...ofPool]
}
