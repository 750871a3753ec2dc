/** DAGs as Airflow's clients read them. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { DagRecord } from '../../scheduling/dag.ts'
import type { DueRun } from '../../scheduling/timetable.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'

export const BUNDLE = 'dags-folder'

/** Kinds of schedules that have a run for every time, so that a range of times can be made up for. */
const PERIODIC: ReadonlySet<string> = new Set(['cron', 'cronTrigger', 'delta', 'deltaTrigger'])

/** What a list shows of each DAG. */
export function presentDag(dag: DagRecord, { scheduler, folder }: Pick<AirflowDoorOptions, 'scheduler' | 'folder'>) {
  const next = dag.isStale ? null : scheduler.nextRun(dag.dagId)
  const { document } = dag
  const { schedule } = document
  return {
    dag_id: dag.dagId,
    dag_display_name: dag.dagId,
    description: document.description,
    is_paused: dag.isPaused,
    is_stale: dag.isStale,
    has_import_errors: dag.hasImportErrors,
    fileloc: join(folder, dag.file),
    relative_fileloc: dag.file,
    file_token: fileToken(dag.file),
    bundle_name: BUNDLE,
    bundle_version: null,
    last_parsed_time: dag.parsedAt,
    last_parse_duration: null,
    last_expired: null,
    owners: document.owners,
    tags: document.tags.map((name) => ({ name, dag_id: dag.dagId, dag_display_name: dag.dagId })),
    timetable_summary: schedule.kind === 'none' ? null : schedule.text,
    timetable_description: describe(dag),
    timetable_partitioned: false,
    timetable_periodic: PERIODIC.has(schedule.kind),
    is_backfillable: PERIODIC.has(schedule.kind),
    max_active_runs: document.maxActiveRuns,
    max_active_tasks: document.maxActiveTasks,
    max_consecutive_failed_dag_runs: document.maxConsecutiveFailedRuns,
    has_task_concurrency_limits: document.tasks.some((task) => task.maxActivePerDag !== null || task.maxActivePerRun !== null),
    allowed_run_types: null,
    next_dagrun_logical_date: next?.logicalDate.toISOString() ?? null,
    next_dagrun_data_interval_start: next?.interval.start.toISOString() ?? null,
    next_dagrun_data_interval_end: next?.interval.end.toISOString() ?? null,
    next_dagrun_run_after: next?.runAfter.toISOString() ?? null,
  }
}

/** A run that the schedule will make. */
export const presentNext = ({ logicalDate, interval, runAfter }: DueRun) => ({
  logical_date: logicalDate.toISOString(),
  data_interval_start: interval.start.toISOString(),
  data_interval_end: interval.end.toISOString(),
  run_after: runAfter.toISOString(),
})

/** What one DAG shows of itself beside that. */
export function presentDetails({ document, parsedAt, ...dag }: DagRecord, activeRuns: number) {
  return {
    active_runs_count: activeRuns,
    catchup: document.catchup,
    concurrency: document.maxActiveTasks,
    start_date: document.startDate,
    end_date: document.endDate,
    timezone: document.timezone,
    params: document.params,
    // Ours: what the values must be like.
    param_schemas: document.paramSchemas,
    default_args: null,
    doc_md: document.docMd,
    dag_run_timeout: document.runTimeoutSeconds === null ? null : isoDuration(document.runTimeoutSeconds),
    last_parsed: parsedAt,
    owner_links: {},
    asset_expression: 'condition' in document.schedule ? assetExpression(document.schedule.condition) : null,
    is_favorite: false,
    is_paused_upon_creation: document.isPausedUponCreation,
    latest_dag_version: presentVersion({ document, parsedAt, ...dag }),
    render_template_as_native_obj: document.rendersNative,
    template_search_path: document.templateSearchPath.length > 0 ? document.templateSearchPath : null,
  }
}

/** The DAG as its file has it now: earlier ones are not kept. */
export const presentVersion = ({ dagId, parsedAt }: Pick<DagRecord, 'dagId' | 'parsedAt' | 'document'>) => ({
  id: stableUuid(`${dagId}/version/1`),
  version_number: 1,
  dag_id: dagId,
  dag_display_name: dagId,
  bundle_name: BUNDLE,
  bundle_version: null,
  bundle_url: null,
  created_at: parsedAt,
})

export const fileToken = (file: string): string => Buffer.from(file).toString('base64url')

/** Airflow gives things a UUID; ours is made of what names them. */
export function stableUuid(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function describe({ document: { schedule, timezone } }: DagRecord): string {
  if (schedule.kind === 'none') return 'Never, external triggers only'
  if (schedule.kind === 'assets') return `When its assets are updated: ${schedule.text}`
  return `Schedule ${schedule.text}, ${timezone}`
}

const isoDuration = (seconds: number): string => `PT${seconds}S`

interface Condition {
  readonly asset?: { readonly name: string; readonly uri: string; readonly group: string }
  readonly alias?: string
  readonly all?: readonly Condition[]
  readonly any?: readonly Condition[]
}

function assetExpression(condition: Condition): object {
  if (condition.all) return { all: condition.all.map(assetExpression) }
  if (condition.any) return { any: condition.any.map(assetExpression) }
  if (condition.alias !== undefined) return { alias: { name: condition.alias } }
  const { name, uri, group } = condition.asset ?? { name: '', uri: '', group: '' }
  return { asset: { name, uri, group } }
}
