/** One task instance in Airflow's words, and why it does not run. */
import { AppError } from '../../core/app-error.ts'
import { one, readQuery, whole } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { findInstance, findRun, mapIndexOf } from './request.ts'
import { presentInstance } from './task-instance-response.ts'
import { findTry } from './task-log.ts'

const INDEX = { map_index: one(whole(-1)) }

export function addTaskInstanceRoutes(door: Door, { scheduler, runs, instances, clock }: AirflowDoorOptions): void {
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task'

  const get = async (dag: string, runId: string, task: string, mapIndex: number) => {
    const run = await findRun(runs, dag, runId)
    return presentInstance(await findInstance(instances, dag, runId, task, mapIndex), run, clock.now())
  }

  /** Airflow's `name` and `reason`; what would free it and when are ours. */
  const dependencies = async (dag: string, run: string, task: string, mapIndex: number) => {
    await findRun(runs, dag, run)
    await findInstance(instances, dag, run, task, mapIndex)
    const { state, reasons } = await scheduler.explain(dag, run, task, mapIndex)
    const shown = reasons.map(({ kind, sentence, freedBy, at }) => ({ name: kind, reason: sentence, freed_by: freedBy, at }))
    return { dependencies: shown, state: state === 'none' ? null : state }
  }

  door.get(path, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    return c.json(await get(dag, run, task, -1))
  })

  door.get(`${path}/dependencies`, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    return c.json(await dependencies(dag, run, task, readQuery(c.req, INDEX).map_index ?? -1))
  })

  door.get(`${path}/:map/dependencies`, permit('dags.read'), async (c) => {
    const { dag, run, task, map } = c.req.param()
    return c.json(await dependencies(dag, run, task, mapIndexOf(map)))
  })

  door.get(`${path}/links`, permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    const query = readQuery(c.req, { ...INDEX, try_number: one(whole(0)) })
    const of = { dag, run, task, mapIndex: query.map_index ?? -1 }
    if (query.try_number === undefined) await findInstance(instances, dag, run, task, of.mapIndex)
    else await findTry({ instances }, { ...of, text: String(query.try_number) })
    return c.json({ extra_links: {}, total_entries: 0 })
  })

  door.delete(path, permit('dags.run'), async (c) => {
    const { dag, run, task } = c.req.param()
    await findInstance(instances, dag, run, task, readQuery(c.req, INDEX).map_index ?? -1)
    throw new AppError(
      'conflict',
      `Task "${task}" cannot be taken out of run "${run}" of DAG "${dag}": a run keeps what became of each of its tasks. Clear it, mark it as skipped, or delete the run.`,
    )
  })

  door.get(`${path}/:map`, permit('dags.read'), async (c) => {
    const { dag, run, task, map } = c.req.param()
    return c.json(await get(dag, run, task, mapIndexOf(map)))
  })
}
