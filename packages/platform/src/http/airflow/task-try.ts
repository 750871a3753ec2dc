/** The tries of a task instance in Airflow's words. */
import { AppError } from '../../core/app-error.ts'
import type { TaskTry } from '../../scheduling/task-try.ts'
import { one, readQuery, whole } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findInstance, findRun, mapIndexOf, numberOf } from './request.ts'
import { presentTry } from './task-instance-response.ts'

type Stores = Pick<AirflowDoorOptions, 'runs' | 'instances' | 'tries'>

/** All tries that there have been, with the one under way, ascending. */
async function listTries({ runs, instances, tries }: Stores, dag: string, run: string, task: string, mapIndex: number): Promise<TaskTry[]> {
  await findRun(runs, dag, run)
  const instance = await findInstance(instances, dag, run, task, mapIndex)
  const earlier = await tries.list(dag, run, task, mapIndex)
  // One that was cleared has not begun anew yet.
  const isKept = instance.tryNumber === 0 || earlier.some(({ tryNumber }) => tryNumber === instance.tryNumber)
  return isKept ? earlier : [...earlier, instance]
}

export function addTaskTryRoutes(door: Door, options: AirflowDoorOptions): void {
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task'
  const { clock } = options

  const list = async (dag: string, run: string, task: string, mapIndex: number) => {
    const found = await listTries(options, dag, run, task, mapIndex)
    return { task_instances: found.map((each) => presentTry(each, clock.now())), total_entries: found.length }
  }

  const get = async (dag: string, run: string, task: string, mapIndex: number, text: string) => {
    const number = numberOf('task_try_number', text)
    const found = await listTries(options, dag, run, task, mapIndex)
    const one = found.find(({ tryNumber }) => tryNumber === number)
    if (one) return presentTry(one, clock.now())
    throw new AppError('not_found', `Task "${task}" in run "${run}" of DAG "${dag}" has no try ${number}; it has had ${found.length}.`)
  }

  const INDEX = { map_index: one(whole(-1)) }
  door.get(`${path}/tries`, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    return c.json(await list(dag, run, task, readQuery(c.req, INDEX).map_index ?? -1))
  })
  door.get(`${path}/tries/:try`, permit('dags.read'), async (c) => {
    const { dag, run, task, try: number } = c.req.param()
    return c.json(await get(dag, run, task, readQuery(c.req, INDEX).map_index ?? -1, number))
  })
  door.get(`${path}/:map/tries`, permit('dags.read'), async (c) => {
    const { dag, run, task, map } = c.req.param()
    return c.json(await list(dag, run, task, mapIndexOf(map)))
  })
  door.get(`${path}/:map/tries/:try`, permit('dags.read'), async (c) => {
    const { dag, run, task, map, try: number } = c.req.param()
    return c.json(await get(dag, run, task, mapIndexOf(map), number))
  })
}
