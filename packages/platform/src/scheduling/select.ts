/** Gives free slots to ready tasks: the limits are part of the selection, so that one they hold back lets the others pass. */
import { newId } from '../core/id.ts'
import { toAttempt } from './attempt.ts'
import { runKey } from './dag-run.ts'
import { faultOfRun } from './fault.ts'
import { type LimitFacts, reachedLimit } from './limits.ts'
import { instanceKey, type TaskInstance } from './task-instance.ts'
import type { Turn } from './turn.ts'

export function select(turn: Turn, parallelism: number): void {
  const { board } = turn
  const activeOfTask = board.activeOfTask.bind(board)
  board.ready.select(instanceKey, (instance) => {
    if (board.slots.active >= parallelism) return 'stop'
    try {
      return take(turn, instance, activeOfTask)
    } catch (error) {
      throw faultOfRun(instance, error)
    }
  })
}

/** Null as the limit when it has got its slot. */
function take(turn: Turn, instance: TaskInstance, activeOfTask: LimitFacts['activeOfTask']): { limit: string | null } {
  const { board } = turn
  const dag = board.dags.get(instance.dagId)
  const of = board.runs.get(runKey(instance))
  const planned = of?.tasks.get(instance.taskId)?.planned
  if (!dag || !planned || of?.run.state !== 'running') return { limit: `unknown/${instance.dagId}` }
  const limit = reachedLimit({ instance, dag: dag.record, task: planned.document, slots: board.slots, activeOfTask })
  if (limit !== null) return { limit }
  const tryNumber = goesOn(instance) ? Math.max(1, instance.tryNumber) : instance.tryNumber + 1
  const queued = turn.move(of, instance, 'queued', { attemptId: newId(), tryNumber })
  turn.attempts.push(toAttempt(dag, of, planned, queued))
  return { limit: null }
}

/** The same try goes on after a wait without a worker. */
const goesOn = ({ deferral, rescheduleCount }: TaskInstance): boolean => deferral !== null || rescheduleCount > 0
