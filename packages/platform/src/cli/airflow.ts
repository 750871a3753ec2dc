/** What the doors of `/api/v2` answer, as far as commands read it; the names are Airflow's. */
import { path } from './client.ts'
import type { ConnectionFields } from './host.ts'
import type { Row } from './output.ts'

export interface DagView extends Row {
  readonly dag_id: string
  readonly is_paused: boolean
  readonly has_import_errors: boolean
  readonly file_token: string
  readonly timetable_summary: string | null
  readonly timetable_description: string
  readonly next_dagrun_logical_date: string | null
  readonly next_dagrun_run_after: string | null
}

export interface RunView extends Row {
  readonly dag_run_id: string
  readonly dag_id: string
  readonly logical_date: string | null
  readonly run_type: string
  readonly state: string
  readonly run_after: string
  readonly start_date: string | null
  readonly end_date: string | null
  readonly conf: Readonly<Record<string, unknown>> | null
}

export interface InstanceView extends Row {
  readonly dag_id: string
  readonly dag_run_id: string
  readonly task_id: string
  readonly map_index: number
  readonly state: string | null
  readonly try_number: number
  readonly start_date: string | null
  readonly end_date: string | null
  readonly rendered_fields: Readonly<Record<string, unknown>>
}

export interface TaskView extends Row {
  readonly task_id: string
  readonly operator_name: string
  readonly trigger_rule: string
  readonly upstream_task_ids: readonly string[]
  readonly downstream_task_ids: readonly string[]
  readonly is_mapped: boolean
}

export interface BackfillView extends Row {
  readonly id: number
  readonly dag_id: string
  readonly from_date: string
  readonly to_date: string
  readonly is_paused: boolean
  readonly completed_at: string | null
  readonly max_active_runs: number
}

/** One backfill with how many of its dates stand where. */
export interface WholeBackfill extends BackfillView {
  readonly counts: Readonly<Record<'total' | 'left_out' | 'not_started' | 'queued' | 'running' | 'success' | 'failed', number>>
  readonly dates: readonly unknown[]
}

export interface PoolView extends Row {
  readonly name: string
  readonly slots: number
  readonly description: string | null
  readonly include_deferred: boolean
}

export interface VariableView extends Row {
  readonly key: string
  readonly value: string
  readonly description: string | null
}

export interface ConnectionView extends ConnectionFields, Row {}

export interface AssetView extends Row {
  readonly id: number
  readonly name: string
  readonly uri: string
  readonly group: string
}

export const RUN_STATES = ['queued', 'running', 'success', 'failed'] as const

export const isRunOver = (state: string): boolean => state === 'success' || state === 'failed'

/** `task_id` or, for an instance of a mapped task, `task_id[2]`. */
export const instanceName = ({ task_id, map_index }: Pick<InstanceView, 'task_id' | 'map_index'>): string =>
  map_index < 0 ? task_id : `${task_id}[${map_index}]`

/** Address of an instance in a run. */
export const instancePath = (dag: string, runId: string, task: string, index: number | undefined): string =>
  path`/api/v2/dags/${dag}/dagRuns/${runId}/taskInstances/${task}` + (index === undefined || index < 0 ? '' : `/${index}`)

const AT_REST = new Set(['success', 'failed', 'skipped', 'upstream_failed', 'removed'])
export const isAtRest = ({ state }: InstanceView): boolean => state !== null && AT_REST.has(state)
