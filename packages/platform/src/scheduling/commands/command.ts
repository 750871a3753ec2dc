/** What every command works with. */
import { AppError } from '../../core/app-error.ts'
import type { AssetUpdates } from '../asset-updates.ts'
import type { BoardRun } from '../board-run.ts'
import { type DagRun, isFinished, runKey } from '../dag-run.ts'
import type { KnownDags } from '../known-dags.ts'
import type { Stores } from '../stores.ts'
import type { RunWithInstances } from '../task-selection.ts'
import type { Turn } from '../turn.ts'

export interface Command {
  readonly turn: Turn
  readonly stores: Stores
  readonly dags: KnownDags
  readonly assets: AssetUpdates | null
}

/** Throws `not_found`. */
export async function requireRun({ turn, stores }: Command, dagId: string, runId: string): Promise<DagRun> {
  const run = turn.board.runs.get(runKey({ dagId, runId }))?.run ?? (await stores.runs.find(dagId, runId))
  if (run) return run
  throw new AppError('not_found', `There is no run "${runId}" of DAG "${dagId}". GET /api/v2/dags/${dagId}/dagRuns lists them.`)
}

/** The run with all of its instances as they are now. */
export async function withInstances({ turn, stores }: Command, run: DagRun): Promise<RunWithInstances> {
  const known = turn.board.runs.get(runKey(run))
  if (known) return { run: known.run, instances: [...known.instances()] }
  return { run, instances: await stores.instances.listOfRun(run.dagId, run.runId) }
}

/** The run on the board with all of its instances; one that has ended only stays there if this turn takes it up again. */
export async function takeUp({ turn, stores }: Command, run: DagRun): Promise<BoardRun> {
  const { board } = turn
  const known = board.runs.get(runKey(run))
  if (known) return known
  const instances = await stores.instances.listOfRun(run.dagId, run.runId)
  if (run.backfill && !board.backfills.has(run.backfill.id)) {
    const backfill = await stores.backfills?.find(run.backfill.id)
    if (backfill) board.putBackfill(backfill)
  }
  const of = board.putRun(run)
  for (const instance of instances) board.putInstance(of, instance)
  if (isFinished(run.state)) board.toAdvance.delete(of)
  return of
}
