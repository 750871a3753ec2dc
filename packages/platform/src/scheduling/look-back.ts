/** Finds the run before for those whose tasks look back to it. */
import type { Board } from './board.ts'
import type { BoardRun, Past } from './board-run.ts'
import type { DagRun, DagRunStore } from './dag-run.ts'
import { faultOfRun } from './fault.ts'
import type { TaskInstance, TaskInstanceState, TaskInstanceStore } from './task-instance.ts'

export interface History {
  readonly runs: DagRunStore
  readonly instances: TaskInstanceStore
}

/** Of `runs`, those that look back and do not know yet to what. */
export async function lookBack(runs: Iterable<BoardRun>, board: Board, history: History): Promise<void> {
  for (const of of runs) {
    if (of.past !== undefined || !of.plan?.looksBack || of.run.state !== 'running' || of.isHeld) continue
    try {
      await lookBackFrom(board, of, history)
    } catch (error) {
      throw faultOfRun(of.run, error)
    }
  }
}

/** Previous runs that have ended are kept as they were, when the board forgets them. */
export function rememberEnded(board: Board, ended: readonly BoardRun[]): void {
  for (const gone of ended) {
    if (!gone.plan?.looksBack) continue
    gone.past = null
    const states = statesByTask([...gone.instances()])
    for (const other of board.runsOf(gone.run.dagId).all) {
      if (other.past?.runId === gone.run.runId) other.past = { runId: gone.run.runId, states: (taskId) => states.get(taskId) ?? [] }
    }
  }
}

async function lookBackFrom(board: Board, of: BoardRun, history: History): Promise<void> {
  const { run } = of
  const kinds = board.dags.get(run.dagId)?.record.document.catchup ? 'automated' : 'all'
  of.past = await findPast(board, run, kinds, history)
  const past = of.past
  if (!past || run.logicalDate === null) return
  for (const { taskId, document } of of.plan?.order ?? []) {
    const mayBeFirst = (document.dependsOnPast || document.waitForDownstream) && document.ignoreFirstDependsOnPast
    if (!mayBeFirst || past.states(taskId).length > 0) continue
    of.ranBefore.set(taskId, await history.instances.existsBefore(run.dagId, taskId, run.logicalDate))
  }
}

async function findPast(board: Board, run: DagRun, kinds: 'all' | 'automated', { runs, instances }: History): Promise<Past | null> {
  const { dagId, logicalDate } = run
  if (logicalDate === null) return null
  let previous = await runs.findPrevious(run, kinds)
  // Runs of this turn are not in the store yet.
  for (const { run: other } of board.runsOf(dagId).all) {
    const isBefore = other.logicalDate !== null && other.logicalDate < logicalDate
    const isMeant = isBefore && (kinds === 'all' || other.runType !== 'manual')
    if (isMeant && (previous?.logicalDate ?? '') < (other.logicalDate ?? '')) previous = other
  }
  if (!previous) return null
  const { runId } = previous
  const onBoard = board.runs.get(`${dagId}/${runId}`)
  if (onBoard) return { runId, states: (taskId) => [...(onBoard.tasks.get(taskId)?.instances.values() ?? [])].map(({ state }) => state) }
  const states = statesByTask(await instances.listOfRun(dagId, runId))
  return { runId, states: (taskId) => states.get(taskId) ?? [] }
}

function statesByTask(instances: readonly TaskInstance[]): Map<string, TaskInstanceState[]> {
  const states = new Map<string, TaskInstanceState[]>()
  for (const { taskId, state } of instances) states.set(taskId, [...(states.get(taskId) ?? []), state])
  return states
}
