/** The scheduler, the folder of DAG files and the workers that run tasks, behind Airflow's protocol. */
import { FileTaskLogs } from '../adapters/filesystem/task-log.ts'
import { DagFolder } from '../adapters/process/dag-folder.ts'
import { WorkerPool } from '../adapters/process/worker-pool.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../adapters/sqlite/dag-run.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { SqliteXComStore } from '../adapters/sqlite/xcom.ts'
import type { TaskSecrets } from '../execution/task-secrets.ts'
import { airflowDoor } from '../http/airflow/airflow-door.ts'
import { Scheduler } from '../scheduling/scheduler.ts'
import type { Ground, Part } from './part.ts'

export function composeScheduling({ db, home, clock, events, logger, settings, version }: Ground, secrets: TaskSecrets): Part {
  const folder = settings.dagsFolder
  const dags = new SqliteDagStore(db)
  const runs = new SqliteDagRunStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const xcoms = new SqliteXComStore(db)
  const logs = new FileTaskLogs({ folder: home.folder('logs'), clock, mask: secrets.mask })
  const runner = new WorkerPool({ folder, secrets, xcoms, logs, clock, workers: settings.parallelism })
  const scheduler = new Scheduler({ dags, runs, instances, runner, clock, events, logger, limits: { parallelism: settings.parallelism } })
  const files = new DagFolder({ folder, dags, clock, events, logger, onChange: () => scheduler.dagsChanged() })
  const door = airflowDoor({ scheduler, dags, runs, instances, xcoms, logs, clock, version, folder })
  return { doors: [door], services: [files, scheduler], lives: { task: (id) => runner.isRunning(`task:${id}`) } }
}
