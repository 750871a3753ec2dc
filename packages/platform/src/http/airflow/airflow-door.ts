/** Apache Airflow's REST API, `/api/v2`: DAGs, runs, task instances with their logs and XComs, import errors, health. */
import { AppError } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import type { TaskLogs } from '../../execution/task-log.ts'
import type { DagStore } from '../../scheduling/dag.ts'
import type { DagRunStore } from '../../scheduling/dag-run.ts'
import type { Scheduler } from '../../scheduling/scheduler.ts'
import type { TaskInstanceStore } from '../../scheduling/task-instance.ts'
import type { XComStore } from '../../scheduling/xcom.ts'
import { airflowErrorBody } from '../airflow-error.ts'
import { createDoor, type Door } from '../door.ts'
import { addDagRoutes } from './dag.ts'
import { addDagRunRoutes } from './dag-run.ts'
import { addMonitorRoutes } from './monitor.ts'
import { addTaskInstanceRoutes } from './task-instance.ts'
import { addXComRoutes } from './xcom.ts'

export interface AirflowDoorOptions {
  readonly scheduler: Scheduler
  readonly dags: DagStore
  readonly runs: DagRunStore
  readonly instances: TaskInstanceStore
  readonly xcoms: XComStore
  readonly logs: TaskLogs
  readonly clock: Clock
  readonly version: string
  /** The DAGs folder, shown as part of each file's place. */
  readonly folder: string
}

/** Variables, connections and tokens have doors of their own. */
export function airflowDoor(options: AirflowDoorOptions): Door {
  const door = createDoor({ errorBody: airflowErrorBody })
  addMonitorRoutes(door, options)
  addDagRoutes(door, options)
  addDagRunRoutes(door, options)
  addTaskInstanceRoutes(door, options)
  addXComRoutes(door, options)
  // In Airflow's shape, so that its clients show the sentence. The doors of variables and connections are asked before this one.
  door.all('/api/v2/*', (c) => {
    throw new AppError('not_found', `Nothing answers ${c.req.method} ${c.req.path} here: this part of Airflow's API is not there yet.`)
  })
  return door
}
