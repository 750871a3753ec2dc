/** What the routes of Airflow's API have in common: finding what a path names. */
import type { DagDocument } from '@daggerboard/dag'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { DagRecord, DagStore } from '../../scheduling/dag.ts'
import type { DagRun, DagRunStore } from '../../scheduling/dag-run.ts'
import type { TaskInstance, TaskInstanceStore } from '../../scheduling/task-instance.ts'
import { badRequest } from '../airflow-error.ts'

/** Stands for every DAG, run or task. */
export const ANY = '~'

/** The id of a path in a list of filters: `~` is none. */
export const unlessAny = (id: string): string[] | undefined => (id === ANY ? undefined : [id])

export async function findDag(dags: DagStore, dagId: string): Promise<DagRecord> {
  const dag = await dags.find(dagId)
  if (dag) return dag
  const known = (await dags.list()).map((other) => other.dagId)
  throw new AppError('not_found', `There is no DAG "${dagId}".${didYouMean(dagId, known)} GET /api/v2/dags lists them.`)
}

export async function findRun(runs: Pick<DagRunStore, 'find'>, dagId: string, runId: string): Promise<DagRun> {
  const run = await runs.find(dagId, runId)
  if (run) return run
  throw new AppError('not_found', `There is no run "${runId}" of DAG "${dagId}". GET /api/v2/dags/${dagId}/dagRuns lists them.`)
}

/** One instance; of a mapped task by its index. */
export async function findInstance(
  instances: TaskInstanceStore,
  dagId: string,
  runId: string,
  taskId: string,
  mapIndex = -1,
): Promise<TaskInstance> {
  const instance = await instances.find(dagId, runId, taskId, mapIndex)
  if (instance) return instance
  const all = await instances.listOfRun(dagId, runId)
  const indices = all.filter((other) => other.taskId === taskId).map((other) => other.mapIndex)
  if (indices.length > 0) {
    const range = indices.length > 1 ? `from ${Math.min(...indices)} to ${Math.max(...indices)}` : `${indices[0]}`
    throw new AppError('not_found', `Task "${taskId}" in run "${runId}" of DAG "${dagId}" has no map_index ${mapIndex}: it has ${range}.`)
  }
  const known = all.map((other) => other.taskId)
  throw new AppError('not_found', `Run "${runId}" of DAG "${dagId}" has no task "${taskId}".${didYouMean(taskId, known)}`)
}

/** Ids of the tasks of a group and of the groups within it; none of a group that the DAG does not have. */
export function tasksOfGroup({ groups, tasks }: DagDocument, groupId: string): string[] {
  const within = new Set([groupId])
  // Each group comes after the one that it is in.
  for (const group of groups) if (group.parent !== null && within.has(group.parent)) within.add(group.groupId)
  return tasks.filter((task) => task.groupId !== null && within.has(task.groupId)).map((task) => task.taskId)
}

/** The map index of a path. Throws `invalid`. */
export function mapIndexOf(text: string): number {
  if (/^(-1|\d{1,6})$/.test(text)) return Number(text)
  const msg = `"${text}" is not a map index. It is a whole number, -1 for a task that is not mapped.`
  throw badRequest(msg, [{ loc: ['path', 'map_index'], msg, type: 'int_parsing' }])
}

/** A number of the path, from 1 on. Throws `invalid`. */
export function numberOf(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const msg = `"${text}" is not a whole number.`
  throw badRequest(msg, [{ loc: ['path', name], msg, type: 'int_parsing' }])
}

/** Seconds from `start` to `end`, or until now for what has not ended. */
export function durationSeconds(start: string | null, end: string | null, now: Date): number | null {
  if (start === null) return null
  return ((end === null ? now : new Date(end)).getTime() - new Date(start).getTime()) / 1000
}
