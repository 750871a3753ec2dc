/** Creates a Dataproc cluster and waits until it runs. */
import type { Operator, TaskContext } from '@daggerboard/dag'
import { type ClusterConfig, type DataprocArgs, type SeenCluster, withClusters } from './cluster-client.ts'
import { requestId } from './polling.ts'
import { type RemoteWork, remoteOperator, type Step, type WaitingArgs } from './remote-work.ts'
import { connectionArgs } from './shared-client.ts'

export interface CreateClusterArgs extends DataprocArgs, WaitingArgs {
  readonly clusterName: string
  /** As in Dataproc: machine types, image, software. */
  readonly clusterConfig?: ClusterConfig
  readonly labels?: Readonly<Record<string, string>>
  /** Seconds without a job after which the cluster deletes itself: what is left when nobody comes to delete it. */
  readonly idleDeleteTtl?: number
  /** A cluster of that name that runs is used. Default true. */
  readonly useIfExists?: boolean
  /** A cluster that comes up in ERROR, or whose task is cancelled before it is up, is deleted. Default true. */
  readonly deleteOnError?: boolean
  /** Seconds to wait for it. Default 3600. */
  readonly timeout?: number
}

export interface CreatedCluster {
  readonly clusterName: string
  readonly clusterUuid: string
}

interface ClusterWait {
  readonly at: DataprocArgs
  readonly clusterName: string
  readonly until: 'settled' | 'gone'
  readonly attempt: number
  /** This task creates it. */
  readonly isNew: boolean
  readonly deletesOnError: boolean
  /** Milliseconds since 1970 at which it is given up. */
  readonly deadline: number
  /** What the task fails with once the cluster is gone. */
  readonly problem: string | null
}

type CreateStep = Step<ClusterWait, CreatedCluster>

const MOST_ATTEMPTS = 3

/**
 * Answers the cluster's name and UUID. One that is there already is used when it runs, waited for when it is on its way, and made anew when it is in ERROR or
 * being deleted. Fails when the new cluster comes up in ERROR, after deleting it.
 */
export const createCluster = (args: CreateClusterArgs): Operator<CreateClusterArgs, CreatedCluster> =>
  remoteOperator('DataprocCreateCluster', args, WORK)

const WORK: RemoteWork<CreateClusterArgs, ClusterWait, SeenCluster, CreatedCluster> = {
  begin: (args, context) => begin(args, context, 1),
  look: ({ at, clusterName, until, deadline }, context, patienceMs = Number.POSITIVE_INFINITY) =>
    withClusters(at, context, async (clusters) => {
      const leftMs = Math.max(0, deadline - context.now().getTime())
      const longest = Math.min(patienceMs, leftMs)
      const seen = await (until === 'gone' ? clusters.untilGone(clusterName, longest) : clusters.settled(clusterName, longest))
      if (seen === undefined && leftMs <= patienceMs)
        throw new Error(`Cluster "${clusterName}" took longer than its timeout. Give it more time, or look why it is slow.`)
      return seen
    }),
  goOn: (args, wait, seen, context) => (wait.until === 'gone' ? afterEnd(args, wait, context) : afterChange(args, wait, seen, context)),
  // Whether the cluster is its own cannot be known: it may be in use.
  find: async () => null,
  async cancel({ at, clusterName, isNew, deletesOnError, until }, context) {
    if (!isNew || !deletesOnError || until === 'gone') return
    context.log(`Deleting cluster ${clusterName}, which is not up yet.`)
    await withClusters(at, context, (clusters) => clusters.delete(clusterName)).catch((error: Error) =>
      context.log(`Cluster ${clusterName} could not be deleted: ${error.message}`),
    )
  },
}

async function begin(args: CreateClusterArgs, context: TaskContext, attempt: number): Promise<CreateStep> {
  const { clusterName, useIfExists = true, deleteOnError = true, timeout = 3600, idleDeleteTtl, labels = {} } = args
  const config: ClusterConfig = { ...args.clusterConfig }
  if (idleDeleteTtl) config.lifecycleConfig = { ...config.lifecycleConfig, idleDeleteTtl: { seconds: idleDeleteTtl } }
  context.log(`Creating cluster ${clusterName}.`)
  const id = requestId(context.idempotencyKey, context.tryNumber, attempt)
  const isNew = await withClusters(args, context, (clusters) => clusters.create(clusterName, config, labels, id))
  if (!isNew) {
    if (!useIfExists) throw new Error(`Cluster "${clusterName}" exists already. Delete it, or set useIfExists.`)
    context.log(`Cluster ${clusterName} exists already.`)
  }
  const deadline = context.now().getTime() + timeout * 1000
  const at = connectionArgs(args)
  return { wait: { at, clusterName, until: 'settled', attempt, isNew, deletesOnError: deleteOnError, deadline, problem: null } }
}

async function afterChange(
  args: CreateClusterArgs,
  wait: ClusterWait,
  { state, uuid, detail }: SeenCluster,
  context: TaskContext,
): Promise<CreateStep> {
  const { clusterName, attempt, isNew, deletesOnError } = wait
  if (state === 'RUNNING') {
    context.log(`Cluster ${clusterName} is running.`)
    return { output: { clusterName, clusterUuid: uuid } }
  }
  if (attempt === MOST_ATTEMPTS)
    throw new Error(`Cluster "${clusterName}" is ${state} after ${attempt} attempts. Look at it, then delete it.`)
  if (state === 'DELETING') return { wait: { ...wait, until: 'gone' } }
  if (state === 'STOPPED') await withClusters(args, context, (clusters) => clusters.start(clusterName))
  if (state !== 'ERROR') return begin(args, context, attempt + 1)
  const why = detail || 'no reason was given'
  const problem = `Cluster "${clusterName}" came up in ERROR (${why})${deletesOnError ? ' and was deleted' : ''}. Try again.`
  if (!deletesOnError) throw new Error(problem)
  context.log(`Cluster ${clusterName} ${isNew ? 'is' : 'was'} in ERROR (${why}); it is deleted.`)
  await withClusters(args, context, (clusters) => clusters.delete(clusterName))
  return { wait: { ...wait, until: 'gone', problem: isNew ? problem : null } }
}

async function afterEnd(args: CreateClusterArgs, { attempt, problem }: ClusterWait, context: TaskContext): Promise<CreateStep> {
  if (problem !== null) throw new Error(problem)
  return begin(args, context, attempt + 1)
}
