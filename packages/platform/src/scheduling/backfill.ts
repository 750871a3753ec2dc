/** Backfills: runs for a range of dates in the past, made by the scheduler at a pace of their own. */

/** Which dates that have a run already get it again: none, those whose run failed, or those whose run has ended. */
export type ReprocessBehavior = 'none' | 'failed' | 'completed'

export interface BackfillRequest {
  readonly dagId: string
  /** Logical dates from here to there, both included. */
  readonly from: Date
  readonly to: Date
  readonly reprocess: ReprocessBehavior
  /** How many of its runs may be active at the same time, whatever the DAG's own limit is. */
  readonly maxActiveRuns: number
  readonly isBackwards: boolean
  readonly conf: Readonly<Record<string, unknown>>
  /** Only these tasks (ids, or regular expressions), with the setups and teardowns that they need; null for all. */
  readonly tasks: readonly string[] | null
}

export interface Backfill {
  readonly id: number
  readonly dagId: string
  readonly from: string
  readonly to: string
  readonly reprocess: ReprocessBehavior
  readonly maxActiveRuns: number
  readonly isBackwards: boolean
  readonly conf: Readonly<Record<string, unknown>>
  readonly tasks: readonly string[] | null
  readonly isPaused: boolean
  readonly createdBy: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly completedAt: string | null
}

/** One date of a backfill. */
export interface BackfillDate {
  readonly backfillId: number
  /** From 1, in the order in which they are made. */
  readonly ordinal: number
  readonly logicalDate: string
  /** Null until it is made, or when it never is. */
  readonly runId: string | null
  readonly exceptionReason: 'in flight' | 'already exists' | 'unknown' | null
}

export interface BackfillStore {
  find(id: number): Promise<Backfill | null>
  /** Newest first. */
  list(query: {
    readonly dagId?: string
    readonly isActive?: boolean
    readonly limit: number
    readonly offset: number
  }): Promise<{ backfills: Backfill[]; total: number }>
  listActive(): Promise<Backfill[]>
  dates(id: number): Promise<BackfillDate[]>
  /** The first of those that still wait for their run, and how many there are. */
  openDates(id: number, limit: number): Promise<{ dates: BackfillDate[]; total: number }>
  /** Answers its number. */
  create(backfill: Omit<Backfill, 'id'>, dates: readonly Omit<BackfillDate, 'backfillId'>[]): Promise<number>
  update(backfill: Backfill): Promise<void>
  updateDate(date: BackfillDate): Promise<void>
  deleteOfDag(dagId: string): Promise<void>
}
