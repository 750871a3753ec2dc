/** Pools: named slots that tasks of any DAG share. */

import type { Page, Sort, TextFilter } from '../core/list-query.ts'

export interface Pool {
  readonly name: string
  /** -1 for as many as there are tasks. */
  readonly slots: number
  readonly description: string | null
  /** Whether a deferred task keeps its slot. */
  readonly includeDeferred: boolean
}

export const DEFAULT_POOL = 'default_pool'

/** By name where nothing else decides. */
export interface PoolPage extends Page {
  readonly namePattern?: TextFilter | undefined
  readonly sort: readonly Sort<'name' | 'slots'>[]
}

export interface PoolStore {
  /** By name; `default_pool` is always there. */
  list(): Promise<Pool[]>
  page(query: PoolPage): Promise<{ pools: Pool[]; total: number }>
  find(name: string): Promise<Pool | null>
  save(pool: Pool): Promise<void>
  /** False when there was none. */
  delete(name: string): Promise<boolean>
}
