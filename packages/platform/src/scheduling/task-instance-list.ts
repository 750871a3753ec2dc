/** Lists of task instances as people ask for them: filtered, ordered and paged in the store. */
import type { Page, Range, Sort, TextFilter } from '../core/list-query.ts'
import type { TaskInstance, TaskInstanceState } from './task-instance.ts'

export type TaskInstanceSort =
  | 'id'
  | 'dagId'
  | 'runId'
  | 'taskId'
  | 'mapIndex'
  | 'mapLabel'
  | 'state'
  | 'tryNumber'
  | 'operator'
  | 'startedAt'
  | 'endedAt'
  | 'duration'
  | 'logicalDate'
  | 'runAfter'
  | 'dataIntervalStart'
  | 'dataIntervalEnd'

/** What is left out filters nothing. */
export interface TaskInstanceListQuery extends Page {
  readonly dagIds?: readonly string[] | undefined
  readonly runIds?: readonly string[] | undefined
  readonly taskIds?: readonly string[] | undefined
  readonly states?: readonly TaskInstanceState[] | undefined
  readonly mapIndices?: readonly number[] | undefined
  /** Those of mapped tasks that have been expanded. */
  readonly isMapped?: boolean
  readonly pools?: readonly string[] | undefined
  readonly operators?: readonly string[] | undefined
  readonly tryNumbers?: readonly number[] | undefined
  /** Those that have asked a human something. */
  readonly asks?: boolean
  readonly startedAt?: Range<string>
  readonly endedAt?: Range<string>
  readonly updatedAt?: Range<string>
  /** In seconds, until now for one that has not ended. */
  readonly duration?: Range<number>
  readonly logicalDate?: Range<string>
  readonly runAfter?: Range<string>
  readonly dagIdPattern?: TextFilter | undefined
  readonly runIdPattern?: TextFilter | undefined
  readonly taskIdPattern?: TextFilter | undefined
  readonly poolPattern?: TextFilter | undefined
  readonly mapLabelPattern?: TextFilter | undefined
  readonly operatorPattern?: TextFilter | undefined
  /** Empty: as they were made, which within a run is the order of the file. */
  readonly sort: readonly Sort<TaskInstanceSort>[]
}

/** How many slots of a pool tasks in that state ask for or hold. */
export interface PoolUse {
  readonly pool: string
  readonly state: TaskInstanceState
  readonly slots: number
}

export interface TaskInstanceList {
  list(query: TaskInstanceListQuery): Promise<{ instances: TaskInstance[]; total: number }>
  /** Of the runs that have not ended. */
  poolUse(): Promise<PoolUse[]>
}
