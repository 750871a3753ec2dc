/** Backfills in Airflow's words. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import type { Backfill, BackfillDate, BackfillRequest } from '../../scheduling/backfill.ts'
import type { DagRunState } from '../../scheduling/dag-run.ts'
import { readBody } from '../airflow-body.ts'
import { badRequest } from '../airflow-error.ts'
import { instant, one, ordering, pageOf, paging, readQuery, text, truth } from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { RUN_STATES } from './dag-run-response.ts'
import { ANY, findDag, numberOf } from './request.ts'

const Body = z.strictObject({
  dag_id: z.string(),
  from_date: instant,
  to_date: instant,
  run_backwards: z.boolean().default(false),
  dag_run_conf: z.record(z.string(), z.unknown()).nullish(),
  reprocess_behavior: z.enum(['none', 'failed', 'completed']).default('none'),
  max_active_runs: z.int().min(1).max(10_000).default(10),
  // There is one version of each DAG, the latest.
  run_on_latest_version: z.boolean().nullish(),
  // Ours: only these tasks, by ids or regular expressions.
  task_ids: z.array(z.string()).min(1).nullish(),
})

export function addBackfillRoutes(door: Door, { scheduler, dags, backfills, runList, recorder }: AirflowDoorOptions): void {
  const path = '/api/v2/backfills'

  const requestOf = async (body: z.infer<typeof Body>): Promise<BackfillRequest> => {
    await findDag(dags, body.dag_id)
    if (body.from_date > body.to_date) {
      const msg = 'is after to_date'
      throw badRequest('A backfill goes from an earlier date to a later one.', [{ loc: ['body', 'from_date'], msg, type: 'value_error' }])
    }
    return {
      dagId: body.dag_id,
      from: body.from_date,
      to: body.to_date,
      reprocess: body.reprocess_behavior,
      maxActiveRuns: body.max_active_runs,
      isBackwards: body.run_backwards,
      conf: body.dag_run_conf ?? {},
      tasks: body.task_ids ?? null,
    }
  }

  const find = async (id: string): Promise<Backfill> => {
    const backfill = await backfills.find(numberOf('backfill_id', id))
    if (backfill) return backfill
    throw new AppError('not_found', `There is no backfill ${id}. GET /api/v2/backfills lists them.`)
  }

  /** How many of its dates stand where. */
  const countsOf = async ({ id, dagId }: Backfill, dates: readonly BackfillDate[]) => {
    const count = async (state: DagRunState) =>
      [state, (await runList.list({ dagIds: [dagId], backfillId: id, states: [state], limit: 0, offset: 0, sort: [] })).total] as const
    const isOpen = ({ runId, exceptionReason }: BackfillDate) => runId === null && exceptionReason === null
    return {
      total: dates.filter(({ exceptionReason }) => exceptionReason === null).length,
      left_out: dates.filter(({ exceptionReason }) => exceptionReason !== null).length,
      not_started: dates.filter(isOpen).length,
      ...Object.fromEntries(await Promise.all(RUN_STATES.map(count))),
    }
  }

  const presentWhole = async (backfill: Backfill) => {
    const dates = await backfills.dates(backfill.id)
    return {
      ...present(backfill),
      counts: await countsOf(backfill, dates),
      dates: dates.map(({ ordinal, logicalDate, runId, exceptionReason }) => ({
        sort_ordinal: ordinal,
        logical_date: logicalDate,
        dag_run_id: runId,
        exception_reason: exceptionReason,
      })),
    }
  }

  door.get(path, permit('dags.read'), async (c) => {
    const query = readQuery(c.req, { ...paging, ...ordering({ id: 'id' }), dag_id: one(text), active: one(truth) })
    const { dag_id: dagId, active } = query
    const isAscending = query.order_by?.[0]?.descending === false
    const filter = { ...(dagId !== undefined && dagId !== ANY && { dagId }), ...(active !== undefined && { isActive: active }) }
    const { limit, offset } = pageOf(query)
    if (!isAscending) {
      const { backfills: found, total } = await backfills.list({ ...filter, limit, offset })
      return c.json({ backfills: found.map(present), total_entries: total })
    }
    // The store lists the newest first: the page from the other end, turned round.
    const { total } = await backfills.list({ ...filter, limit: 0, offset: 0 })
    const end = Math.max(0, total - offset)
    const start = Math.max(0, end - limit)
    const { backfills: found } = await backfills.list({ ...filter, limit: end - start, offset: start })
    return c.json({ backfills: found.toReversed().map(present), total_entries: total })
  })

  door.get(`${path}/:id`, permit('dags.read'), async (c) => c.json(await presentWhole(await find(c.req.param('id')))))

  door.post(path, permit('dags.write'), recorded(recorder, 'create_backfill'), async (c) => {
    const { subject } = requirePermission(c, 'dags.write')
    const made = await scheduler.createBackfill(await requestOf(await readBody(c.req.raw, Body)), subject)
    return c.json(present(made))
  })

  door.post(`${path}/dry_run`, permit('dags.write'), async (c) => {
    const planned = await scheduler.planBackfill(await requestOf(await readBody(c.req.raw, Body)))
    // As in Airflow, only what would be run; what would not be, and why, is ours.
    const shown = planned.map(({ logicalDate, exceptionReason }) => ({
      logical_date: logicalDate.toISOString(),
      partition_key: null,
      partition_date: null,
      exception_reason: exceptionReason,
    }))
    const made = shown.filter((each) => each.exception_reason === null)
    return c.json({ backfills: made, total_entries: made.length, left_out: shown.filter((each) => each.exception_reason !== null) })
  })

  const act = (verb: 'pause' | 'unpause' | 'cancel', work: (id: number, by: string) => unknown) =>
    door.put(`${path}/:id/${verb}`, permit('dags.write'), recorded(recorder, `${verb}_backfill`), async (c) => {
      const { subject } = requirePermission(c, 'dags.write')
      const { id, completedAt } = await find(c.req.param('id'))
      if (completedAt !== null)
        throw new AppError('conflict', `Backfill ${id} cannot be changed any more: it was completed at ${completedAt}.`)
      await work(id, subject)
      return c.json(present(await find(String(id))))
    })
  act('pause', (id) => scheduler.setBackfillPaused(id, true))
  act('unpause', (id) => scheduler.setBackfillPaused(id, false))
  act('cancel', (id, by) => scheduler.cancelBackfill(id, by))
}

const present = (backfill: Backfill) => ({
  id: backfill.id,
  dag_id: backfill.dagId,
  dag_display_name: backfill.dagId,
  from_date: backfill.from,
  to_date: backfill.to,
  dag_run_conf: backfill.conf,
  is_paused: backfill.isPaused,
  reprocess_behavior: backfill.reprocess,
  max_active_runs: backfill.maxActiveRuns,
  created_at: backfill.createdAt,
  completed_at: backfill.completedAt,
  updated_at: backfill.updatedAt,
  run_backwards: backfill.isBackwards,
  task_ids: backfill.tasks,
  created_by: backfill.createdBy.replace(/^user:/, ''),
})
