/** DAG runs in Airflow's words: trigger, look at, mark, clear, delete. */
import { z } from 'zod'
import type { TriggeredBy } from '../../scheduling/dag-run.ts'
import type { RunRequest } from '../../scheduling/manual-run.ts'
import { readBody } from '../airflow-body.ts'
import { choice, instant, many, readQuery } from '../airflow-query.ts'
import { recorded, recordFound } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { presentAssetEvent } from './asset-event-response.ts'
import { presentRun } from './dag-run-response.ts'
import { findRun } from './request.ts'
import { presentInstances } from './task-instance-response.ts'
import { triggeredBy } from './triggered-by.ts'

const note = z.string().max(1000).nullish()

export const Trigger = z.strictObject({
  dag_run_id: z.string().nullish(),
  logical_date: instant.nullish(),
  data_interval_start: instant.nullish(),
  data_interval_end: instant.nullish(),
  run_after: instant.nullish(),
  conf: z.record(z.string(), z.unknown()).nullish(),
  note,
  partition_key: z.null('is not supported: runs have no partitions').optional(),
})

/** What is asked of the scheduler. */
export const runRequest = (body: z.infer<typeof Trigger>, by: TriggeredBy): RunRequest => ({
  triggeredBy: by,
  runId: body.dag_run_id ?? null,
  logicalDate: body.logical_date ?? null,
  dataIntervalStart: body.data_interval_start ?? null,
  dataIntervalEnd: body.data_interval_end ?? null,
  runAfter: body.run_after ?? null,
  conf: body.conf ?? null,
  note: body.note ?? null,
})

const Patch = z.strictObject({ state: z.enum(['queued', 'success', 'failed']).nullish(), note })

/** Of one run, or of many. */
export const Clear = z.strictObject({
  dry_run: z.boolean().default(true),
  only_failed: z.boolean().default(false),
  only_new: z
    .literal(false, 'is not supported: a run has the tasks that it was made with, and those that its file has had since')
    .nullish(),
  note,
  // There is one version of each DAG, the latest.
  run_on_latest_version: z.boolean().nullish(),
})

export function addDagRunRoutes(door: Door, options: AirflowDoorOptions): void {
  const { scheduler, runs, assets, logs, clock, recorder } = options
  const path = '/api/v2/dags/:dag/dagRuns'

  door.get(`${path}/:run`, permit('dags.read'), async (c) =>
    c.json(presentRun(await findRun(runs, c.req.param('dag'), c.req.param('run')), clock.now())),
  )

  door.post(path, permit('dags.run'), recorded(recorder, 'trigger_dag_run'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const run = await scheduler.trigger(c.req.param('dag'), runRequest(await readBody(c.req.raw, Trigger), triggeredBy(c)), subject)
    recordFound(c.req.raw, run)
    return c.json(presentRun(run, clock.now()))
  })

  door.patch(`${path}/:run`, permit('dags.run'), recorded(recorder, 'patch_dag_run'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const { dag, run } = c.req.param()
    const { update_mask: mask } = readQuery(c.req, { update_mask: many(choice(['state', 'note'])) })
    const body = await readBody(c.req.raw, Patch)
    const counts = (field: 'state' | 'note') => mask === undefined || mask.includes(field)
    await findRun(runs, dag, run)
    if (body.state && counts('state')) await scheduler.setRunState(dag, run, body.state, subject)
    if (body.note !== undefined && counts('note')) await runs.updateNote(dag, run, body.note)
    return c.json(presentRun(await findRun(runs, dag, run), clock.now()))
  })

  door.delete(`${path}/:run`, permit('dags.run'), recorded(recorder, 'delete_dag_run'), async (c) => {
    const { dag, run } = c.req.param()
    await findRun(runs, dag, run)
    await scheduler.deleteRun(dag, run)
    await logs.delete(dag, run)
    return c.body(null, 204)
  })

  door.post(`${path}/:run/clear`, permit('dags.run'), recorded(recorder, 'clear_dag_run'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const { dag, run } = c.req.param()
    const { dry_run: dryRun, only_failed: onlyFailed, note } = await readBody(c.req.raw, Clear)
    await findRun(runs, dag, run)
    const cleared = await scheduler.clearRun(dag, run, { onlyFailed, dryRun }, subject)
    if (dryRun) return c.json({ task_instances: await presentInstances(cleared, options), total_entries: cleared.length })
    if (note !== undefined) await runs.updateNote(dag, run, note)
    return c.json(presentRun(await findRun(runs, dag, run), clock.now()))
  })

  door.get(`${path}/:run/upstreamAssetEvents`, permit('dags.read'), async (c) => {
    const { dag, run } = c.req.param()
    const found = await findRun(runs, dag, run)
    const events = await assets.eventsOfRun(dag, run)
    return c.json({ asset_events: events.map((event) => presentAssetEvent(event, [found])), total_entries: events.length })
  })
}
