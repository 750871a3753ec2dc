/** Lists of task instances in Airflow's words. */
import { z } from 'zod'
import type { TaskInstanceState } from '../../scheduling/task-instance.ts'
import type { TaskInstanceListQuery, TaskInstanceSort } from '../../scheduling/task-instance-list.ts'
import { readBody } from '../airflow-body.ts'
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
import { ANY, findDag, findRun, tasksOfGroup, unlessAny } from './request.ts'
import { presentInstances } from './task-instance-response.ts'

export const INSTANCE_STATES: readonly TaskInstanceState[] = [
  'none',
  'scheduled',
  'queued',
  'running',
  'success',
  'restarting',
  'failed',
  'up_for_retry',
  'up_for_reschedule',
  'upstream_failed',
  'skipped',
  'deferred',
  'removed',
]

const ORDERS: Readonly<Record<string, TaskInstanceSort>> = {
  id: 'id',
  dag_id: 'dagId',
  run_id: 'runId',
  task_id: 'taskId',
  map_index: 'mapIndex',
  rendered_map_index: 'mapLabel',
  state: 'state',
  try_number: 'tryNumber',
  operator: 'operator',
  start_date: 'startedAt',
  end_date: 'endedAt',
  duration: 'duration',
  logical_date: 'logicalDate',
  run_after: 'runAfter',
  data_interval_start: 'dataIntervalStart',
  data_interval_end: 'dataIntervalEnd',
}

/** Every task is of this queue and of no named executor. */
const QUEUE = 'default'

const MAPPED = {
  ...paging,
  ...ordering(ORDERS),
  ...instants('run_after', 'logical_date', 'start_date', 'end_date', 'updated_at'),
  ...decimals('duration'),
  state: many(choice([...INSTANCE_STATES, 'no_status'])),
  pool: many(text),
  ...patterns('pool_name'),
  queue: many(text),
  ...patterns('queue_name'),
  executor: many(text),
  version_number: many(whole(1)),
  try_number: many(whole()),
  operator: many(text),
  ...patterns('operator_name'),
  map_index: many(whole(-1)),
  ...patterns('rendered_map_index'),
}

const FILTERS = {
  ...MAPPED,
  task_id: one(text),
  ...patterns('task_display_name'),
  task_group_id: one(text),
  ...cursor,
  ...patterns('dag_id'),
  ...patterns('run_id'),
}

const Batch = z.strictObject({
  ...orderingOfBody(ORDERS),
  ...instantsOfBody('run_after', 'logical_date', 'start_date', 'end_date'),
  ...decimalsOfBody('duration'),
  page_limit: z.int().min(0).default(MAX_LIMIT),
  page_offset: z.int().min(0).default(0),
  dag_ids: z.array(z.string()).nullish(),
  dag_run_ids: z.array(z.string()).nullish(),
  task_ids: z.array(z.string()).nullish(),
  state: z.array(z.enum(INSTANCE_STATES).nullable()).nullish(),
  pool: z.array(z.string()).nullish(),
  queue: z.array(z.string()).nullish(),
  executor: z.array(z.string()).nullish(),
})

