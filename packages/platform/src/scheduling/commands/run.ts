/** What people do with whole runs. */
import { AppError } from '../../core/app-error.ts'
import type { BoardRun } from '../board-run.ts'
import { type DagRun, type DagRunStore, isFinished, runKey } from '../dag-run.ts'
import type { KnownDags } from '../known-dags.ts'
import { markRun } from '../mark.ts'
import type { Turn } from '../turn.ts'
import { requireRun, type Stores } from '../turns.ts'

/** What a command works with. */
export interface Command {
  readonly turn: Turn
  readonly stores: Stores
  readonly dags: KnownDags
}

/** Throws `conflict` when there is a run of the same id or date already. */
export async function refuseTwin(runs: DagRunStore, run: DagRun): Promise<void> {
  const sameDate = run.logicalDate && (await runs.findByLogicalDate(run.dagId, run.logicalDate))
  const twin = sameDate || (await runs.find(run.dagId, run.runId))
  if (!twin) return
  throw new AppError(
    'conflict',
    `DAG "${run.dagId}" already has the run "${twin.runId}" for ${sameDate ? `the logical date ${run.logicalDate}` : 'this id'}. Give another logical_date or dag_run_id.`,
  )
}

export async function setRunState(
  command: Command,
  { dagId, runId, state, by }: { dagId: string; runId: string; state: 'queued' | 'success' | 'failed'; by: string },
): Promise<DagRun> {
  const { turn, dags } = command
  const { document } = (await dags.find(dagId)).record
  const of = await takeUp(command, await requireRun(command.stores.runs, dagId, runId))
  const marked = markRun(document, of.run, [...of.instances()], state, turn.now)
  for (const instance of marked.instances) {
    const before = of.find(instance.taskId, instance.mapIndex)
    if (before) turn.cancel(before)
    turn.put(of, { ...instance, detail: `The run was marked ${state} by ${by}.` })
  }
  if (marked.run !== of.run) turn.putRun(marked.run)
  return of.run
}

/** The run on the board with all of its instances, also one that has ended: after this turn only if it has been taken up again. */
export async function takeUp({ turn, stores }: Command, run: DagRun): Promise<BoardRun> {
  const known = turn.board.runs.get(runKey(run))
  if (known) return known
  const of = turn.board.putRun(run)
  for (const instance of await stores.instances.listOfRun(run.dagId, run.runId)) turn.board.putInstance(of, instance)
  if (isFinished(run.state)) turn.board.toAdvance.delete(of)
  return of
}
