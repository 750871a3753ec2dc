/** Lists of XComs as people ask for them: filtered and paged in the store, without their values. */
import type { Page, Range, TextFilter } from '../core/list-query.ts'
import type { XCom } from './xcom.ts'

/** An XCom, and what a list tells of its run. */
export interface ListedXCom extends Omit<XCom, 'value'> {
  readonly logicalDate: string | null
  readonly runAfter: string
}

/** What is left out filters nothing. */
export interface XComListQuery extends Page {
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
  /** By DAG, run, task, map index and key. */
  list(query: XComListQuery): Promise<{ xcoms: ListedXCom[]; total: number }>
}
