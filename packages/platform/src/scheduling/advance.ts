/** Follows a run in which something happened: tasks become ready or can no longer run, and the run may end. */
import { newId } from '../core/id.ts'
import type { BoardRun, BoardTask } from './board-run.ts'
import type { PlannedTask } from './dag-plan.ts'
import { examine } from './dependencies.ts'
import { mapCount } from './expansion.ts'
import { faultOfRun } from './fault.ts'
import { outcomeOf } from './outcome.ts'
import { newInstance, reconcile } from './reconcile.ts'
import { isDone, type TaskInstance } from './task-instance.ts'
import { isLatest as isLatestInterval } from './timetable.ts'
import type { Turn } from './turn.ts'

/** So many instances move in one turn at most, where a run is that wide: those that are ready begin while the others are looked at. */
const MOST_MOVES = 128

/**
 * Every run in which something happened, until about `mostMoves` instances have moved. Those of paused DAGs stay as they are until these run
 * again, but for ending. Answers whether there are runs left that the next turn has to follow.
 */
export function advance(turn: Turn, mostMoves: number = MOST_MOVES): boolean {
  const { board } = turn
  const most = turn.moves + mostMoves
  const left: BoardRun[] = []
  for (const of of board.toAdvance) {
    if (turn.moves >= most) break
    board.toAdvance.delete(of)
    if (of.isHeld || of.run.state !== 'running' || board.runs.get(of.key) !== of) continue
    try {
      if (!advanceRun(turn, of, most)) left.push(of)
    } catch (error) {
      throw faultOfRun(of.run, error)
    }
  }
  for (const of of left) board.toAdvance.add(of)
  return board.toAdvance.size > 0
}

/** False when it has to be gone on with. */
function advanceRun(turn: Turn, of: BoardRun, most: number): boolean {
  const { board } = turn
  const dag = board.dags.get(of.run.dagId)
  const plan = board.planFor(of.run)
  if (!dag || !plan) return true
  if (of.reconciledWith !== plan) {
    reconcile(turn, of, plan)
    board.wakeForTimeout(of)
  }
  if (dag.record.isPaused && of.unfinished > 0) return true
  for (let next = of.nextDirty(); next; next = of.nextDirty()) {
    follow(turn, of, next.task, next.indices)
    if (turn.moves >= most && of.isDirty) return false
  }
  const outcome = outcomeOf(of)
  if (outcome) endRun(turn, of, outcome.state, outcome.reason)
  return true
}

/** The run ends by itself. */
function endRun(turn: Turn, of: BoardRun, state: 'success' | 'failed', reason: string): void {
  turn.moveRun(of, state)
  if (state === 'failed') turn.failed.push(of.run)
  const dag = turn.board.dags.get(of.run.dagId)
  const which = state === 'success' ? 'onSuccess' : 'onFailure'
  if (!dag?.record.document.callbacks[which]) return
  const { dagId, runId } = of.run
  turn.calls.push({ id: newId(), which, attempt: null, dagId, runId, file: dag.record.file, reason })
}

/** A run that takes longer than it may: it fails, what runs is ended, and all that is not through is skipped. */
export function timeOut(turn: Turn, of: BoardRun): void {
  const detail = 'The run took longer than its DAG allows.'
  for (const instance of [...of.instances()]) {
    if (isDone(instance.state)) continue
    turn.cancel(instance)
    turn.move(of, instance, 'skipped', { detail })
  }
  endRun(turn, of, 'failed', 'timed_out')
}

function follow(turn: Turn, of: BoardRun, task: BoardTask, indices: ReadonlySet<number> | null): void {
  const { planned } = task
  if (!planned) return
  if (planned.expand) {
    if (task.single) {
      if (task.single.state === 'none' && expand(turn, of, planned, task.single)) settleAll(turn, of, task, planned, null)
      return
    }
    if (indices === null) revise(turn, of, task, planned)
  }
  settleAll(turn, of, task, planned, indices)
}

function settleAll(turn: Turn, of: BoardRun, task: BoardTask, planned: PlannedTask, indices: ReadonlySet<number> | null): void {
  for (const index of indices ?? [...task.instances.keys()]) {
    const instance = task.instances.get(index)
    if (instance?.state !== 'none') continue
    const { verdict, detail } = examine(of, planned, instance)
    if (verdict === 'run') ready(turn, of, planned, instance)
    else if (verdict !== 'wait') turn.move(of, instance, verdict, { detail })
  }
}

