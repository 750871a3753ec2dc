/** DAG runs in Airflow's words: list, trigger, mark. */
import type { Context } from 'hono'
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import type { DagRun, DagRunState, RunType } from '../../scheduling/dag-run.ts'
import { paging } from '../airflow-paging.ts'
import { type Door, type DoorEnvironment, permit, requirePermission } from '../door.ts'
import { readJson } from '../json-body.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { choices, durationSeconds, findDag, findRun, instant, ordering } from './request.ts'

const STATES: readonly DagRunState[] = ['queued', 'running', 'success', 'failed']
const RUN_TYPES: readonly RunType[] = ['scheduled', 'manual']
const ORDERS = {
  run_after: 'runAfter',
  logical_date: 'logicalDate',
  data_interval_start: 'logicalDate',
  queued_at: 'queuedAt',
  start_date: 'startedAt',
  end_date: 'endedAt',
  id: 'queuedAt',
} as const

const Trigger = z.strictObject({
  dag_run_id: z.string().nullish(),
  logical_date: instant.nullish(),
  data_interval_start: instant.nullish(),
  data_interval_end: instant.nullish(),
  run_after: instant.nullish(),
  conf: z.record(z.string(), z.unknown()).nullish(),
  note: z.string().max(1000).nullish(),
  partition_key: z.null().optional(),
})

const Patch = z.strictObject({ state: z.enum(['queued', 'success', 'failed']).nullish(), note: z.string().max(1000).nullish() })

export function addDagRunRoutes(door: Door, { scheduler, dags, runs, clock }: AirflowDoorOptions): void {
  const present = (run: DagRun) => presentRun(run, clock.now())

  const list = async (c: Context<DoorEnvironment>) => {
    const dagId = c.req.param('dag')
    if (dagId !== '~') await findDag(dags, dagId as string)
    const states = choices('state', c.req.queries('state'), STATES)
    const [runType, other] = new Set(choices('run_type', c.req.queries('run_type'), RUN_TYPES))
    const found = await runs.list({
      ...(dagId !== '~' && dagId !== undefined && { dagId }),
      ...(states && { states }),
      // There are no more than two, and both of them are all.
      ...(runType && !other && { runType }),
      ...paging((name) => c.req.query(name)),
      ...ordering(c.req.query('order_by') ?? 'run_after', ORDERS),
    })
    return c.json({ dag_runs: found.runs.map(present), total_entries: found.total })
  }
  door.get('/api/v2/dags/:dag/dagRuns', permit('dags.read'), list)

  door.get('/api/v2/dags/:dag/dagRuns/:run', permit('dags.read'), async (c) =>
    c.json(present(await findRun(runs, c.req.param('dag'), c.req.param('run')))),
  )

  door.post('/api/v2/dags/:dag/dagRuns', permit('dags.run'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const body = await readJson(c.req.raw, Trigger)
    const run = await scheduler.trigger(
      c.req.param('dag'),
      {
        runId: body.dag_run_id ?? null,
        logicalDate: body.logical_date ?? null,
        dataIntervalStart: body.data_interval_start ?? null,
        dataIntervalEnd: body.data_interval_end ?? null,
        runAfter: body.run_after ?? null,
        conf: body.conf ?? null,
        note: body.note ?? null,
      },
      subject,
    )
    return c.json(present(run))
  })

  door.patch('/api/v2/dags/:dag/dagRuns/:run', permit('dags.run'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const { dag, run } = c.req.param()
    const body = await readJson(c.req.raw, Patch)
    await findRun(runs, dag, run)
    if (body.state === 'queued') {
      throw new AppError(
        'invalid',
        `Run "${run}" of DAG "${dag}" cannot be queued again. Trigger a new run for its interval: POST /api/v2/dags/${dag}/dagRuns.`,
      )
    }
    if (body.state) await scheduler.endRun(dag, run, body.state, subject)
    if (body.note !== undefined) await runs.updateNote(dag, run, body.note)
    return c.json(present(await findRun(runs, dag, run)))
  })
}

function presentRun(run: DagRun, now: Date) {
  const isScheduled = run.runType === 'scheduled'
  return {
    dag_run_id: run.runId,
    dag_id: run.dagId,
    dag_display_name: run.dagId,
    logical_date: run.logicalDate,
    data_interval_start: run.dataIntervalStart,
    data_interval_end: run.dataIntervalEnd,
    run_after: run.runAfter,
    queued_at: run.queuedAt,
    start_date: run.startedAt,
    end_date: run.endedAt,
    duration: durationSeconds(run.startedAt, run.endedAt, now),
    run_type: run.runType,
    state: run.state,
    triggered_by: isScheduled ? 'timetable' : 'rest_api',
    triggering_user_name: run.createdBy.startsWith('user:') ? run.createdBy.slice(5) : null,
    conf: run.conf,
    note: run.note,
    last_scheduling_decision: null,
    partition_key: null,
    bundle_version: null,
    dag_versions: [],
  }
}
