/** Lists of DAGs as people ask for them: filtered, ordered and paged in the store. */
import type { Page, Range, Sort, TextFilter } from '../core/list-query.ts'
import type { DagRecord } from './dag.ts'
import type { DagRunState } from './dag-run.ts'

export type DagSort = 'dagId' | 'isPaused' | 'lastRunState' | 'lastRunStartedAt'

/** What is left out filters nothing. */
export interface DagListQuery extends Page {
  readonly includeStale: boolean
  readonly tags?: readonly string[] | undefined
  /** All of the tags, or any of them. */
  readonly tagsMatch?: 'any' | 'all' | undefined
  readonly owners?: readonly string[] | undefined
  readonly dagIdPattern?: TextFilter | undefined
  readonly isPaused?: boolean | undefined
  readonly hasImportErrors?: boolean | undefined
  readonly hasAssetSchedule?: boolean | undefined
  /** Name or URI of an asset that the schedule waits for, as a pattern. */
  readonly assetPattern?: TextFilter | undefined
  /** Kinds of schedules: `cron`, `delta`, `assets` … */
  readonly scheduleKinds?: readonly string[] | undefined
  readonly lastRunState?: DagRunState | undefined
  /** Of any of its runs. */
  readonly runStates?: readonly DagRunState[] | undefined
  readonly runStartedAt?: Range<string>
  readonly runEndedAt?: Range<string>
  readonly sort: readonly Sort<DagSort>[]
}

export interface DagList {
  list(query: DagListQuery): Promise<{ dags: DagRecord[]; total: number }>
  /** Every tag in use, by name. */
  tags(
    query: Page & { readonly pattern?: TextFilter | undefined; readonly descending: boolean },
  ): Promise<{ tags: string[]; total: number }>
}
