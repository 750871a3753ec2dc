/** XComs in Airflow's words. */
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { DagRun } from '../../scheduling/dag-run.ts'
import type { XCom } from '../../scheduling/xcom.ts'
import { paging } from '../airflow-paging.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findInstance, findRun } from './request.ts'

export function addXComRoutes(door: Door, { runs, instances, xcoms }: AirflowDoorOptions): void {
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task/xcomEntries'

  door.get(path, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    const found = await findRun(runs, dag, run)
    const { limit, offset } = paging((name) => c.req.query(name))
    const all = await xcoms.list(dag, run, task === '~' ? undefined : task)
    return c.json({ xcom_entries: all.slice(offset, offset + limit).map((one) => present(one, found)), total_entries: all.length })
  })

  door.get(`${path}/:key`, permit('dags.read'), async (c) => {
    const { dag, run, task, key } = c.req.param()
    const found = await findRun(runs, dag, run)
    await findInstance(instances, dag, run, task)
    const xcom = await xcoms.find(dag, run, task, key)
    if (!xcom) {
      const known = (await xcoms.list(dag, run, task)).map((other) => other.key)
      throw new AppError('not_found', `Task "${task}" has no XCom "${key}" in run "${run}".${didYouMean(key, known)}`)
    }
    const value = c.req.query('stringify') === 'true' ? JSON.stringify(xcom.value) : xcom.value
    return c.json({ ...present(xcom, found), value })
  })
}

const present = (xcom: XCom, run: DagRun) => ({
  key: xcom.key,
  timestamp: xcom.at,
  logical_date: run.logicalDate,
  run_after: run.runAfter,
  map_index: -1,
  task_id: xcom.taskId,
  task_display_name: xcom.taskId,
  dag_id: xcom.dagId,
  dag_display_name: xcom.dagId,
  run_id: xcom.runId,
})
