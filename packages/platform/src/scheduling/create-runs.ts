/** Unpaused DAGs get the runs that their schedules bring. */
import type { KnownDag } from './board.ts'
import { type DagRunStore, scheduledRun } from './dag-run.ts'
import { faultOf } from './fault.ts'
import { nextRun } from './known-dags.ts'
import { newRun } from './new-run.ts'
import type { DueRun } from './timetable.ts'
import type { Turn } from './turn.ts'

/** How many missed runs one turn creates, or finds created; the next turn follows at once. */
const MAX_CREATED_PER_TURN = 20

/** True when there is more to do at once. */
export async function createDueRuns(turn: Turn, runs: DagRunStore): Promise<boolean> {
  const { board } = turn
  let created = 0
  for (const dagId of board.toSchedule) {
    const dag = board.dags.get(dagId)
    const left = MAX_CREATED_PER_TURN - created
    if (left <= 0) return true
    try {
      if (dag && !board.quarantine.holdsSchedule(dagId)) created += await createRunsOf(turn, dag, runs, left)
    } catch (error) {
      throw faultOf({ kind: 'schedule', dagId }, error)
    }
    if (created < MAX_CREATED_PER_TURN) board.toSchedule.delete(dagId)
  }
  return false
}

async function createRunsOf(turn: Turn, dag: KnownDag, runs: DagRunStore, most: number): Promise<number> {
  const { board, now } = turn
  const { record } = dag
  if (record.isPaused || record.isStale || record.hasImportErrors) return 0
  let created = 0
  for (;;) {
    const own = board.runsOf(record.dagId)
    if (own.all.size - own.ofBackfills >= record.document.maxActiveRuns || created >= most) return created
    dag.due = dueAt(dag, now)
    if (!dag.due) return created
    if (dag.due.runAfter > now) {
      board.wakeDag(record.dagId, dag.due.runAfter.getTime())
      return created
    }
    const run = scheduledRun(record.dagId, dag.due, now)
    const twin = (await runs.findByLogicalDate(record.dagId, run.logicalDate as string)) ?? (await runs.find(record.dagId, run.runId))
    dag.lastInterval = dag.due.interval
    dag.due = undefined
    created += 1
    // Somebody has triggered a run for exactly this date already: that one stands.
    if (!twin) await newRun(turn, dag, run, runs)
  }
}

/**
 * The next run: once its time has come it stays the one that it was said to be, since some timetables only look ahead from now. Only where a later
 * one has come as well meanwhile does the timetable say anew which of them is made.
 */
function dueAt(dag: KnownDag, now: Date): DueRun | null {
  const { due } = dag
  if (!due) return nextRun(dag, now)
  if (due.runAfter > now) return due
  const hasCome = (run: DueRun | null): run is DueRun => run !== null && run.runAfter <= now
  if (!hasCome(nextRun({ ...dag, lastInterval: due.interval }, now))) return due
  const latest = nextRun(dag, now)
  return hasCome(latest) ? latest : due
}
