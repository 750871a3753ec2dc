/** What people do with backfills. */
import { AppError } from '../../core/app-error.ts'
import type { Backfill, BackfillRequest, BackfillStore } from '../backfill.ts'
import { backfillDates, type PlannedDate, planBackfill as plan } from '../backfill-plan.ts'
import type { DagRun } from '../dag-run.ts'
import { paramProblems } from '../params.ts'
import type { Command } from './command.ts'
import { setRunState } from './run.ts'

/** What a backfill would make. Throws `not_found`, `conflict`, `invalid`. */
export async function planBackfill({ turn, stores, dags }: Command, request: BackfillRequest): Promise<PlannedDate[]> {
  const { record, timetable } = await dags.find(request.dagId)
  const { document } = record
  const found = await stores.runs.listBetween(request.dagId, request.from.toISOString(), request.to.toISOString())
  const byDate = new Map(found.map((run): [string | null, DagRun] => [run.logicalDate, run]))
  return plan(request, {
    document,
    timetable,
    active: (await stores.backfills?.listActive()) ?? [],
    existing: (logicalDate) => byDate.get(logicalDate) ?? null,
    confProblems: paramProblems(document, request.conf),
    now: turn.now,
  })
}

/** Its runs are made by the turns that follow. */
export async function createBackfill(command: Command, request: BackfillRequest, by: string): Promise<Backfill> {
  const { turn, stores } = command
  const store = requireStore(stores.backfills)
  const planned = await planBackfill(command, request)
  const at = turn.now.toISOString()
  const { dagId, reprocess, maxActiveRuns, isBackwards, conf, tasks } = request
  const facts = {
    dagId,
    reprocess,
    maxActiveRuns,
    isBackwards,
    conf,
    tasks,
    from: request.from.toISOString(),
    to: request.to.toISOString(),
  }
  const times = { createdAt: at, updatedAt: at, completedAt: null }
  const id = await store.create({ ...facts, ...times, isPaused: false, createdBy: by }, backfillDates(planned))
  const backfill = { id, ...facts, ...times, isPaused: false, createdBy: by }
  turn.board.putBackfill(backfill)
  return backfill
}

/** Pausing only keeps further runs from being made. Throws `not_found`, `conflict` when it is complete. */
export async function setBackfillPaused({ turn, stores }: Command, id: number, isPaused: boolean): Promise<Backfill> {
  const backfill = await requireActive(stores.backfills, id)
  const changed = { ...backfill, isPaused, updatedAt: turn.now.toISOString() }
  turn.putBackfill(changed)
  return changed
}

/** No further run is made, and those that wait fail; those that run go on. Throws `not_found`, `conflict` when it is complete. */
export async function cancelBackfill(command: Command, id: number, by: string): Promise<Backfill> {
  const { turn, stores } = command
  const backfill = await requireActive(stores.backfills, id)
  const at = turn.now.toISOString()
  const changed = { ...backfill, isPaused: true, updatedAt: at, completedAt: at }
  for (const { run } of [...turn.board.runsOf(backfill.dagId).all]) {
    if (run.backfill?.id !== id || run.state !== 'queued') continue
    await setRunState(command, { dagId: run.dagId, runId: run.runId, state: 'failed', by })
  }
  turn.putBackfill(changed)
  return changed
}

async function requireActive(backfills: BackfillStore | undefined, id: number): Promise<Backfill> {
  const backfill = await requireStore(backfills).find(id)
  if (!backfill) throw new AppError('not_found', `There is no backfill ${id}. GET /api/v2/backfills lists them.`)
  if (backfill.completedAt !== null) throw new AppError('conflict', `Backfill ${id} is complete already.`)
  return backfill
}

function requireStore(backfills: BackfillStore | undefined): BackfillStore {
  if (backfills) return backfills
  throw new AppError('internal', 'This scheduler has no backfills.')
}
