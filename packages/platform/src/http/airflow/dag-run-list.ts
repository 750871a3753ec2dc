/** Lists of runs in Airflow's words. */
import { z } from 'zod'
import type { RunType } from '../../scheduling/dag-run.ts'
import type { DagRunListQuery, DagRunSort } from '../../scheduling/dag-run-list.ts'
import { readBody } from '../airflow-body.ts'
import { isFound } from '../airflow-like.ts'
import {
  choice,
  cursor,
  cursorsOf,
  decimalRange,
  decimals,
  decimalsOfBody,
  instantRange,
  instants,
  instantsOfBody,
  MAX_LIMIT,
  many,
  one,
  ordering,
  orderingOfBody,
  pageAfter,
  paging,
  patternOf,
  patterns,
  readQuery,
  text,
  whole,
} from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { presentRun, RUN_STATES, RUN_TYPES } from './dag-run-response.ts'
import { ANY, findDag, unlessAny } from './request.ts'

const ORDERS: Readonly<Record<string, DagRunSort>> = {
  id: 'id',
  dag_id: 'dagId',
  run_id: 'runId',
  dag_run_id: 'runId',
  state: 'state',
  run_type: 'runType',
  logical_date: 'logicalDate',
  data_interval_start: 'dataIntervalStart',
  data_interval_end: 'dataIntervalEnd',
  run_after: 'runAfter',
  queued_at: 'queuedAt',
  start_date: 'startedAt',
  end_date: 'endedAt',
  updated_at: 'updatedAt',
  duration: 'duration',
  conf: 'conf',
}

const FILTERS = {
  ...paging,
  ...cursor,
  ...ordering(ORDERS),
  ...instants('run_after', 'logical_date', 'start_date', 'end_date', 'updated_at'),
  ...decimals('duration'),
  state: many(choice(RUN_STATES)),
  run_type: many(choice(RUN_TYPES)),
  ...patterns('dag_id'),
  ...patterns('run_id'),
  ...patterns('triggering_user_name'),
  ...patterns('partition_key'),
  conf_contains: one(text),
  dag_version: many(whole(1)),
  bundle_version: one(text),
}

const Batch = z.strictObject({
  ...orderingOfBody(ORDERS),
  ...instantsOfBody('run_after', 'logical_date', 'start_date', 'end_date'),
  ...decimalsOfBody('duration'),
  page_limit: z.int().min(0).default(MAX_LIMIT),
  page_offset: z.int().min(0).default(0),
  dag_ids: z.array(z.string()).nullish(),
  states: z.array(z.enum(RUN_STATES).nullable()).nullish(),
  conf_contains: z.string().max(500).nullish(),
})

export function addDagRunListRoutes(door: Door, { dags, runList, clock }: AirflowDoorOptions): void {
  const answer = async (query: DagRunListQuery) => {
    const { runs, total } = await runList.list(query)
    return { dag_runs: runs.map((run) => presentRun(run, clock.now())), total_entries: total, ...cursorsOf(query, total) }
  }

  door.get('/api/v2/dags/:dag/dagRuns', permit('dags.read'), async (c) => {
    const dagId = c.req.param('dag')
    if (dagId !== ANY) await findDag(dags, dagId)
    const query = readQuery(c.req, FILTERS)
    // Runs have no partitions here, and DAGs one version each without a bundle's own.
    const isNone =
      !isFound(patternOf(query, 'partition_key'), '') ||
      query.bundle_version !== undefined ||
      (query.dag_version !== undefined && !query.dag_version.includes(1))
    if (isNone) return c.json({ dag_runs: [], total_entries: 0 })
    return c.json(
      await answer({
        ...pageAfter(query),
        sort: query.order_by ?? [],
        dagIds: unlessAny(dagId),
        states: query.state,
        runTypes: query.run_type as RunType[] | undefined,
        dagIdPattern: patternOf(query, 'dag_id'),
        runIdPattern: patternOf(query, 'run_id'),
        createdByPattern: patternOf(query, 'triggering_user_name'),
        confContains: query.conf_contains,
        ...ranges(query),
        updatedAt: instantRange(query, 'updated_at'),
      }),
    )
  })

  door.post('/api/v2/dags/:dag/dagRuns/list', permit('dags.read'), async (c) => {
    const body = await readBody(c.req.raw, Batch)
    return c.json(
      await answer({
        limit: Math.min(body.page_limit, MAX_LIMIT),
        offset: body.page_offset,
        sort: body.order_by ?? [],
        dagIds: body.dag_ids ?? unlessAny(c.req.param('dag')),
        states: body.states?.flatMap((state) => state ?? []),
        confContains: body.conf_contains ?? undefined,
        ...ranges(body),
      }),
    )
  })
}

const ranges = (
  given: Parameters<typeof instantRange<'run_after' | 'logical_date' | 'start_date' | 'end_date'>>[0] &
    Parameters<typeof decimalRange<'duration'>>[0],
) => ({
  runAfter: instantRange(given, 'run_after'),
  logicalDate: instantRange(given, 'logical_date'),
  startedAt: instantRange(given, 'start_date'),
  endedAt: instantRange(given, 'end_date'),
  duration: decimalRange(given, 'duration'),
})
