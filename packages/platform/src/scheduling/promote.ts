/** Lets queued runs start, those that are due longest first, as far as their DAG or their backfill allows. */
import type { Board, RunsOfDag } from './board.ts'
import { faultOf, faultOfRun } from './fault.ts'
import type { Turn } from './turn.ts'

export function promote(turn: Turn): void {
  const { board } = turn
  for (const dagId of board.toPromote) {
    const dag = board.dags.get(dagId)
    if (dag?.record.isPaused || board.quarantine.holdsDag(dagId)) continue
    try {
      for (const lane of board.runsOf(dagId).queued.keys()) promoteLane(turn, dagId, lane)
    } catch (error) {
      throw faultOf({ kind: 'dag', dagId }, error)
    }
  }
  board.toPromote.clear()
}

function promoteLane(turn: Turn, dagId: string, lane: number | null): void {
  const { board } = turn
  const own = board.runsOf(dagId)
  const queue = own.queued.get(lane)
  for (let of = queue?.peek(); queue && of; of = queue.peek()) {
    if (of.run.state !== 'queued' || board.runs.get(of.key) !== of) {
      queue.pop()
      continue
    }
    if (new Date(of.run.runAfter) > turn.now || runningOf(own, lane) >= mostOf(board, dagId, lane)) return
    queue.pop()
    try {
      turn.moveRun(of, 'running')
    } catch (error) {
      throw faultOfRun(of.run, error)
    }
  }
  if (lane !== null) own.queued.delete(lane)
}

const runningOf = ({ running }: RunsOfDag, lane: number | null): number => {
  let count = 0
  for (const { run } of running) if ((run.backfill?.id ?? null) === lane) count += 1
  return count
}

function mostOf(board: Board, dagId: string, lane: number | null): number {
  const ofDag = board.dags.get(dagId)?.record.document.maxActiveRuns ?? 0
  return lane === null ? ofDag : (board.backfills.get(lane)?.maxActiveRuns ?? ofDag)
}
