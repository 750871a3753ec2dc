/** Dataproc's clusters through Google's client, with the few calls that operators need. */
import type { TaskContext } from '@daggerboard/dag'
import type { ClusterControllerClient, protos } from '@google-cloud/dataproc'
import { problemOf } from './google-error.ts'
import { pollUntil, told } from './polling.ts'
import { type ClientKind, type ClientUse, type ConnectionArgs, withClient } from './shared-client.ts'

export type ClusterConfig = protos.google.cloud.dataproc.v1.IClusterConfig
type Cluster = protos.google.cloud.dataproc.v1.ICluster

export type DataprocArgs = ConnectionArgs

/** What is known of a cluster; its state is `GONE` when there is none. */
export interface SeenCluster {
  readonly state: string
  readonly uuid: string
  readonly detail: string
}

const STATES = ['UNKNOWN', 'CREATING', 'RUNNING', 'ERROR', 'DELETING', 'UPDATING', 'STOPPING', 'STOPPED', 'STARTING']
const BETWEEN = ['CREATING', 'STARTING', 'UPDATING', 'STOPPING', 'UNKNOWN']

const KIND: ClientKind<ClusterControllerClient> = {
  name: 'clusters',
  isRegional: true,
  make: async (options) => new (await import('@google-cloud/dataproc')).ClusterControllerClient(options),
}

export const withClusters = <T>(args: DataprocArgs, context: TaskContext, work: (clusters: ClusterClient) => Promise<T>): Promise<T> =>
  withClient(KIND, args, context, (use) => work(new ClusterClient(use, context.signal)))

export class ClusterClient {
  readonly #use: ClientUse<ClusterControllerClient>
  readonly #signal: AbortSignal

  constructor(use: ClientUse<ClusterControllerClient>, signal: AbortSignal) {
    this.#use = use
    this.#signal = signal
  }

  /** False when there is one of that name already. */
  async create(clusterName: string, config: ClusterConfig, labels: Record<string, string>, requestId: string): Promise<boolean> {
    const { client, place, as } = this.#use
    try {
      const cluster = { projectId: place.projectId, clusterName, config, labels }
      await client.createCluster({ ...place, requestId, cluster }, await as())
      return true
    } catch (error) {
      if (problemOf(error) === 'already_exists') return false
      return told(Promise.reject(error))
    }
  }

  /** Null when there is none. */
  async find(clusterName: string): Promise<Cluster | null> {
    const { client, place, as } = this.#use
    try {
      return (await client.getCluster({ ...place, clusterName }, await as()))[0]
    } catch (error) {
      if (problemOf(error) === 'not_found') return null
      throw error
    }
  }

  async start(clusterName: string): Promise<void> {
    const { client, place, as } = this.#use
    await told(client.startCluster({ ...place, clusterName }, await as()))
  }

  /** Begins to delete it; false when there is none. */
  async delete(clusterName: string): Promise<boolean> {
    const { client, place, as } = this.#use
    try {
      await client.deleteCluster({ ...place, clusterName }, await as())
    } catch (error) {
      if (problemOf(error) === 'not_found') return false
      const cluster = await told(this.find(clusterName))
      if (cluster && stateOf(cluster) !== 'DELETING') return told(Promise.reject(error))
    }
    return true
  }

  /** Waits until the cluster is in none of the states between. Undefined when that takes longer than `patienceMs`. */
  settled(clusterName: string, patienceMs?: number): Promise<SeenCluster | undefined> {
    return this.#until(clusterName, (seen) => !BETWEEN.includes(seen.state), patienceMs)
  }

  untilGone(clusterName: string, patienceMs?: number): Promise<SeenCluster | undefined> {
    return this.#until(clusterName, (seen) => seen.state === 'GONE', patienceMs)
  }

  #until(clusterName: string, isIt: (seen: SeenCluster) => boolean, patienceMs?: number): Promise<SeenCluster | undefined> {
    const ask = async () => {
      const seen = seenOf(await this.find(clusterName))
      return isIt(seen) ? seen : undefined
    }
    return pollUntil(ask, { signal: this.#signal, patienceMs })
  }
}

function seenOf(cluster: Cluster | null): SeenCluster {
  if (!cluster) return { state: 'GONE', uuid: '', detail: '' }
  return { state: stateOf(cluster), uuid: cluster.clusterUuid ?? '', detail: cluster.status?.detail ?? '' }
}

/** Clients give the state by name or by number. */
function stateOf(cluster: Cluster): string {
  const state = cluster.status?.state ?? 'UNKNOWN'
  return typeof state === 'number' ? (STATES[state] ?? String(state)) : state
}
