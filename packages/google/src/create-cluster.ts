/** Creates a Dataproc cluster and waits until it runs. */
import type { Operator, TaskContext } from '@daggerboard/dag'
import { type ClusterClient, type ClusterConfig, type DataprocArgs, stateOf, withClusters } from './cluster-client.ts'
import { requestId } from './polling.ts'

export interface CreateClusterArgs extends DataprocArgs {
  readonly clusterName: string
  /** As in Dataproc: machine types, image, software. */
  readonly clusterConfig?: ClusterConfig
  readonly labels?: Readonly<Record<string, string>>
  /** Seconds without a job after which the cluster deletes itself: what is left when nobody comes to delete it. */
  readonly idleDeleteTtl?: number
  /** A cluster of that name that runs is used. Default true. */
  readonly useIfExists?: boolean
  /** A cluster that comes up in ERROR is deleted. Default true. */
  readonly deleteOnError?: boolean
  /** Seconds to wait for it. Default 3600. */
  readonly timeout?: number
}

export interface CreatedCluster {
  readonly clusterName: string
  readonly clusterUuid: string
}

/**
 * Answers the cluster's name and UUID. One that is there already is used when it runs, waited for when it is on its way, and made anew when it is in ERROR or
 * being deleted. Fails when the new cluster comes up in ERROR, after deleting it.
 */
export const createCluster = (args: CreateClusterArgs): Operator<CreateClusterArgs, CreatedCluster> => ({
  name: 'DataprocCreateCluster',
  args,
  run: (rendered, context) => withClusters(rendered, context, (clusters) => create(clusters, rendered, context)),
})

async function create(clusters: ClusterClient, args: CreateClusterArgs, context: TaskContext): Promise<CreatedCluster> {
  const { clusterName, useIfExists = true, deleteOnError = true, timeout = 3600, idleDeleteTtl, labels = {} } = args
  const config: ClusterConfig = { ...args.clusterConfig }
  if (idleDeleteTtl) config.lifecycleConfig = { ...config.lifecycleConfig, idleDeleteTtl: { seconds: idleDeleteTtl } }
  for (let attempt = 1; ; attempt++) {
    context.log(`Creating cluster ${clusterName}.`)
    const isNew = await clusters.create(clusterName, config, labels, requestId(context.idempotencyKey, context.tryNumber, attempt))
    if (!isNew) {
      if (!useIfExists) throw new Error(`Cluster "${clusterName}" exists already. Delete it, or set useIfExists.`)
      context.log(`Cluster ${clusterName} exists already.`)
    }
    const cluster = await clusters.settled(clusterName, timeout * 1000)
    const state = cluster ? stateOf(cluster) : 'gone'
    if (cluster && state === 'RUNNING') {
      context.log(`Cluster ${clusterName} is running.`)
      return { clusterName, clusterUuid: cluster.clusterUuid ?? '' }
    }
    if (attempt === 3) throw new Error(`Cluster "${clusterName}" is ${state} after ${attempt} attempts. Look at it, then delete it.`)
    if (state === 'DELETING') await clusters.untilGone(clusterName)
    else if (state === 'STOPPED') await clusters.start(clusterName)
    else if (state === 'ERROR') {
      const detail = cluster?.status?.detail || 'no reason was given'
      if (deleteOnError) await clusters.delete(clusterName)
      if (isNew || !deleteOnError)
        throw new Error(`Cluster "${clusterName}" came up in ERROR (${detail})${deleteOnError ? ' and was deleted' : ''}. Try again.`)
      context.log(`Cluster ${clusterName} was in ERROR (${detail}); it was deleted.`)
    }
  }
}
