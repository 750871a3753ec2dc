/** Lists of runs as people ask for them: filtered, ordered and paged in the store. */
import type { Page, Range, Sort, TextFilter } from '../core/list-query.ts'
import type { DagRun, DagRunState, RunType } from './dag-run.ts'

export type DagRunSort =
  | 'id'
  | 'dagId'
  | 'runId'
  | 'state'
  | 'runType'
  | 'logicalDate'
  | 'dataIntervalStart'
  | 'dataIntervalEnd'
  | 'runAfter'
  | 'queuedAt'
  | 'startedAt'
  | 'endedAt'
  | 'updatedAt'
  | 'duration'
  | 'conf'

/** What is left out filters nothing. */
export interface DagRunListQuery extends Page {
  readonly dagIds?: readonly string[] | undefined
  readonly runIds?: readonly string[] | undefined
  readonly states?: readonly DagRunState[] | undefined
  readonly runTypes?: readonly RunType[] | undefined
  readonly logicalDate?: Range<string>
  readonly runAfter?: Range<string>
  readonly startedAt?: Range<string>
  readonly endedAt?: Range<string>
  readonly updatedAt?: Range<string>
  /** In seconds, until now for a run that has not ended. */
  readonly duration?: Range<number>
  readonly confContains?: string | undefined
  readonly dagIdPattern?: TextFilter | undefined
  readonly runIdPattern?: TextFilter | undefined
  /** Of the user's name. */
  readonly createdByPattern?: TextFilter | undefined
  readonly backfillId?: number | undefined
  /** Empty: as they were made. */
  readonly sort: readonly Sort<DagRunSort>[]
}

export interface DagRunList {
  list(query: DagRunListQuery): Promise<{ runs: DagRun[]; total: number }>
  /** How many runs of each state those DAGs have; of all DAGs without ids. */
  countStates(dagIds?: readonly string[]): Promise<{ dagId: string; state: DagRunState; count: number }[]>
}
