/** What the routes of Airflow's API have in common: paging, order, instants, and finding what a path names. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { DagRecord, DagStore } from '../../scheduling/dag.ts'
import type { DagRun, DagRunStore } from '../../scheduling/dag-run.ts'
import type { TaskInstance, TaskInstanceStore } from '../../scheduling/task-instance.ts'

const DEFAULT_LIMIT = 50
/** As in Airflow: a larger limit is answered with as many. */
const MAX_LIMIT = 100

export function paging(query: (name: string) => string | undefined): { limit: number; offset: number } {
  const wholeNumber = (name: string, otherwise: number) => {
    const text = query(name)
    if (text === undefined) return otherwise
    if (!/^\d{1,9}$/.test(text)) throw new AppError('invalid', `${name}=${text} is not a whole number. Send one from 0 on.`)
    return Number(text)
  }
  return { limit: Math.min(wholeNumber('limit', DEFAULT_LIMIT), MAX_LIMIT), offset: wholeNumber('offset', 0) }
}

/** `-name` is descending. Throws `invalid` for a name that is not in `columns`. */
export function ordering<Column>(text: string, columns: Readonly<Record<string, Column>>): { orderBy: Column; descending: boolean } {
  const name = text.replace(/^-/, '')
  const orderBy = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (orderBy === undefined) {
    const known = Object.keys(columns)
    throw new AppError('invalid', `order_by=${text} is not possible here.${didYouMean(name, known)} It may be one of ${known.join(', ')}.`)
  }
  return { orderBy, descending: text.startsWith('-') }
}

/** The values of a query that may be given several times; throws `invalid` for one that is not in `known`. */
export function choices<Choice extends string>(
  name: string,
  given: readonly string[] | undefined,
  known: readonly Choice[],
): Choice[] | undefined {
  if (!given || given.length === 0) return undefined
  return given.map((value) => {
    const found = known.find((one) => one === value)
    if (found) return found
    throw new AppError('invalid', `${name}=${value} is not possible.${didYouMean(value, known)} It may be one of ${known.join(', ')}.`)
  })
}

/** An ISO instant; without an offset it counts as UTC. */
export const instant = z
  .string()
  .refine((text) => !Number.isNaN(new Date(text).getTime()), 'is not an instant such as 2019-10-07T05:00:00Z')
  .transform((text) => new Date(/([zZ]|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`))

export async function findDag(dags: DagStore, dagId: string): Promise<DagRecord> {
  const dag = await dags.find(dagId)
  if (dag) return dag
  const known = (await dags.list()).map((other) => other.dagId)
  throw new AppError('not_found', `There is no DAG "${dagId}".${didYouMean(dagId, known)} GET /api/v2/dags lists them.`)
}

export async function findRun(runs: DagRunStore, dagId: string, runId: string): Promise<DagRun> {
  const run = await runs.find(dagId, runId)
  if (run) return run
  throw new AppError('not_found', `There is no run "${runId}" of DAG "${dagId}". GET /api/v2/dags/${dagId}/dagRuns lists them.`)
}

export async function findInstance(instances: TaskInstanceStore, dagId: string, runId: string, taskId: string): Promise<TaskInstance> {
  const instance = await instances.find(dagId, runId, taskId)
  if (instance) return instance
  const known = (await instances.listOfRun(dagId, runId)).map((other) => other.taskId)
  throw new AppError('not_found', `Run "${runId}" of DAG "${dagId}" has no task "${taskId}".${didYouMean(taskId, known)}`)
}

/** Seconds from `start` to `end`, or until now for what has not ended. */
export function durationSeconds(start: string | null, end: string | null, now: Date): number | null {
  if (start === null) return null
  return ((end === null ? now : new Date(end)).getTime() - new Date(start).getTime()) / 1000
}
