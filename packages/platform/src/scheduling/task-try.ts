/** The tries of task instances that are over, as they ended: the one under way, or the last one, is the instance itself. */
import type { TaskInstance } from './task-instance.ts'

export type TaskTry = Pick<
  TaskInstance,
  | 'dagId'
  | 'runId'
  | 'taskId'
  | 'mapIndex'
  | 'tryNumber'
  | 'maxTries'
  | 'operator'
  | 'state'
  | 'scheduledAt'
  | 'queuedAt'
  | 'startedAt'
  | 'endedAt'
  | 'detail'
  | 'renderedFields'
  | 'pool'
  | 'poolSlots'
  | 'priorityWeight'
>

export interface TaskTryStore {
  /** Ascending. */
  list(dagId: string, runId: string, taskId: string, mapIndex: number): Promise<TaskTry[]>
}
