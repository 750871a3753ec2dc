/** Dataproc's clusters through Google's client, with the few calls that operators need. */
import type { TaskContext } from '@daggerboard/dag'
import type { ClusterControllerClient, protos } from '@google-cloud/dataproc'
import { asAny, clientOptions, DEFAULT_CONNECTION, dataprocOptions, type PlaceArgs, placeOf } from './client-options.ts'
import { problemOf } from './google-error.ts'
import { pollUntil, told } from './polling.ts'

export type ClusterConfig = protos.google.cloud.dataproc.v1.IClusterConfig
type Cluster = protos.google.cloud.dataproc.v1.ICluster

export interface DataprocArgs extends PlaceArgs {
  /** Default `google_cloud_default`. */
  readonly connectionId?: string
}

const STATES = ['UNKNOWN', 'CREATING', 'RUNNING', 'ERROR', 'DELETING', 'UPDATING', 'STOPPING', 'STOPPED', 'STARTING']

/** The client is closed when `work` has ended. */
export async function withClusters<T>(args: DataprocArgs, context: TaskContext, work: (clusters: ClusterClient) => Promise<T>): Promise<T> {
  const connection = await context.connection(args.connectionId || DEFAULT_CONNECTION)
  const place = placeOf(connection, args)
  const { ClusterControllerClient } = await import('@google-cloud/dataproc')
  const client = new ClusterControllerClient(asAny(dataprocOptions(await clientOptions(connection), place.region)))
  try {
    return await work(new ClusterClient(client, place, context.signal))
  } finally {
    await client.close()
  }
}

export class ClusterClient {
  #client: ClusterControllerClient
  #place: { projectId: string; region: string }
  #signal: AbortSignal

  constructor(client: ClusterControllerClient, place: { projectId: string; region: string }, signal: AbortSignal) {
    this.#client = client
    this.#place = place
    this.#signal = signal
  }

  /** False when there is one of that name already. */
  async create(clusterName: string, config: ClusterConfig, labels: Record<string, string>, requestId: string): Promise<boolean> {
    try {
      const cluster = { projectId: this.#place.projectId, clusterName, config, labels }
      await this.#client.createCluster({ ...this.#place, requestId, cluster })
      return true
    } catch (error) {
      if (problemOf(error) === 'already_exists') return false
      return told(Promise.reject(error))
    }
  }

  /** Null when there is none. */
  async find(clusterName: string): Promise<Cluster | null> {
    try {
      return (await this.#client.getCluster({ ...this.#place, clusterName }))[0]
    } catch (error) {
      if (problemOf(error) === 'not_found') return null
      throw error
    }
  }

  async start(clusterName: string): Promise<void> {
    await told(this.#client.startCluster({ ...this.#place, clusterName }))
  }

  /** Deletes it and waits until it is gone; false when there was none. */
  async delete(clusterName: string): Promise<boolean> {
    try {
      await this.#client.deleteCluster({ ...this.#place, clusterName })
    } catch (error) {
      if (problemOf(error) === 'not_found') return false
      const cluster = await this.find(clusterName)
      if (cluster && stateOf(cluster) !== 'DELETING') return told(Promise.reject(error))
    }
    await this.untilGone(clusterName)
    return true
  }

  /** Waits until the cluster is in none of the states between. Null when it is gone. */
  settled(clusterName: string, timeoutMs: number): Promise<Cluster | null> {
    return pollUntil(
      async () => {
        const cluster = await this.find(clusterName)
        return cluster && ['CREATING', 'STARTING', 'UPDATING', 'STOPPING', 'UNKNOWN'].includes(stateOf(cluster)) ? undefined : cluster
      },
      { signal: this.#signal, timeoutMs, what: `Cluster "${clusterName}"` },
    )
  }

  untilGone(clusterName: string): Promise<true> {
    return pollUntil(async () => ((await this.find(clusterName)) === null ? true : undefined), {
      signal: this.#signal,
      what: `The deletion of cluster "${clusterName}"`,
    })
  }
}

/** Clients give the state by name or by number. */
export function stateOf(cluster: Cluster): string {
  const state = cluster.status?.state ?? 'UNKNOWN'
  return typeof state === 'number' ? (STATES[state] ?? String(state)) : state
}
