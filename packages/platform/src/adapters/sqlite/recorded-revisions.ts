/**
 * The revisions of what was recorded and may not be in the tables yet: the tables refuse a change of something older; here that is known before
 * the change is durable.
 */
import { AppError } from '../../core/app-error.ts'
import { type Changes, type DagRun, isFinished, runKey } from '../../scheduling/dag-run.ts'
import { instanceKey, isDone, type TaskInstance } from '../../scheduling/task-instance.ts'
import type { Database } from './database.ts'
import type { Moves } from './journaled-moves.ts'

interface Revised {
  readonly revision: number
}

const RUN_REVISION = 'SELECT revision FROM dag_run WHERE dag_id = ? AND run_id = ?'
const INSTANCE_REVISION = 'SELECT revision FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ?'

export class RecordedRevisions {
  readonly #db: Database
  /** Of the runs and instances that are not through, or not in the tables, as they were recorded last. */
  readonly #revisions = new Map<string, number>()

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws `conflict` when something has moved on. What is not remembered is asked of the tables as they are. */
  check({ runs, instances }: Changes): void {
    for (const run of runs) {
      const known = this.#revisions.get(runKey(run)) ?? this.#db.peek<Revised>(RUN_REVISION, run.dagId, run.runId)?.revision
      if (known === undefined || known >= run.revision) throw movedOn(run)
    }
    for (const instance of instances) {
      const { dagId, runId, taskId, mapIndex } = instance
      const known =
        this.#revisions.get(instanceKey(instance)) ?? this.#db.peek<Revised>(INSTANCE_REVISION, dagId, runId, taskId, mapIndex)?.revision
      if (known === undefined || known >= instance.revision) throw movedOn(instance)
    }
  }

  remember({ runs, instances }: Pick<Moves, 'runs' | 'instances'>): void {
    for (const run of runs) this.#revisions.set(runKey(run), run.revision)
    for (const instance of instances) this.#revisions.set(instanceKey(instance), instance.revision)
  }

  /** These are in the tables now: those that are through are read from there from now on. */
  forgetThrough(records: readonly { readonly moves: Moves }[]): void {
    for (const { moves } of records) {
      for (const run of moves.runs) if (isFinished(run.state)) this.#forget(runKey(run), run.revision)
      for (const instance of moves.instances) if (isDone(instance.state)) this.#forget(instanceKey(instance), instance.revision)
    }
  }

  /** The changes are in the tables already. */
  rememberAtOnce({ created, runs, added, instances, deleted }: Changes): void {
    for (const key of deleted.map(instanceKey)) this.#revisions.delete(key)
    this.remember({ runs: [...created, ...runs], instances: [...added, ...instances] })
    for (const run of runs) if (isFinished(run.state)) this.#revisions.delete(runKey(run))
    for (const instance of instances) if (isDone(instance.state)) this.#revisions.delete(instanceKey(instance))
  }

  /** A run that is gone, or with null all of a DAG. */
  forgetRun(dagId: string, runId: string | null): void {
    const prefix = runId === null ? `${dagId}/` : runKey({ dagId, runId })
    for (const key of this.#revisions.keys())
      if (key === prefix || key.startsWith(`${prefix}${runId === null ? '' : '/'}`)) this.#revisions.delete(key)
  }

  /** All that was recorded is in the tables, or never will be. */
  clear(): void {
    this.#revisions.clear()
  }

  /** Unless it has been recorded again since. */
  #forget(key: string, revision: number): void {
    if (this.#revisions.get(key) === revision) this.#revisions.delete(key)
  }
}

const movedOn = (one: DagRun | TaskInstance): AppError =>
  new AppError(
    'conflict',
    'taskId' in one
      ? `Task "${one.taskId}" in run "${one.runId}" of DAG "${one.dagId}" has moved on in the meantime.`
      : `Run "${one.runId}" of DAG "${one.dagId}" has moved on in the meantime.`,
  )
