/** Warehouse, clusters and jobs put together in one directory, without a server: for tests and benches of what runs on them. */
import { join } from 'node:path'
import { DuckDbEngineLauncher } from '../src/adapters/duckdb/cluster-engine.ts'
import { EngineProcess } from '../src/adapters/duckdb/engine-process.ts'
import { DuckDbTableStore } from '../src/adapters/duckdb/table.ts'
import { FilesystemObjectFolder } from '../src/adapters/filesystem/object-folder.ts'
import { SqliteClusterStore } from '../src/adapters/sqlite/cluster.ts'
import { SqliteClusterOperationStore } from '../src/adapters/sqlite/cluster-operation.ts'
import { Database } from '../src/adapters/sqlite/database.ts'
import { SqliteJobStore } from '../src/adapters/sqlite/job.ts'
import type { Place } from '../src/clusters/cluster.ts'
import { Clusters } from '../src/clusters/clusters.ts'
import { isFinished, type Job } from '../src/clusters/job.ts'
import { Jobs } from '../src/clusters/jobs.ts'
import { type Clock, systemClock } from '../src/core/clock.ts'
import { Events, type EventType } from '../src/core/events.ts'
import { system } from '../src/core/principal.ts'
import { Warehouse } from '../src/warehouse/warehouse.ts'

export const PLACE: Place = { project: 'daggerboard', region: 'us-central1' }

export class LocalCluster {
  readonly events: Events
  readonly warehouse: Warehouse
  readonly clusters: Clusters
  readonly jobs: Jobs
  readonly objects: FilesystemObjectFolder
  readonly database: Database
  #engine: EngineProcess

  constructor(
    directory: string,
    {
      clock = systemClock,
      database = new Database(':memory:'),
      rowsPerPart,
    }: { clock?: Clock; database?: Database; rowsPerPart?: number } = {},
  ) {
    this.events = new Events(clock)
    this.database = database
    this.#engine = new EngineProcess({ name: 'The warehouse', clock: systemClock, path: join(directory, 'warehouse.duckdb') })
    this.warehouse = new Warehouse({ tables: new DuckDbTableStore(this.#engine) })
    this.objects = new FilesystemObjectFolder(join(directory, 'buckets'))
    this.clusters = new Clusters({
      clusters: new SqliteClusterStore(database),
      operations: new SqliteClusterOperationStore(database),
      launcher: new DuckDbEngineLauncher({ directory: join(directory, 'clusters'), clock: systemClock }),
      clock,
      events: this.events,
    })
    this.jobs = new Jobs({
      jobs: new SqliteJobStore(database),
      clusters: this.clusters,
      tables: this.warehouse,
      openObjects: () => this.objects,
      clock,
      events: this.events,
      ...(rowsPerPart ? { rowsPerPart } : {}),
    })
  }

  /** Creates a cluster and waits until it is RUNNING. */
  async create(name: string, config: Record<string, unknown> = {}): Promise<void> {
    const running = this.until('cluster.changed', (facts) => facts.clusterName === name && facts.state !== 'CREATING')
    await this.clusters.create(PLACE, { name, config, labels: {}, requestId: null, by: system.subject })
    await running
  }

  /** Runs a script on the cluster and answers the finished job. */
  async run(clusterName: string, sql: string, scriptVariables: Record<string, string>): Promise<Job> {
    const job = await this.jobs.submit(
      PLACE,
      { id: null, requestId: null, clusterName, labels: {}, sparkSqlJob: { queryFileUri: null, queries: [sql], scriptVariables } },
      system,
    )
    return this.finished(job)
  }

  async finished(job: Job): Promise<Job> {
    for (;;) {
      const next = this.until('job.changed', (facts) => facts.jobId === job.id)
      const current = await this.jobs.find(job, job.id)
      if (isFinished(current)) return current
      await next
    }
  }

  /** Resolves with the facts of the next event of that type that meets the condition. */
  until(type: EventType, matches: (facts: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return new Promise((resolve) => {
      const end = this.events.subscribe((event) => {
        const facts = event.facts as unknown as Record<string, unknown>
        if (event.type !== type || !matches(facts)) return
        end()
        resolve(facts)
      })
    })
  }

  async stop(): Promise<void> {
    await this.jobs.stop()
    await this.clusters.stop()
    await this.#engine.stop()
    this.database.close()
  }
}
