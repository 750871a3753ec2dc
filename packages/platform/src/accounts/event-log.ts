/** The event log: who changed what, and when. It has names, never secrets. */
import type { Page, Range, Sort, TextFilter } from '../core/list-query.ts'

export interface EventLogEntry {
  readonly id: number
  /** ISO instant in UTC. */
  readonly at: string
  /** What was done, as Airflow names it: `trigger_dag_run`, `post_variable`, `login` … */
  readonly event: string
  /** Name of the user, or the subject of whatever else did it. */
  readonly owner: string
  readonly dagId: string | null
  readonly runId: string | null
  readonly taskId: string | null
  readonly mapIndex: number | null
  readonly tryNumber: number | null
  readonly logicalDate: string | null
  /** More about it as JSON, without secrets. */
  readonly extra: string | null
}

type EventLogSort = 'id' | 'at' | 'event' | 'owner' | 'dagId' | 'runId' | 'taskId' | 'logicalDate' | 'extra'

export interface EventLogQuery extends Page {
  readonly dagId?: string | undefined
  readonly runId?: string | undefined
  readonly taskId?: string | undefined
  readonly mapIndex?: number | undefined
  readonly tryNumber?: number | undefined
  readonly owner?: string | undefined
  readonly event?: string | undefined
  readonly events?: readonly string[] | undefined
  readonly excludedEvents?: readonly string[] | undefined
  readonly at?: Range<string>
  readonly patterns?: Partial<Record<'dagId' | 'runId' | 'taskId' | 'owner' | 'event', TextFilter | undefined>>
  readonly sort: readonly Sort<EventLogSort>[]
}

export interface EventLog {
  append(entry: Omit<EventLogEntry, 'id'>): Promise<void>
  find(id: number): Promise<EventLogEntry | null>
  /** Deletes some of the entries from before `at`, the oldest first. Answers how many; 0 when none is left. */
  deleteBefore(at: string): Promise<number>
  list(query: EventLogQuery): Promise<{ entries: EventLogEntry[]; total: number }>
}

/** What the log calls the principal behind `subject`: users by their names. */
export const ownerOf = (subject: string): string => subject.replace(/^user:/, '')
