/** The warehouse and the clusters that work on it, behind Dataproc's protocol. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDbEngineLauncher } from '../adapters/duckdb/cluster-engine.ts'
import { EngineProcess } from '../adapters/duckdb/engine-process.ts'
import { DuckDbTableStore } from '../adapters/duckdb/table.ts'
import { GcsObjectFolder } from '../adapters/gcs/object-folder.ts'
import { SqliteClusterStore } from '../adapters/sqlite/cluster.ts'
import { SqliteClusterOperationStore } from '../adapters/sqlite/cluster-operation.ts'
import { SqliteJobStore } from '../adapters/sqlite/job.ts'
import { Clusters } from '../clusters/clusters.ts'
import { Jobs } from '../clusters/jobs.ts'
import { dataprocDoor } from '../http/dataproc/dataproc-door.ts'
import { Warehouse } from '../warehouse/warehouse.ts'
import type { Ground, Part } from './part.ts'

const JOB_TOKEN_SECONDS = 3600

export interface DataPart extends Part {
  readonly warehouse: Warehouse
}

export function composeData({ db, home, clock, events, tokens, logger, endpoint }: Ground): DataPart {
  const folder = home.folder('warehouse')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const engine = new EngineProcess({ name: 'The warehouse', clock, path: join(folder, 'warehouse.duckdb') })
  const warehouse = new Warehouse({ tables: new DuckDbTableStore(engine) })
  const launcher = new DuckDbEngineLauncher({ directory: home.folder('clusters'), clock })
  const clusterStores = { clusters: new SqliteClusterStore(db), operations: new SqliteClusterOperationStore(db) }
  const clusters = new Clusters({ ...clusterStores, launcher, clock, events, logger })
  const jobs = new Jobs({
    jobs: new SqliteJobStore(db),
    clusters,
    tables: warehouse,
    openObjects: (who) => new GcsObjectFolder({ endpoint: () => endpoint, token: () => tokens.issue(who, JOB_TOKEN_SECONDS) }),
    clock,
    events,
    logger,
  })
  const warehouseService = { start: async () => {}, stop: () => engine.stop() }
  return {
    doors: [dataprocDoor({ clusters, jobs })],
    services: [warehouseService, clusters, jobs],
    lives: { job: (uuid) => jobs.isRunning(uuid) },
    warehouse,
  }
}
