/** Questions of tasks to humans in Airflow's words: list, look at, answer. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import { fieldsOf } from '../../scheduling/input-answer.ts'
import type { InputRequest, TaskInstance } from '../../scheduling/task-instance.ts'
import { readBody } from '../airflow-body.ts'
import { isFound } from '../airflow-like.ts'
import { pageOfItems } from '../airflow-list.ts'
import {
  choice,
  instantRange,
  instants,
  many,
  one,
  ordering,
  pageOf,
  paging,
  patternOf,
  patterns,
  readQuery,
  text,
  truth,
  whole,
} from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { ANY, findInstance, findRun, mapIndexOf, unlessAny } from './request.ts'
import { INSTANCE_STATES } from './task-instance-list.ts'
import { presentInstances } from './task-instance-response.ts'

const Answer = z.strictObject({
  chosen_options: z.array(z.string()).max(1000),
  params_input: z.record(z.string(), z.json()).default({}),
})

const ORDERS = {
  ti_id: 'id',
  dag_id: 'dag_id',
  run_id: 'run_id',
  task_display_name: 'task_id',
  run_after: 'run_after',
  rendered_map_index: 'map_index',
  task_instance_operator: 'operator',
  task_instance_state: 'state',
  subject: 'subject',
  created_at: 'created_at',
  responded_at: 'responded_at',
  responded_by_user_id: 'responded_by',
  responded_by_user_name: 'responded_by',
} as const

const FILTERS = {
  ...paging,
  ...ordering(ORDERS),
  ...instants('created_at'),
  ...patterns('dag_id'),
  task_id: one(text),
  ...patterns('task_id'),
  map_index: one(whole(-1)),
  state: many(choice(INSTANCE_STATES)),
  response_received: one(truth),
  responded_by_user_id: many(text),
  responded_by_user_name: many(text),
  subject_search: one(text),
  body_search: one(text),
}

/** So many questions are looked through: more people do not answer. */
const MOST_QUESTIONS = 10_000

export function addHitlRoutes(door: Door, options: AirflowDoorOptions): void {
  const { scheduler, runs, instances, instanceList, recorder } = options

  const present = async (of: readonly TaskInstance[]) => {
    const shown = await presentInstances(of, options)
    return of.flatMap((instance, i) => {
      const request = requestOf(instance)
      const taskInstance = shown[i]
      return request && taskInstance ? [{ task_instance: taskInstance, ...presentRequest(instance, request) }] : []
    })
  }

  door.get('/api/v2/dags/:dag/dagRuns/:run/hitlDetails', permit('dags.read'), async (c) => {
    const { dag, run } = c.req.param()
    if (dag !== ANY && run !== ANY) await findRun(runs, dag, run)
    const query = readQuery(c.req, FILTERS)
    const found = await instanceList.list({
      limit: MOST_QUESTIONS,
      offset: 0,
      asks: true,
      dagIds: unlessAny(dag),
      runIds: unlessAny(run),
      taskIds: query.task_id === undefined ? undefined : [query.task_id],
      taskIdPattern: patternOf(query, 'task_id'),
      dagIdPattern: patternOf(query, 'dag_id'),
      mapIndices: query.map_index === undefined ? undefined : [query.map_index],
      states: query.state,
      sort: [{ by: 'id', descending: false }],
    })
    const created = instantRange(query, 'created_at')
    const names = [...(query.responded_by_user_id ?? []), ...(query.responded_by_user_name ?? [])]
    const details = (await present(found.instances)).filter(
      (each) =>
        (query.response_received === undefined || each.response_received === query.response_received) &&
        (names.length === 0 || names.includes(each.responded_by_user?.name ?? '')) &&
        isFound({ like: query.subject_search }, each.subject) &&
        isFound({ like: query.body_search }, each.body ?? '') &&
        (created.gte === undefined || each.created_at >= created.gte) &&
        (created.gt === undefined || each.created_at > created.gt) &&
        (created.lte === undefined || each.created_at <= created.lte) &&
        (created.lt === undefined || each.created_at < created.lt),
    )
    const page = pageOfItems(details, pageOf(query), query.order_by, ({ task_instance: instance, ...each }, column) => {
      if (column === 'dag_id') return instance.dag_id
      if (column === 'run_id') return instance.dag_run_id
      if (column === 'id' || column === 'task_id' || column === 'run_after' || column === 'map_index') return instance[column]
      if (column === 'operator' || column === 'state') return instance[column]
      return column === 'responded_by' ? (each.responded_by_user?.name ?? null) : each[column]
    })
    return c.json({ hitl_details: page, total_entries: details.length })
  })

  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task/:map/hitlDetails'

  const find = async (dag: string, run: string, task: string, map: string): Promise<TaskInstance> => {
    await findRun(runs, dag, run)
    const instance = await findInstance(instances, dag, run, task, mapIndexOf(map))
    if (requestOf(instance)) return instance
    throw new AppError('not_found', `Task "${task}" in run "${run}" of DAG "${dag}" asks nobody anything.`)
  }

  door.get(path, permit('dags.read'), async (c) => {
    const { dag, run, task, map } = c.req.param()
    const [detail] = await present([await find(dag, run, task, map)])
    return c.json(detail)
  })

  // A question is asked once; the tries after it go on with its answer.
  door.get(`${path}/tries/:try`, permit('dags.read'), async (c) => {
    const { dag, run, task, map, try: number } = c.req.param()
    const instance = await find(dag, run, task, map)
    if (String(instance.tryNumber) !== number)
      throw new AppError(
        'not_found',
        `What try ${number} of task "${task}" has asked is not kept; the present one is ${instance.tryNumber}.`,
      )
    const [detail] = await present([instance])
    return c.json(detail)
  })

  door.patch(path, permit('dags.run'), recorded(recorder, 'update_hitl_detail', { shown: () => ({}) }), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const { dag, run, task, map } = c.req.param()
    await find(dag, run, task, map)
    const { chosen_options: chosen, params_input: paramsInput } = await readBody(c.req.raw, Answer)
    const answered = await scheduler.answerInput(dag, run, task, mapIndexOf(map), { chosen, paramsInput }, subject)
    const request = requestOf(answered)
    const by = request?.respondedBy ?? subject
    return c.json({
      responded_by: user(by),
      responded_at: request?.respondedAt ?? options.clock.now().toISOString(),
      chosen_options: chosen,
      params_input: paramsInput,
    })
  })
}

const requestOf = ({ deferral }: TaskInstance): InputRequest | null => (deferral?.wait.kind === 'input' ? deferral.wait.request : null)

const user = (subject: string) => {
  const name = subject.replace(/^user:/, '')
  return { id: name, name }
}

const presentRequest = (instance: TaskInstance, request: InputRequest) => ({
  subject: request.subject,
  body: request.body,
  options: request.options,
  defaults: request.defaults,
  multiple: request.multiple,
  params: Object.fromEntries(
    fieldsOf(request).map((name) => [
      name,
      { value: request.params[name] ?? null, schema: request.paramSchemas[name] ?? {}, description: null },
    ]),
  ),
  assigned_users: request.assignees.map(user),
  created_at: instance.startedAt ?? instance.queuedAt ?? instance.scheduledAt ?? new Date(0).toISOString(),
  response_received: request.respondedAt !== null,
  responded_by_user: request.respondedBy === null ? null : user(request.respondedBy),
  responded_at: request.respondedAt,
  chosen_options: request.chosen,
  params_input: request.paramsInput ?? {},
})
