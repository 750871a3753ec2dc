/** What the routes of Airflow's API have in common: order, instants, and finding what a path names. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { DagRecord, DagStore } from '../../scheduling/dag.ts'
import type { DagRun, DagRunStore } from '../../scheduling/dag-run.ts'
import type { TaskInstance, TaskInstanceStore } from '../../scheduling/task-instance.ts'

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

const ISO_INSTANT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i

/** An ISO instant; without an offset it counts as UTC. */
export const instant = z
  .string()
  .transform((text) => {
    const [whole, offset] = ISO_INSTANT.exec(text.trim()) ?? []
    const hasTime = whole !== undefined && whole.length > 'YYYY-MM-DD'.length
    return new Date(whole === undefined ? Number.NaN : `${whole.replace(' ', 'T')}${hasTime && !offset ? 'Z' : ''}`)
  })
  .refine((at) => !Number.isNaN(at.getTime()), 'is not an instant such as 2019-10-07T05:00:00Z')

/** A query that is true or false as Airflow reads them; undefined when it was not sent. */
export function truth(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined
  if (/^(true|t|yes|y|on|1)$/i.test(text)) return true
  if (/^(false|f|no|n|off|0)$/i.test(text)) return false
  throw new AppError('invalid', `${name}=${text} is neither true nor false. Send one of them.`)
}

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
