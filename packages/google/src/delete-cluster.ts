/** Deletes a Dataproc cluster and waits until it is gone. */
import type { Operator } from '@daggerboard/dag'
import { type DataprocArgs, withClusters } from './cluster-client.ts'

export interface DeleteClusterArgs extends DataprocArgs {
  readonly clusterName: string
}

/** A cluster that does not exist is success: what was wanted is so. */
export const deleteCluster = (args: DeleteClusterArgs): Operator<DeleteClusterArgs, null> => ({
  name: 'DataprocDeleteCluster',
  args,
  run: (rendered, context) =>
    withClusters(rendered, context, async (clusters) => {
      const wasThere = await clusters.delete(rendered.clusterName)
      context.log(
        wasThere ? `Cluster ${rendered.clusterName} is deleted.` : `Cluster ${rendered.clusterName} does not exist: nothing to delete.`,
      )
      return null
    }),
})
