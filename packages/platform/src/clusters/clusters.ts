/** Creates clusters, keeps their engines, and deletes them: on request, or when they have been idle for too long. */
import { AppError, messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { newId } from '../core/id.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Service } from '../core/service.ts'
import { type Cluster, type ClusterState, type ClusterStore, checkClusterRequest, deletionDue, moveCluster, type Place } from './cluster.ts'
import type { Engine, EngineLauncher } from './engine.ts'
import type { ClusterOperation, ClusterOperationStore } from './operation.ts'

const LONGEST_REST_MS = 30_000

export interface ClustersOptions {
  readonly clusters: ClusterStore
  readonly operations: ClusterOperationStore
  readonly launcher: EngineLauncher
  readonly clock: Clock
  readonly events: Events
  readonly logger?: Logger
}

export interface ClusterRequest {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, string>>
  readonly requestId: string | null
  readonly by: string
}

/**
 * After a restart: a cluster that was RUNNING stays so and gets a new engine with its next job (an engine keeps nothing between jobs); one that was
 * CREATING is created to its end, one that was DELETING is deleted.
 */
export class Clusters implements Service {
  #options: ClustersOptions
  #engines = new Map<string, Promise<Engine>>()
  #activeJobs = new Map<string, number>()
  #background = new Set<Promise<void>>()
  #stopping = new AbortController()

  constructor(options: ClustersOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    for (const cluster of await this.#options.clusters.list(null)) {
      if (cluster.status.state === 'CREATING') this.#inBackground(this.#launch(cluster))
      else if (cluster.status.state === 'DELETING') this.#inBackground(this.#remove(cluster))
      else if (cluster.idleSince === null) await this.#markIdle(cluster)
    }
    this.#inBackground(this.#loop())
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#engines.values()].map(async (engine) => (await engine.catch(() => null))?.stop()))
    this.#engines.clear()
    await Promise.all(this.#background)
  }

  /** Begins to create a cluster. The same `requestId` again answers the first operation. Throws `conflict` when the name is taken. */
  async create(place: Place, request: ClusterRequest): Promise<ClusterOperation> {
    const known = await this.#known(place, request.requestId)
    if (known) return known
    checkClusterRequest(request.name, request.config)
    const now = this.#options.clock.now().toISOString()
    const cluster: Cluster = {
      ...place,
      name: request.name,
      uuid: newId(),
      config: request.config,
      labels: request.labels,
      status: { state: 'CREATING', detail: null, stateStartTime: now },
      history: [],
      createdBy: request.by,
      createdAt: now,
      idleSince: null,
    }
    await this.#options.clusters.create(cluster)
    const operation = await this.#begin('CREATE', cluster, request.requestId, request.by)
    this.#tell(cluster)
    this.#inBackground(this.#launch(cluster))
    return operation
  }

  /** Begins to delete a cluster; jobs that run on it fail. Throws `not_found`. A second request joins the first. */
  async delete(place: Place, name: string, requestId: string | null, by: string): Promise<ClusterOperation> {
    const known = await this.#known(place, requestId)
    if (known) return known
    const cluster = await this.find(place, name)
    const running = (await this.#options.operations.list(place)).find(
      (o) => o.kind === 'DELETE' && o.clusterUuid === cluster.uuid && o.endedAt === null,
    )
    if (running) return running
    // In this order, so that a crash in between leaves a cluster that the next start deletes, never an operation that nobody works on.
    const moved = await this.#move(cluster, 'DELETING')
    const operation = await this.#begin('DELETE', cluster, requestId, by)
    this.#inBackground(this.#remove(moved))
    return operation
  }

  /** Throws `not_found`. */
  async find(place: Place, name: string): Promise<Cluster> {
    const cluster = await this.#options.clusters.find(place, name)
    if (!cluster) throw new AppError('not_found', `Cluster "${name}" of project "${place.project}" in ${place.region} does not exist.`)
    return cluster
  }

  list(place: Place): Promise<Cluster[]> {
    return this.#options.clusters.list(place)
  }

  /** Throws `not_found`. */
  async operation(place: Place, id: string): Promise<ClusterOperation> {
    const operation = await this.#options.operations.find(place, id)
    if (!operation) throw new AppError('not_found', `Operation "${id}" of project "${place.project}" in ${place.region} does not exist.`)
    return operation
  }

  operations(place: Place): Promise<ClusterOperation[]> {
    return this.#options.operations.list(place)
  }

  /** The engine of a RUNNING cluster, started if the platform was restarted since. */
  async engineOf(cluster: Cluster): Promise<Engine> {
    const current = await this.#current(cluster)
    if (current?.status.state !== 'RUNNING')
      throw new AppError(
        'unavailable',
        `Cluster "${cluster.name}" is ${current?.status.state ?? 'deleted'}, so the job cannot run on it. Create it anew.`,
      )
    return this.#engine(cluster)
  }

  /** Tells that a job began (+1) or ended (-1): the idle time of a cluster counts from the end of its last job. */
  async countJob(cluster: Cluster, change: 1 | -1): Promise<void> {
    const active = (this.#activeJobs.get(cluster.uuid) ?? 0) + change
    this.#activeJobs.set(cluster.uuid, active)
    if (active > 0) await this.#options.clusters.markIdle(cluster, null)
    else await this.#markIdle(cluster)
  }

  /** Deletes every cluster whose time has come, and answers in how many milliseconds to look again. */
  async poll(): Promise<number> {
    let rest = LONGEST_REST_MS
    const now = this.#options.clock.now().getTime()
    for (const cluster of await this.#options.clusters.list(null)) {
      const due = deletionDue(cluster)
      if (due === null || cluster.status.state === 'DELETING' || cluster.status.state === 'CREATING') continue
      if (due > now) rest = Math.min(rest, due - now)
      else {
        this.#options.logger?.info('Cluster deleted by its lifecycle configuration', { cluster: cluster.name })
        await this.delete(cluster, cluster.name, null, cluster.createdBy)
      }
    }
    return rest
  }

  async #loop(): Promise<void> {
    const { clock, logger = silentLogger } = this.#options
    while (!this.#stopping.signal.aborted) {
      const rest = await this.poll().catch((error) => {
        logger.error('Looking for idle clusters failed', { error: messageOf(error) })
        return LONGEST_REST_MS
      })
      await clock.sleep(rest, this.#stopping.signal)
    }
  }

  async #launch(cluster: Cluster): Promise<void> {
    try {
      await this.#engine(cluster)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      await this.#fail(cluster, `The engine did not start: ${messageOf(error)}`)
      return
    }
    const current = await this.#current(cluster)
    if (current?.status.state !== 'CREATING') return
    await this.#markIdle(cluster)
    await this.#move(current, 'RUNNING')
    await this.#end(cluster, 'CREATE', null)
  }

  #engine(cluster: Cluster): Promise<Engine> {
    const known = this.#engines.get(cluster.uuid)
    if (known) return known
    const engine = this.#options.launcher.launch(cluster.name, (reason) => this.#inBackground(this.#fail(cluster, reason)))
    this.#engines.set(cluster.uuid, engine)
    engine.catch(() => this.#engines.delete(cluster.uuid))
    return engine
  }

  async #fail(cluster: Cluster, reason: string): Promise<void> {
    const engine = await this.#engines.get(cluster.uuid)?.catch(() => null)
    this.#engines.delete(cluster.uuid)
    // Also one that has crashed leaves files behind.
    await engine?.stop()
    const current = await this.#current(cluster)
    if (current && current.status.state !== 'ERROR' && current.status.state !== 'DELETING') await this.#move(current, 'ERROR', reason)
    await this.#end(cluster, 'CREATE', reason)
  }

  async #remove(cluster: Cluster): Promise<void> {
    const engine = await this.#engines.get(cluster.uuid)?.catch(() => null)
    this.#engines.delete(cluster.uuid)
    this.#activeJobs.delete(cluster.uuid)
    await engine?.stop()
    await this.#options.clusters.delete(cluster)
    await this.#end(cluster, 'CREATE', 'The cluster was deleted before it was ready.')
    await this.#end(cluster, 'DELETE', null)
    this.#options.events.emit('cluster.changed', cluster.createdBy, { clusterName: cluster.name, state: 'DELETED', detail: null })
  }

  /** The stored state of this very cluster, not of a later one of the same name. */
  async #current(cluster: Cluster): Promise<Cluster | null> {
    const current = await this.#options.clusters.find(cluster, cluster.name)
    return current?.uuid === cluster.uuid ? current : null
  }

  async #move(cluster: Cluster, state: ClusterState, detail: string | null = null): Promise<Cluster> {
    const moved = moveCluster(cluster, state, this.#options.clock.now(), detail)
    await this.#options.clusters.update(moved)
    this.#tell(moved)
    return moved
  }

  #markIdle(cluster: Cluster): Promise<void> {
    return this.#options.clusters.markIdle(cluster, this.#options.clock.now().toISOString())
  }

  async #known(place: Place, requestId: string | null): Promise<ClusterOperation | null> {
    return requestId === null ? null : this.#options.operations.findByRequest(place, requestId)
  }

  async #begin(kind: ClusterOperation['kind'], cluster: Cluster, requestId: string | null, by: string): Promise<ClusterOperation> {
    const { project, region } = cluster
    const operation: ClusterOperation = {
      project,
      region,
      id: newId(),
      kind,
      clusterName: cluster.name,
      clusterUuid: cluster.uuid,
      requestId,
      startedAt: this.#options.clock.now().toISOString(),
      endedAt: null,
      problem: null,
      createdBy: by,
    }
    await this.#options.operations.create(operation)
    return operation
  }

  /** Ends what is still open of that kind on this cluster. */
  async #end(cluster: Cluster, kind: ClusterOperation['kind'], problem: string | null): Promise<void> {
    const { operations, clock } = this.#options
    for (const operation of await operations.list(cluster))
      if (operation.kind === kind && operation.clusterUuid === cluster.uuid && operation.endedAt === null)
        await operations.update({ ...operation, endedAt: clock.now().toISOString(), problem })
  }

  #tell({ name, status, createdBy }: Cluster): void {
    this.#options.events.emit('cluster.changed', createdBy, { clusterName: name, state: status.state, detail: status.detail })
  }

  #inBackground(work: Promise<void>): void {
    const { logger = silentLogger } = this.#options
    const guarded = work.catch((error) => logger.error('Work on a cluster failed', { error: messageOf(error) }))
    this.#background.add(guarded)
    void guarded.finally(() => this.#background.delete(guarded))
  }
}
