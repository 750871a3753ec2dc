/** Backfills get their runs, at a pace that lets scheduled runs keep theirs. */
import type { Backfill, BackfillDate, BackfillStore } from './backfill.ts'
import { backfillRun, backfillRunsToStart, reasonAgainst, reprocessRequest, takeOver } from './backfill-plan.ts'
import type { Board } from './board.ts'
import { clear, reopenRun } from './clear.ts'
import { type Command, takeUp } from './commands/command.ts'
import { applyCleared } from './commands/task.ts'
import { isFinished } from './dag-run.ts'
import { faultOf } from './fault.ts'
import { newRun } from './new-run.ts'

/** How many runs of a backfill one turn makes; the next turn follows at once. */
const MAX_CREATED_PER_TURN = 20

/** True when there is more to do at once. */
export async function createBackfillRuns(command: Command): Promise<boolean> {
  const { turn, stores } = command
  const { backfills } = stores
  let hasMore = false
  if (!backfills) return false
  for (const backfill of turn.board.backfills.values()) {
    const { dagId, id: backfillId } = backfill
    if (turn.board.quarantine.holdsBackfill(dagId, backfillId)) continue
    try {
      hasMore = (await advanceBackfill(command, backfill, backfills)) || hasMore
    } catch (error) {
      throw faultOf({ kind: 'backfill', dagId, backfillId }, error)
    }
  }
  return hasMore
}

async function advanceBackfill(command: Command, backfill: Backfill, backfills: BackfillStore): Promise<boolean> {
  const { turn } = command
  const { board } = turn
  if (backfill.completedAt !== null) return false
  const activeRuns = countActive(board, backfill)
  const remaining = board.remainingDates.get(backfill.id) ?? Number.POSITIVE_INFINITY
  if (remaining === 0) {
    const at = turn.now.toISOString()
    if (activeRuns === 0) turn.putBackfill({ ...backfill, completedAt: at, updatedAt: at })
    return false
  }
  const wanted = backfillRunsToStart(backfill, { activeRuns, remaining, waitingTasks: board.ready.waitingBesideBackfills })
  if (wanted === 0) return false
  const { dates, total } = await backfills.openDates(backfill.id, Math.min(wanted, MAX_CREATED_PER_TURN))
  for (const date of dates) turn.backfillDates.push(await runDate(command, backfill, date))
  board.remainingDates.set(backfill.id, total - dates.length)
  return true
}

/** The date with its run, or with the reason why it gets none. */
async function runDate(command: Command, backfill: Backfill, date: BackfillDate): Promise<BackfillDate> {
  const { turn, stores } = command
  const { dagId } = backfill
  const dag = turn.board.dags.get(dagId)
  const at = new Date(date.logicalDate)
  const [due] = dag?.timetable.between(at, at, 1) ?? []
  if (!dag || dag.record.isStale || !due) return { ...date, exceptionReason: 'unknown' }
  const existing = turn.createdFor(dagId, date.logicalDate) ?? (await stores.runs.findByLogicalDate(dagId, date.logicalDate))
  if (!existing) {
    const run = backfillRun(backfill, date, due.interval, turn.now)
    if (await stores.runs.find(dagId, run.runId)) return { ...date, exceptionReason: 'already exists' }
    await newRun(turn, dag, run, stores.runs)
    return { ...date, runId: run.runId }
  }
  const exceptionReason = reasonAgainst(existing, backfill)
  if (exceptionReason) return { ...date, exceptionReason }
  const instances = await stores.instances.listOfRun(dagId, existing.runId)
  const request = reprocessRequest(dag.record.document, backfill, existing.runId)
  const cleared = clear(dag.record.document, request, [{ run: existing, instances }], turn.now)
  // A run of only some tasks may have none of those of this backfill yet.
  const reopened = cleared.runs[0] ?? reopenRun(dag.record.document, existing, turn.now)
  await takeUp(command, existing)
  await applyCleared(command, { ...cleared, runs: [takeOver(reopened, backfill, date.ordinal)] })
  return { ...date, runId: existing.runId }
}

function countActive(board: Board, { id, dagId }: Backfill): number {
  let count = 0
  for (const { run } of board.runsOf(dagId).all) if (run.backfill?.id === id && !isFinished(run.state)) count += 1
  return count
}
