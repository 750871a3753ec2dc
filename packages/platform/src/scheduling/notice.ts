/** Tells the rest of the platform what has moved. */
import type { Events } from '../core/events.ts'
import type { DagRun } from './dag-run.ts'
import type { TaskInstance } from './task-instance.ts'

/** Something that has come to a new state. */
export type Notice = DagRun | TaskInstance

/** Task instances change on behalf of whoever created their run. */
export function tell(events: Events, notice: Notice, by: string): void {
  if ('taskId' in notice) {
    const { dagId, runId, taskId, mapIndex, operator, tryNumber, state, startedAt, endedAt, detail } = notice
    events.emit('task_instance.changed', by, { dagId, runId, taskId, mapIndex, operator, tryNumber, state, startedAt, endedAt, detail })
  } else {
    const { dagId, runId, runType, state, dataIntervalStart, dataIntervalEnd, startedAt, endedAt } = notice
    events.emit('dag_run.changed', by, { dagId, runId, runType, state, dataIntervalStart, dataIntervalEnd, startedAt, endedAt })
  }
}

/** A run was to be through by then. */
export function tellMissed(events: Events, { dagId, runId, createdBy }: DagRun, deadline: number, at: string): void {
  events.emit('deadline.missed', createdBy, { dagId, runId, deadline, at })
}
