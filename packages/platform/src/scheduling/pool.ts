/** Pools: named slots that tasks of any DAG share. */

export interface Pool {
  readonly name: string
  /** -1 for as many as there are tasks. */
  readonly slots: number
  readonly description: string | null
  /** Whether a deferred task keeps its slot. */
  readonly includeDeferred: boolean
}

export const DEFAULT_POOL = 'default_pool'

export interface PoolStore {
  /** By name; `default_pool` is always there. */
  list(): Promise<Pool[]>
  find(name: string): Promise<Pool | null>
  save(pool: Pool): Promise<void>
  /** False when there was none. */
  delete(name: string): Promise<boolean>
}
