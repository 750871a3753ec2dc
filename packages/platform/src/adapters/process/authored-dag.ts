/** Inside a worker: the DAGs that a file exports, read once. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Dag, isDag, type Task } from '@daggerboard/dag'
import { didYouMean } from '../../core/app-error.ts'
import { importsCount, importsOf } from './dag-imports.ts'
import type { FileStamps } from './file-stamp.ts'

const read = new Map<string, Map<string, Dag>>()
/** How many imports were known when the stamps of a file were told. */
const told = new Map<string, number>()

/** Throws what the file throws, and when it has no such DAG any more. */
export async function authoredDag(url: string, dagId: string): Promise<Dag> {
  const dags = read.get(url) ?? dagsOf(await imported(url))
  read.set(url, dags)
  const dag = dags.get(dagId)
  if (!dag) throw new Error(`The file no longer exports the DAG "${dagId}". Put it back, or delete its runs.`)
  return dag
}

async function imported(url: string): Promise<Record<string, unknown>> {
  try {
    return await import(url)
  } catch (error) {
    const file = fileURLToPath(url)
    if (existsSync(file)) throw error
    throw new Error(`The DAG's file ${file} is gone. Put it back and clear the task, or delete the run.`)
  }
}

const dagsOf = (exported: Record<string, unknown>): Map<string, Dag> =>
  new Map(
    Object.values(exported)
      .flat()
      .filter(isDag)
      .map((dag) => [dag.id, dag]),
  )

export function authoredTask(dag: Dag, taskId: string): Task {
  const task = dag.tasks.get(taskId)
  if (!task) throw new Error(`DAG "${dag.id}" no longer has the task "${taskId}".${didYouMean(taskId, dag.tasks.keys())}`)
  return task
}

/** The stamps of a file and all that it imports, if there are others than were told last. */
export function newStamps(url: string): FileStamps | null {
  const count = importsCount()
  if (told.get(url) === count) return null
  told.set(url, count)
  return importsOf(url)
}
