/** What people do with whole runs. */
import { AppError } from '../../core/app-error.ts'
import type { Pattern } from '../../core/pattern.ts'
import { type DagRun, type DagRunStore, runKey } from '../dag-run.ts'
import { manualRun, type RunRequest } from '../manual-run.ts'
import { markRun } from '../mark.ts'
import { newRun } from '../new-run.ts'
import { paramProblems } from '../params.ts'
import { type Command, requireRun, takeUp } from './command.ts'

/** Creates a run by hand. Throws `not_found`, `invalid`, `conflict`. */
export async function trigger(
  { turn, stores, dags }: Command,
  dagId: string,
  request: RunRequest,
  by: string,
  runIds?: Pattern,
): Promise<DagRun> {
  const dag = await dags.find(dagId)
  const run = manualRun(dag.record, dag.timetable, request, turn.now, by, runIds)
  const problems = paramProblems(dag.record.document, run.conf)
  if (problems.length > 0) throw new AppError('invalid', `DAG "${dagId}" cannot be triggered with this conf.`, { problems })
  refuse(run, findNewTwin(turn.created, run) ?? (await findTwin(stores.runs, run)))
  return (await newRun(turn, dag, run, stores.runs)).run
}

export async function setRunState(
  command: Command,
  { dagId, runId, state, by }: { dagId: string; runId: string; state: 'queued' | 'success' | 'failed'; by: string },
): Promise<DagRun> {
  const { turn, dags } = command
  await dags.find(dagId)
  const of = await takeUp(command, await requireRun(command, dagId, runId))
  const { document } = turn.board.planFor(of.run) ?? (await dags.find(dagId)).plan
  const marked = markRun(document, of.run, [...of.instances()], state, turn.now)
  for (const instance of marked.instances) {
    const before = of.find(instance.taskId, instance.mapIndex)
    if (before) turn.cancel(before)
    turn.put(of, { ...instance, detail: `The run was marked ${state} by ${by}.` })
  }
  if (marked.run !== of.run) turn.putRun(marked.run)
  return of.run
}

/** Throws `not_found`, or `conflict` while the run is running. */
export async function deleteRun(command: Command, dagId: string, runId: string): Promise<void> {
  const { turn, stores } = command
  const run = await requireRun(command, dagId, runId)
  if (run.state === 'running') {
    throw new AppError(
      'conflict',
      `Run "${runId}" of DAG "${dagId}" cannot be deleted while it is running. Mark it success or failed first.`,
    )
  }
  await stores.runs.delete(dagId, runId)
  turn.drop(dagId, runId)
  const of = turn.board.runs.get(runKey(run))
  if (of) turn.board.forget(of)
}

/** Deletes a DAG with all that was kept of it. Its file, if it still has it, brings it back when it is read again. Throws `not_found`, `conflict`. */
export async function deleteDag({ turn, stores, dags }: Command, dagId: string): Promise<void> {
  await dags.find(dagId)
  const own = [...turn.board.runsOf(dagId).all]
  const [running] = own.filter(({ run }) => run.state === 'running')
  if (running) {
    throw new AppError(
      'conflict',
      `DAG "${dagId}" cannot be deleted: its run "${running.run.runId}" is running. Mark it success or failed first.`,
    )
  }
  await stores.runs.delete(dagId, null)
  await stores.backfills?.deleteOfDag(dagId)
  await stores.assets?.deleteOfDag(dagId)
  await stores.dags.delete(dagId)
  turn.drop(dagId, null)
  for (const of of own) turn.board.forget(of)
  for (const backfill of turn.board.backfills.values()) if (backfill.dagId === dagId) turn.board.backfills.delete(backfill.id)
  dags.expire()
}

const isSameDate = (a: DagRun, b: DagRun): boolean => a.logicalDate !== null && a.logicalDate === b.logicalDate

function findNewTwin(created: Iterable<DagRun>, run: DagRun): DagRun | null {
  for (const other of created) if (other.dagId === run.dagId && (other.runId === run.runId || isSameDate(other, run))) return other
  return null
}

async function findTwin(runs: DagRunStore, run: DagRun): Promise<DagRun | null> {
  const sameDate = run.logicalDate === null ? null : await runs.findByLogicalDate(run.dagId, run.logicalDate)
  return sameDate ?? (await runs.find(run.dagId, run.runId))
}

/** There is at most one run of an id, and of a date. */
function refuse(run: DagRun, twin: DagRun | null): void {
  if (!twin) return
  const what = isSameDate(run, twin) ? `the logical date ${run.logicalDate}` : 'this id'
  throw new AppError(
    'conflict',
    `DAG "${run.dagId}" already has the run "${twin.runId}" for ${what}. Give another logical_date or dag_run_id.`,
  )
}
