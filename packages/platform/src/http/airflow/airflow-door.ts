/** Apache Airflow's REST API, `/api/v2`: DAGs, runs, task instances with their logs and XComs, backfills, pools, assets, the event log. */
import { AppError } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import type { Events } from '../../core/events.ts'
import type { TaskLogs } from '../../execution/task-log.ts'
import type { AssetStore } from '../../scheduling/asset.ts'
import type { BackfillStore } from '../../scheduling/backfill.ts'
import type { DagStore } from '../../scheduling/dag.ts'
import type { DagList } from '../../scheduling/dag-list.ts'
import type { DagRunStore } from '../../scheduling/dag-run.ts'
import type { DagRunList } from '../../scheduling/dag-run-list.ts'
import type { PoolStore } from '../../scheduling/pool.ts'
import type { Scheduler } from '../../scheduling/scheduler.ts'
import type { TaskInstanceStore } from '../../scheduling/task-instance.ts'
import type { TaskInstanceList } from '../../scheduling/task-instance-list.ts'
import type { TaskTryStore } from '../../scheduling/task-try.ts'
import type { XComStore } from '../../scheduling/xcom.ts'
import type { XComList } from '../../scheduling/xcom-list.ts'
import { airflowErrors } from '../airflow-error.ts'
import type { Recorder } from '../airflow-record.ts'
import { createDoor, type Door } from '../door.ts'
import { addAssetRoutes } from './asset.ts'
import { addAssetEventRoutes } from './asset-event.ts'
import { addBackfillRoutes } from './backfill.ts'
import { addConfigRoutes, type ConfigOption } from './config.ts'
import { addDagRoutes } from './dag.ts'
import { addDagRunRoutes } from './dag-run.ts'
import { addDagRunBulkRoutes } from './dag-run-bulk.ts'
import { addDagRunListRoutes } from './dag-run-list.ts'
import { addDagRunWaitRoutes } from './dag-run-wait.ts'
import { addDagVersionRoutes } from './dag-version.ts'
import { addEventLogRoutes } from './event-log.ts'
import { addHitlRoutes } from './hitl.ts'
import { addImportErrorRoutes } from './import-error.ts'
import { addLiveRoutes } from './live.ts'
import { addMonitorRoutes } from './monitor.ts'
import { addPoolRoutes } from './pool.ts'
import { addTaskRoutes } from './task.ts'
import { addTaskInstanceRoutes } from './task-instance.ts'
import { addTaskInstanceChangeRoutes } from './task-instance-change.ts'
import { addTaskInstanceListRoutes } from './task-instance-list.ts'
import { addTaskLogRoutes } from './task-log.ts'
import { addTaskTryRoutes } from './task-try.ts'
import { addXComRoutes } from './xcom.ts'

export interface AirflowDoorOptions {
  readonly scheduler: Scheduler
  readonly dags: DagStore
  readonly dagList: DagList
  readonly runs: DagRunStore
  readonly runList: DagRunList
  readonly instances: TaskInstanceStore
  readonly instanceList: TaskInstanceList
  readonly tries: TaskTryStore
  readonly xcoms: XComStore
  readonly xcomList: XComList
  readonly pools: PoolStore
  readonly backfills: BackfillStore
  readonly assets: AssetStore
  readonly logs: TaskLogs
  readonly events: Events
  readonly recorder: Recorder
  readonly clock: Clock
  readonly version: string
  /** The DAGs folder, shown as part of each file's place. */
  readonly folder: string
  /** The settings as they may be shown, without secrets. */
  readonly config: readonly ConfigOption[]
  /** Ends waits and streams: the platform is stopping. */
  readonly stopping?: AbortSignal
}

/** Variables, connections and tokens have doors of their own. */
export function airflowDoor(options: AirflowDoorOptions): Door {
  const door = createDoor(airflowErrors)
  for (const add of [
    addMonitorRoutes,
    addImportErrorRoutes,
    addConfigRoutes,
    addEventLogRoutes,
    addDagRoutes,
    addTaskRoutes,
    addDagVersionRoutes,
    addDagRunListRoutes,
    addDagRunRoutes,
    addDagRunBulkRoutes,
    addDagRunWaitRoutes,
    addTaskInstanceListRoutes,
    // The key of an XCom may be any word, also one that stands behind a map index.
    addXComRoutes,
    addTaskInstanceChangeRoutes,
    addTaskLogRoutes,
    addTaskTryRoutes,
    addHitlRoutes,
    addLiveRoutes,
    // Its address of a mapped instance would take those of the others.
    addTaskInstanceRoutes,
    addBackfillRoutes,
    addPoolRoutes,
    addAssetEventRoutes,
    addAssetRoutes,
  ])
    add(door, options)
  // In Airflow's shape, so that its clients show the sentence. The doors of variables and connections are asked before this one.
  door.all('/api/v2/*', (c) => {
    throw new AppError('not_found', `Nothing answers ${c.req.method} ${c.req.path} here: Airflow's API of version 3.2 has no such address.`)
  })
  return door
}
