/** Deletes a Dataproc cluster and waits until it is gone. */
import type { Operator } from '@daggerboard/dag'
import { type DataprocArgs, type SeenCluster, withClusters } from './cluster-client.ts'
import { type RemoteWork, remoteOperator, type WaitingArgs } from './remote-work.ts'
import { connectionArgs } from './shared-client.ts'

export interface DeleteClusterArgs extends DataprocArgs, WaitingArgs {
  readonly clusterName: string
}

interface DeletionWait {
  readonly at: DataprocArgs
  readonly clusterName: string
}

/** A cluster that does not exist is success: what was wanted is so. When the task is cancelled the deletion goes on. */
export const deleteCluster = (args: DeleteClusterArgs): Operator<DeleteClusterArgs, null> =>
  remoteOperator('DataprocDeleteCluster', args, WORK)

const WORK: RemoteWork<DeleteClusterArgs, DeletionWait, SeenCluster, null> = {
  async begin(args, context) {
    const { clusterName } = args
    if (await withClusters(args, context, (clusters) => clusters.delete(clusterName)))
      return { wait: { at: connectionArgs(args), clusterName } }
    context.log(`Cluster ${clusterName} does not exist: nothing to delete.`)
    return { output: null }
  },
  look: ({ at, clusterName }, context, patienceMs) => withClusters(at, context, (clusters) => clusters.untilGone(clusterName, patienceMs)),
  async goOn(_args, { clusterName }, _seen, context) {
    context.log(`Cluster ${clusterName} is deleted.`)
    return { output: null }
  },
  find: async () => null,
  async cancel() {},
}