export function addTaskInstanceListRoutes(door: Door, options: AirflowDoorOptions): void {
  const { dags, runs, instanceList } = options
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances'

  const answer = async (query: TaskInstanceListQuery) => {
    const { instances, total } = await instanceList.list(query)
    return { task_instances: await presentInstances(instances, options), total_entries: total, ...cursorsOf(query, total) }
  }

  const wantedTasks = async (dagId: string, taskId: string | undefined, groupId: string | undefined): Promise<string[] | undefined> => {
    if (taskId !== undefined) return [taskId]
    return groupId === undefined || dagId === ANY ? undefined : tasksOfGroup((await findDag(dags, dagId)).document, groupId)
  }

  door.get(path, permit('dags.read'), async (c) => {
    const { dag, run } = c.req.param()
    if (dag !== ANY && run !== ANY) await findRun(runs, dag, run)
    const query = readQuery(c.req, FILTERS)
    if (isElsewhere(query)) return c.json({ task_instances: [], total_entries: 0 })
    const taskIds = await wantedTasks(dag, query.task_id, query.task_group_id)
    return c.json(
      await answer({
        ...common(query),
        dagIds: unlessAny(dag),
        runIds: unlessAny(run),
        taskIds,
        taskIdPattern: patternOf(query, 'task_display_name'),
        dagIdPattern: patternOf(query, 'dag_id'),
        runIdPattern: patternOf(query, 'run_id'),
        // Of several runs the newest first, unless an order is asked for.
        sort: query.order_by ?? (run === ANY ? [{ by: 'id', descending: true }] : []),
      }),
    )
  })

  door.get(`${path}/:task/listMapped`, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    await findRun(runs, dag, run)
    const query = readQuery(c.req, MAPPED)
    if (isElsewhere(query)) return c.json({ task_instances: [], total_entries: 0 })
    const sort = query.order_by ?? [{ by: 'mapIndex' as const, descending: false }]
    return c.json(await answer({ ...common(query), dagIds: [dag], runIds: [run], taskIds: [task], isMapped: true, sort }))
  })

  door.post(`${path}/list`, permit('dags.read'), async (c) => {
    const { dag, run } = c.req.param()
    const body = await readBody(c.req.raw, Batch)
    if (isElsewhere({ queue: body.queue ?? undefined, executor: body.executor ?? undefined }))
      return c.json({ task_instances: [], total_entries: 0 })
    return c.json(
      await answer({
        limit: Math.min(body.page_limit, MAX_LIMIT),
        offset: body.page_offset,
        sort: body.order_by ?? [],
        dagIds: body.dag_ids ?? unlessAny(dag),
        runIds: body.dag_run_ids ?? unlessAny(run),
        taskIds: body.task_ids ?? undefined,
        states: body.state?.map((state) => state ?? 'none'),
        pools: body.pool ?? undefined,
        ...ranges(body),
      }),
    )
  })
}

interface Elsewhere {
  readonly queue?: readonly string[] | undefined
  readonly queue_name_pattern?: string | undefined
  readonly executor?: readonly string[] | undefined
  readonly version_number?: readonly number[] | undefined
}

/** Asks for other queues, executors or versions than there are. */
const isElsewhere = ({ queue, queue_name_pattern: pattern, executor, version_number: versions }: Elsewhere): boolean =>
  (queue !== undefined && !queue.includes(QUEUE)) ||
  (pattern !== undefined && !QUEUE.includes(pattern.replaceAll('%', ''))) ||
  executor !== undefined ||
  (versions !== undefined && !versions.includes(1))

const common = (query: Partial<ReturnType<typeof readQuery<typeof MAPPED>>> & { cursor?: string | undefined }) => ({
  ...pageAfter(query),
  states: query.state?.map((state) => (state === 'no_status' ? 'none' : state)),
  mapIndices: query.map_index,
  pools: query.pool,
  poolPattern: patternOf(query, 'pool_name'),
  operators: query.operator,
  operatorPattern: patternOf(query, 'operator_name'),
  mapLabelPattern: patternOf(query, 'rendered_map_index'),
  tryNumbers: query.try_number,
  ...ranges(query),
  updatedAt: instantRange(query, 'updated_at'),
})

type Ranges = Parameters<typeof instantRange<'run_after' | 'logical_date' | 'start_date' | 'end_date'>>[0] &
  Parameters<typeof decimalRange<'duration'>>[0]

const ranges = (given: Ranges) => ({
  runAfter: instantRange(given, 'run_after'),
  logicalDate: instantRange(given, 'logical_date'),
  startedAt: instantRange(given, 'start_date'),
  endedAt: instantRange(given, 'end_date'),
  duration: decimalRange(given, 'duration'),
})
