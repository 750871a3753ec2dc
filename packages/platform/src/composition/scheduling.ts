/** The scheduler, the folder of DAG files and the workers that run tasks, behind Airflow's protocol. */
import { DagFolder } from '../adapters/process/dag-folder.ts'
import { WorkerPool } from '../adapters/process/worker-pool.ts'
import { SqliteAssetStore } from '../adapters/sqlite/asset.ts'
import { SqliteBackfillStore } from '../adapters/sqlite/backfill.ts'
import { SqliteCallbackStore } from '../adapters/sqlite/callback.ts'
import { SqliteCancellationStore } from '../adapters/sqlite/cancellation.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagList } from '../adapters/sqlite/dag-list.ts'
import { SqliteDagRunList } from '../adapters/sqlite/dag-run-list.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { Journal } from '../adapters/sqlite/journal.ts'
import { JournaledDagRunStore } from '../adapters/sqlite/journaled-dag-run.ts'
import { SqlitePoolStore } from '../adapters/sqlite/pool.ts'
import { TableWriter } from '../adapters/sqlite/table-writer.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { SqliteTaskInstanceList } from '../adapters/sqlite/task-instance-list.ts'
import { SqliteTaskLogs } from '../adapters/sqlite/task-log.ts'
import { SqliteTaskTryStore } from '../adapters/sqlite/task-try.ts'
import { SqliteXComStore } from '../adapters/sqlite/xcom.ts'
import { SqliteXComList } from '../adapters/sqlite/xcom-list.ts'
import { airflowDoor } from '../http/airflow/airflow-door.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { describeSettings } from '../settings.ts'
import { LogRetention } from './log-retention.ts'
import type { Ground, Part } from './part.ts'
import { dagFolderOptions, schedulerLimits, workerPoolOptions } from './scheduling-settings.ts'
import type { Secrets } from './secrets.ts'
import { StoredTaskPlatform } from './task-platform.ts'

/** They are written at the end of their file. */
const LOG_CACHE_MEBIBYTES = 4

export function composeScheduling(ground: Ground, { forTasks: secrets, fernet, alsoRotate }: Secrets): Part {
  const { db, home, clock, events, logger, settings, version } = ground
  const folder = settings.dagsFolder
  const compileCache = home.folder('cache', 'compiled')
  const dags = new SqliteDagStore(db)
  const instances = new SqliteTaskInstanceStore(db, fernet)
  const cancellations = new SqliteCancellationStore(db, instances)
  alsoRotate('waits', (problems) => instances.rotate(problems) + cancellations.rotate(problems))
  const writer = new TableWriter(db.path)
  const runs = new JournaledDagRunStore(db, instances, new Journal(home.folder('turns.journal')), { writer, logger })
  const xcoms = new SqliteXComStore(db)
  const pools = new SqlitePoolStore(db, settings.defaultPoolSlots)
  const backfills = new SqliteBackfillStore(db)
  const assets = new SqliteAssetStore(db)
  const logs = new SqliteTaskLogs({ db: new Database(home.folder('logs.db'), LOG_CACHE_MEBIBYTES), clock, mask: secrets.mask })
  const { logRetentionSeconds: retentionSeconds } = settings
  const retention =
    retentionSeconds === null
      ? []
      : [new LogRetention({ logs: { 'logs of tasks': logs, 'event log': ground.recorder.eventLog }, retentionSeconds, clock, logger })]
  const runList = new SqliteDagRunList(db, runs)
  const platform = new StoredTaskPlatform({ scheduler: () => scheduler, dags, runs, runList, instances, assets })
  const runner = new WorkerPool({ ...workerPoolOptions(settings, compileCache), folder, secrets, xcoms, logs, clock, logger, platform })
  const scheduler: Scheduler = new Scheduler({
    dags,
    runs,
    instances,
    pools,
    backfills,
    assets,
    callbacks: new SqliteCallbackStore(db),
    cancellations,
    runner,
    clock,
    events,
    logger,
    limits: schedulerLimits(settings),
  })
  const files = new DagFolder({
    ...dagFolderOptions(settings),
    folder,
    dags,
    clock,
    events,
    logger,
    version,
    compileCache,
    onChange: (dagIds) => {
      runner.filesChanged()
      scheduler.dagsChanged(dagIds)
    },
  })
  const door = airflowDoor({
    ...{ scheduler, dags, runs, instances, xcoms, pools, backfills, assets, logs, events, clock, version, folder },
    dagList: new SqliteDagList(db, dags),
    runList,
    instanceList: new SqliteTaskInstanceList(db, instances),
    xcomList: new SqliteXComList(db),
    tries: new SqliteTaskTryStore(db),
    recorder: ground.recorder,
    config: settings.exposeConfig === 'false' ? [] : describeSettings(settings),
    stopping: ground.stopping,
  })
  return {
    doors: [door],
    services: [{ start: async () => {}, stop: async () => logs.flush() }, ...retention, files, scheduler],
    lives: { task: (id) => runner.isRunning(`task:${id}`) },
  }
}
