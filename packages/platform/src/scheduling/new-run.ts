/** A run begins: its instances and the times by which it has to be through. */
import type { KnownDag } from './board.ts'
import type { BoardRun } from './board-run.ts'
import type { DagRun, DagRunStore } from './dag-run.ts'
import { deadlinesOf, durationsNeeded } from './deadline.ts'
import { reconcile } from './reconcile.ts'
import type { Turn } from './turn.ts'

/** Puts a new run on the board with all of its tasks. */
export async function newRun(turn: Turn, dag: KnownDag, run: DagRun, runs: DagRunStore): Promise<BoardRun> {
  const { document } = dag.record
  const needed = durationsNeeded(document)
  const durations = needed > 0 ? await runs.listDurations(run.dagId, needed) : []
  const of = turn.create(document.deadlines.length > 0 ? { ...run, deadlines: deadlinesOf(document, run, durations) } : run)
  reconcile(turn, of, turn.board.planFor(run) ?? dag.plan)
  return of
}
