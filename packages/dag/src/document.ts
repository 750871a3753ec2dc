/** A DAG as data: all that the scheduler ever sees of a DAG file. Plain JSON, whatever language the file is written in. */
import type { ScheduleDocument } from './schedule.ts'
import type { TriggerRule } from './trigger-rule.ts'

export interface DagDocument {
  readonly dagId: string
  readonly description: string | null
  readonly schedule: ScheduleDocument
  /** IANA name of the zone in which cron and naive dates are read. */
  readonly timezone: string
  /** ISO instants in UTC. */
  readonly startDate: string | null
  readonly endDate: string | null
  readonly catchup: boolean
  readonly maxActiveRuns: number
  readonly maxActiveTasks: number
  readonly tags: readonly string[]
  readonly owners: readonly string[]
  /** Default values of `{{ params.x }}`; a run's `conf` overrides them. */
  readonly params: Readonly<Record<string, unknown>>
  /** In the order of the file. */
  readonly tasks: readonly TaskDocument[]
}

export interface TaskDocument {
  readonly taskId: string
  /** `DataprocCreateCluster`, `function` … */
  readonly operator: string
  readonly owner: string
  /** The operator's arguments with their templates as they were written. */
  readonly args: unknown
  /** Ids of the tasks right before and right after this one. */
  readonly upstream: readonly string[]
  readonly downstream: readonly string[]
  /** Which task's output becomes which input of a function; constants stand under `value`. */
  readonly input: Readonly<Record<string, { readonly task: string } | { readonly value: unknown }>>
  readonly triggerRule: TriggerRule
  readonly retries: number
  readonly retryDelaySeconds: number
  /** Each wait is this many times the one before; 0 for the same wait every time. */
  readonly retryBackoff: number
  readonly maxRetryDelaySeconds: number | null
  readonly executionTimeoutSeconds: number | null
}
