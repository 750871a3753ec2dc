/** Lists of XComs as people ask for them: filtered and paged in the store, without their values. */
import type { Page, Range, Sort, TextFilter } from '../core/list-query.ts'
import type { XCom } from './xcom.ts'

/** An XCom, and what a list tells of its run. */
export interface ListedXCom extends Omit<XCom, 'value'> {
  readonly logicalDate: string | null
  readonly runAfter: string
}

export type XComColumn = 'key' | 'dagId' | 'runId' | 'taskId' | 'mapIndex' | 'at' | 'runAfter'

/** What is left out filters nothing. */
export interface XComListQuery extends Page {
  readonly sort?: readonly Sort<XComColumn>[] | undefined
  readonly dagId?: string | undefined
  readonly runId?: string | undefined
  readonly taskId?: string | undefined
  readonly mapIndex?: number | undefined
  readonly key?: string | undefined
  readonly keyPattern?: TextFilter | undefined
  readonly dagIdPattern?: TextFilter | undefined
  readonly runIdPattern?: TextFilter | undefined
  readonly taskIdPattern?: TextFilter | undefined
  readonly logicalDate?: Range<string>
  readonly runAfter?: Range<string>
}

export interface XComList {
  /** In their order; then by DAG, run, task, map index and key. */
  list(query: XComListQuery): Promise<{ xcoms: ListedXCom[]; total: number }>
}
