/** DAGs, their tasks and their source in Airflow's words. */
import { join } from 'node:path'
import type { TaskDocument } from '@daggerboard/dag'
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { DagRecord } from '../../scheduling/dag.ts'
import { paging } from '../airflow-paging.ts'
import { type Door, permit } from '../door.ts'
import { readJson } from '../json-body.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { isLike } from '../airflow-like.ts'
import { findDag, ordering, truth } from './request.ts'

const Patch = z.strictObject({ is_paused: z.boolean() })

export function addDagRoutes(door: Door, { scheduler, dags, runs, folder }: AirflowDoorOptions): void {
  const present = (dag: DagRecord) => {
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
      file_token: Buffer.from(dag.file).toString('base64url'),
      bundle_name: 'dags-folder',
      bundle_version: null,
      last_parsed_time: dag.parsedAt,
      last_parse_duration: null,
      last_expired: null,
      owners: document.owners,
      tags: document.tags.map((name) => ({ name, dag_id: dag.dagId, dag_display_name: dag.dagId })),
      timetable_summary: schedule.kind === 'none' ? null : schedule.text,
      timetable_description: schedule.kind === 'none' ? 'Never, external triggers only' : `Schedule ${schedule.text}, ${document.timezone}`,
      timetable_partitioned: false,
      timetable_periodic: schedule.kind === 'cron',
      is_backfillable: false,
      max_active_runs: document.maxActiveRuns,
      max_active_tasks: document.maxActiveTasks,
      max_consecutive_failed_dag_runs: 0,
      has_task_concurrency_limits: false,
      allowed_run_types: null,
      next_dagrun_logical_date: next?.logicalDate.toISOString() ?? null,
      next_dagrun_data_interval_start: next?.interval.start.toISOString() ?? null,
      next_dagrun_data_interval_end: next?.interval.end.toISOString() ?? null,
      next_dagrun_run_after: next?.runAfter.toISOString() ?? null,
    }
  }

  door.get('/api/v2/dags', permit('dags.read'), async (c) => {
    const { limit, offset } = paging((name) => c.req.query(name))
    const { descending } = ordering(c.req.query('order_by') ?? 'dag_id', { dag_id: 'dagId', dag_display_name: 'dagId' })
    const tags = c.req.queries('tags')
    const paused = truth('paused', c.req.query('paused'))
    const includeStale = truth('exclude_stale', c.req.query('exclude_stale')) === false
    const pattern = c.req.query('dag_id_pattern')
    const all = (await dags.list({ includeStale }))
      .filter((dag) => !tags || tags.some((tag) => dag.document.tags.includes(tag)))
      .filter((dag) => paused === undefined || dag.isPaused === paused)
      .filter((dag) => pattern === undefined || isLike(pattern, dag.dagId))
    if (descending) all.reverse()
    return c.json({ dags: all.slice(offset, offset + limit).map(present), total_entries: all.length })
  })

  door.get('/api/v2/dags/:dag', permit('dags.read'), async (c) => c.json(present(await findDag(dags, c.req.param('dag')))))

  door.patch('/api/v2/dags/:dag', permit('dags.run'), async (c) => {
    const { is_paused } = await readJson(c.req.raw, Patch)
    return c.json(present(await scheduler.setPaused(c.req.param('dag'), is_paused)))
  })

  door.get('/api/v2/dags/:dag/details', permit('dags.read'), async (c) => {
    const dag = await findDag(dags, c.req.param('dag'))
    const { document } = dag
    const active = await runs.list({ dagId: dag.dagId, states: ['running'], limit: 0, offset: 0, descending: false })
    return c.json({
      ...present(dag),
      active_runs_count: active.total,
      catchup: document.catchup,
      concurrency: document.maxActiveTasks,
      start_date: document.startDate,
      end_date: document.endDate,
      timezone: document.timezone,
      params: document.params,
      default_args: null,
      doc_md: null,
      dag_run_timeout: null,
      last_parsed: dag.parsedAt,
      owner_links: {},
      asset_expression: null,
      is_favorite: false,
      is_paused_upon_creation: null,
      latest_dag_version: null,
      render_template_as_native_obj: false,
      template_search_path: null,
    })
  })

  door.get('/api/v2/dags/:dag/tasks', permit('dags.read'), async (c) => {
    const { document } = await findDag(dags, c.req.param('dag'))
    return c.json({ tasks: document.tasks.map(presentTask), total_entries: document.tasks.length })
  })

  door.get('/api/v2/dags/:dag/tasks/:task', permit('dags.read'), async (c) => {
    const { document } = await findDag(dags, c.req.param('dag'))
    const id = c.req.param('task')
    const task = document.tasks.find(({ taskId }) => taskId === id)
    if (task) return c.json(presentTask(task))
    const known = document.tasks.map(({ taskId }) => taskId)
    throw new AppError('not_found', `DAG "${document.dagId}" has no task "${id}".${didYouMean(id, known)}`)
  })

  door.get('/api/v2/dagSources/:dag', permit('dags.read'), async (c) => {
    const { dagId, source } = await findDag(dags, c.req.param('dag'))
    if (c.req.header('accept')?.includes('text/plain')) return c.text(source)
    return c.json({ content: source, dag_id: dagId, dag_display_name: dagId, version_number: 1 })
  })
}

const timeDelta = (seconds: number | null) =>
  seconds === null
    ? null
    : {
        __type: 'TimeDelta',
        days: Math.floor(seconds / 86_400),
        seconds: Math.floor(seconds % 86_400),
        microseconds: Math.round((seconds % 1) * 1e6),
      }

const presentTask = (task: TaskDocument) => ({
  task_id: task.taskId,
  task_display_name: task.taskId,
  owner: task.owner,
  operator_name: task.operator,
  class_ref: { module_path: null, class_name: task.operator },
  upstream_task_ids: task.upstream,
  downstream_task_ids: task.downstream,
  trigger_rule: task.triggerRule,
  retries: task.retries,
  retry_delay: timeDelta(task.retryDelaySeconds),
  retry_exponential_backoff: task.retryBackoff,
  execution_timeout: timeDelta(task.executionTimeoutSeconds),
  depends_on_past: false,
  wait_for_downstream: false,
  is_mapped: false,
  doc_md: null,
  start_date: null,
  end_date: null,
  extra_links: [],
  params: {},
  pool: 'default_pool',
  pool_slots: 1,
  priority_weight: 1,
  weight_rule: 'downstream',
  queue: 'default',
  template_fields: typeof task.args === 'object' && task.args !== null ? Object.keys(task.args) : [],
  ui_color: '#e8f7e4',
  ui_fgcolor: '#000',
})