/** It waits for a slot from now on, or is decided at once where no worker is needed. */
function ready(turn: Turn, of: BoardRun, planned: PlannedTask, instance: TaskInstance): void {
  const { pool, poolSlots, flow } = planned.document
  if (flow === 'latestOnly') {
    const skip = isLatest(turn, of) ? null : ({ all: 'direct' } as const)
    turn.move(of, instance, 'success', { skip, ...(skip && { detail: 'Its interval is not the latest one.' }) })
    return
  }
  turn.move(of, instance, 'scheduled', { pool, poolSlots, priorityWeight: planned.priorityWeight })
}

/** Whether now is the time right after the interval of the run. A run by hand always is the latest. */
function isLatest(turn: Turn, { run }: BoardRun): boolean {
  if (run.runType === 'manual' || run.runType === 'asset_materialization') return true
  const interval = { start: new Date(run.dataIntervalStart), end: new Date(run.dataIntervalEnd) }
  const timetable = turn.board.dags.get(run.dagId)?.timetable
  return !timetable || isLatestInterval(timetable, interval, turn.now)
}

/** Makes the instances of a mapped task once it is known how many. True when there are such now. */
function expand(turn: Turn, of: BoardRun, planned: PlannedTask, single: TaskInstance): boolean {
  const count = mapCount(of, planned)
  // The tasks of a mapped group, and those mapped over what is written down, go their ways element by element from the beginning.
  const isEarly = planned.document.expand === null || planned.sources.length === 0
  if (!(isEarly && typeof count === 'number' && count > 0)) {
    const { verdict, detail } = examine(of, planned, single)
    if (verdict === 'wait' || (verdict === 'run' && count === 'pending')) return false
    if (verdict !== 'run') turn.move(of, single, verdict, { detail })
    else if (count === 'unknowable') turn.move(of, single, 'upstream_failed', { detail: UNKNOWABLE })
    else if (count === 0) turn.move(of, single, 'skipped', { detail: NOTHING })
    if (verdict !== 'run' || typeof count !== 'number' || count === 0) return false
  }
  const instances = Array.from({ length: count as number }, (_, index) => newInstance(of, planned, index))
  turn.replace(of, single, instances)
  return true
}

/** The list may have another length than when the instances were made: some are missing then, or no longer needed; or there is none any more. */
function revise(turn: Turn, of: BoardRun, task: BoardTask, planned: PlannedTask): void {
  const count = mapCount(of, planned)
  if (count === 0 || count === 'unknowable') withoutElements(turn, of, task, planned, count)
  if (typeof count !== 'number' || count === 0) return
  for (const instance of [...task.instances.values()]) {
    if (instance.mapIndex >= count && instance.state === 'none') {
      turn.move(of, instance, 'removed', { detail: `It is made of ${count} elements now.` })
      const { dagId, runId, taskId, mapIndex } = instance
      turn.xcomsCleared.push({ dagId, runId, taskId, mapIndex, before: turn.now.toISOString() })
    } else if (instance.mapIndex < count && instance.state === 'removed') turn.move(of, instance, 'none')
  }
  for (let index = 0; index < count; index++) if (!task.instances.has(index)) turn.put(of, newInstance(of, planned, index))
}

/** Instances for which there is no list, or an empty one, end as their task would if it had not been made into instances. */
function withoutElements(turn: Turn, of: BoardRun, task: BoardTask, planned: PlannedTask, count: 0 | 'unknowable'): void {
  for (const instance of [...task.instances.values()]) {
    if (instance.state !== 'none') continue
    const { verdict, detail } = examine(of, planned, instance)
    if (verdict !== 'run' && verdict !== 'wait') turn.move(of, instance, verdict, { detail })
    else if (count === 'unknowable') turn.move(of, instance, 'upstream_failed', { detail: UNKNOWABLE })
    else turn.move(of, instance, 'skipped', { detail: NOTHING })
    const { dagId, runId, taskId, mapIndex } = instance
    turn.xcomsCleared.push({ dagId, runId, taskId, mapIndex, before: turn.now.toISOString() })
  }
}

const UNKNOWABLE = 'What it would be made of is not there.'

const NOTHING = 'There is nothing to make it of.'
