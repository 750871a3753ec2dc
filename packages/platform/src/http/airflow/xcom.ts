/** XComs in Airflow's words. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { DagRun } from '../../scheduling/dag-run.ts'
import type { XCom } from '../../scheduling/xcom.ts'
import type { ListedXCom } from '../../scheduling/xcom-list.ts'
import { maskFields } from '../../secrets/masking.ts'
import { nameOf, readBody } from '../airflow-body.ts'
import {
  instantRange,
  instants,
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
import { only, recorded } from '../airflow-record.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { ANY, findInstance, findRun } from './request.ts'

const value = z.json()
const map_index = z.int().min(-1).default(-1)
const Create = z.strictObject({ key: nameOf(512), value, map_index })
const Update = z.strictObject({ value, map_index })

const INDEX = { map_index: one(whole(-1)) }
const ORDERS = {
  key: 'key',
  dag_id: 'dagId',
  run_id: 'runId',
  task_id: 'taskId',
  map_index: 'mapIndex',
  timestamp: 'at',
  run_after: 'runAfter',
} as const
const FILTERS = {
  ...paging,
  ...ordering(ORDERS),
  ...INDEX,
  ...instants('logical_date', 'run_after'),
  xcom_key: one(text),
  ...patterns('xcom_key'),
  ...patterns('dag_display_name'),
  ...patterns('run_id'),
  ...patterns('task_id'),
  map_index_filter: one(whole(-1)),
}

export function addXComRoutes(door: Door, { runs, instances, xcoms, xcomList, clock, recorder }: AirflowDoorOptions): void {
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task/xcomEntries'
  const unless = (id: string) => (id === ANY ? undefined : id)
  // The value may be a secret that a task passes on.
  const named = { shown: only('key', 'map_index') }

  const find = async (dag: string, run: string, task: string, key: string, mapIndex: number): Promise<XCom> => {
    const xcom = await xcoms.find(dag, run, task, key, mapIndex)
    if (xcom) return xcom
    await findInstance(instances, dag, run, task, mapIndex)
    const known = (await xcoms.list(dag, run, task, mapIndex)).map((other) => other.key)
    throw new AppError('not_found', `Task "${task}" has no XCom "${key}" in run "${run}".${didYouMean(key, known)}`)
  }

  door.get(path, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    if (dag !== ANY && run !== ANY) await findRun(runs, dag, run)
    const query = readQuery(c.req, FILTERS)
    const found = await xcomList.list({
      ...pageOf(query),
      sort: query.order_by,
      dagId: unless(dag),
      runId: unless(run),
      taskId: unless(task),
      mapIndex: query.map_index ?? query.map_index_filter,
      key: query.xcom_key,
      keyPattern: patternOf(query, 'xcom_key'),
      dagIdPattern: patternOf(query, 'dag_display_name'),
      runIdPattern: patternOf(query, 'run_id'),
      taskIdPattern: patternOf(query, 'task_id'),
      logicalDate: instantRange(query, 'logical_date'),
      runAfter: instantRange(query, 'run_after'),
    })
    return c.json({ xcom_entries: found.xcoms.map(present), total_entries: found.total })
  })

  door.get(`${path}/:key`, permit('dags.read'), async (c) => {
    const { dag, run, task, key } = c.req.param()
    const query = readQuery(c.req, { ...INDEX, stringify: one(truth), deserialize: one(truth) })
    const found = await findRun(runs, dag, run)
    const xcom = await find(dag, run, task, key, query.map_index ?? -1)
    return c.json({ ...withRun(xcom, found), value: query.stringify ? JSON.stringify(maskFields(xcom.value)) : maskFields(xcom.value) })
  })

  door.post(path, permit('dags.run'), recorded(recorder, 'create_xcom_entry', named), async (c) => {
    const { dag, run, task } = c.req.param()
    const found = await findRun(runs, dag, run)
    const { key, value, map_index: mapIndex } = await readBody(c.req.raw, Create)
    await findInstance(instances, dag, run, task, mapIndex)
    if (await xcoms.find(dag, run, task, key, mapIndex))
      throw new AppError('conflict', `Task "${task}" already has an XCom "${key}" in run "${run}". Change it with PATCH.`)
    const xcom = { dagId: dag, runId: run, taskId: task, mapIndex, key, value, at: clock.now().toISOString() }
    await xcoms.save(xcom)
    return c.json({ ...withRun(xcom, found), value: maskFields(value) }, 201)
  })

  door.patch(`${path}/:key`, permit('dags.run'), recorded(recorder, 'update_xcom_entry', named), async (c) => {
    const { dag, run, task, key } = c.req.param()
    const found = await findRun(runs, dag, run)
    const { value, map_index: mapIndex } = await readBody(c.req.raw, Update)
    const xcom = { ...(await find(dag, run, task, key, mapIndex)), value, at: clock.now().toISOString() }
    await xcoms.save(xcom)
    return c.json({ ...withRun(xcom, found), value: maskFields(value) })
  })

  door.delete(`${path}/:key`, permit('dags.run'), recorded(recorder, 'delete_xcom_entry'), async (c) => {
    const { dag, run, task, key } = c.req.param()
    const { map_index: mapIndex = -1 } = readQuery(c.req, INDEX)
    await findRun(runs, dag, run)
    await find(dag, run, task, key, mapIndex)
    await xcoms.delete(dag, run, task, key, mapIndex)
    return c.body(null, 204)
  })
}

const withRun = (xcom: XCom, { logicalDate, runAfter }: DagRun) => present({ ...xcom, logicalDate, runAfter })

const present = (xcom: ListedXCom) => ({
  key: xcom.key,
  timestamp: xcom.at,
  logical_date: xcom.logicalDate,
  run_after: xcom.runAfter,
  map_index: xcom.mapIndex,
  task_id: xcom.taskId,
  task_display_name: xcom.taskId,
  dag_id: xcom.dagId,
  dag_display_name: xcom.dagId,
  run_id: xcom.runId,
})
