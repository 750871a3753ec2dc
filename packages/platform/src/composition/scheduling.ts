/** The scheduler, the folder of DAG files and the workers that run tasks, behind Airflow's protocol. */
import { DagFolder } from '../adapters/process/dag-folder.ts'
import { WorkerPool } from '../adapters/process/worker-pool.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../adapters/sqlite/dag-run.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { SqliteTaskLogs } from '../adapters/sqlite/task-log.ts'
import { SqliteXComStore } from '../adapters/sqlite/xcom.ts'
import type { TaskSecrets } from '../execution/task-secrets.ts'
import { airflowDoor } from '../http/airflow/airflow-door.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import { dagFolderOptions } from './dag-folder-options.ts'
import type { Ground, Part } from './part.ts'

export function composeScheduling({ db, home, clock, events, logger, settings, version }: Ground, secrets: TaskSecrets): Part {
  const folder = settings.dagsFolder
  const dags = new SqliteDagStore(db)
  const runs = new SqliteDagRunStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const xcoms = new SqliteXComStore(db)
  const logs = new SqliteTaskLogs({ db: new Database(home.folder('logs.db')), clock, mask: secrets.mask })
  const runner = new WorkerPool({ folder, secrets, xcoms, logs, clock, workers: settings.parallelism })
  const scheduler = new Scheduler({ dags, runs, instances, runner, clock, events, logger, limits: { parallelism: settings.parallelism } })
  const files = new DagFolder({
    ...dagFolderOptions(settings),
    folder,
    dags,
    clock,
    events,
    logger,
    version,
    compileCache: home.folder('cache', 'compiled'),
    onChange: () => {
      runner.filesChanged()
      scheduler.dagsChanged()
    },
  })
  const door = airflowDoor({ scheduler, dags, runs, instances, xcoms, logs, clock, version, folder })
  return {
    doors: [door],
    services: [{ start: async () => {}, stop: async () => logs.flush() }, files, scheduler],
    lives: { task: (id) => runner.isRunning(`task:${id}`) },
  }
}
