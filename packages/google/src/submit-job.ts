/** Submits a job to a Dataproc cluster and waits for its end. */
import type { Operator, TaskContext } from '@daggerboard/dag'
import type { JobControllerClient, protos } from '@google-cloud/dataproc'
import { asAny, clientOptions, DEFAULT_CONNECTION, dataprocOptions, placeOf } from './client-options.ts'
import { type DataprocArgs, withClusters } from './cluster-client.ts'
import { messageOf } from './google-error.ts'
import { pollUntil, requestId, told } from './polling.ts'

type Job = protos.google.cloud.dataproc.v1.IJob
type Place = ReturnType<typeof placeOf>

export interface SubmitJobArgs extends DataprocArgs {
  /** As in Dataproc: `placement.clusterName`, and one of `sparkSqlJob`, `pysparkJob` … */
  readonly job: Job
  /** Seconds between two looks at most. Default 5. */
  readonly pollInterval?: number
}

export interface FinishedJob {
  readonly jobId: string
  readonly driverOutputResourceUri: string
}

const STATES = ['STATE_UNSPECIFIED', 'PENDING', 'RUNNING', 'CANCEL_PENDING', 'CANCELLED', 'DONE', 'ERROR', 'CANCEL_STARTED', 'SETUP_DONE']

/**
 * Answers the job's id and where its output lies. A later try joins the job that an earlier one left running. When the task is cancelled, so is the job.
 * Fails with the job's own words.
 */
export const submitJob = (args: SubmitJobArgs): Operator<SubmitJobArgs, FinishedJob> => ({
  name: 'DataprocSubmitJob',
  args,
  async run(rendered, context) {
    const connection = await context.connection(rendered.connectionId || DEFAULT_CONNECTION)
    const place = placeOf(connection, rendered)
    const { JobControllerClient } = await import('@google-cloud/dataproc')
    const client = new JobControllerClient(asAny(dataprocOptions(await clientOptions(connection), place.region)))
    try {
      return await submit(client, place, rendered, context)
    } finally {
      await client.close()
    }
  },
})

async function submit(client: JobControllerClient, place: Place, args: SubmitJobArgs, context: TaskContext): Promise<FinishedJob> {
  const { signal } = context
  const { jobId, uri } = await begin(client, place, args, context)
  context.log(`Job ${jobId} runs on cluster ${args.job.placement?.clusterName}. Its output: ${uri}`)
  let state = ''
  try {
    const job = await pollUntil(
      async () => {
        const [current] = await client.getJob({ ...place, jobId })
        if (stateOf(current) !== state) {
          state = stateOf(current)
          context.log(`Job ${jobId}: ${state}`)
        }
        return isFinished(current) ? current : undefined
      },
      { signal, longestMs: (args.pollInterval ?? 5) * 1000, what: `Job ${jobId}` },
    )
    if (state !== 'DONE') throw new Error(`Job ${jobId} ended as ${state}: ${job.status?.details || 'no reason was given'}`)
    return { jobId, driverOutputResourceUri: uri }
  } catch (error) {
    if (signal.aborted) await cancel(client, place, jobId, context)
    throw error
  }
}

/**
 * The request id is of this task and of this very cluster: a new try joins what still runs or is done there, a run that was cleared and got a new cluster
 * submits anew. Google answers a request id that was used with its old job, so one that failed is passed over.
 */
async function begin(client: JobControllerClient, place: Place, args: SubmitJobArgs, context: TaskContext) {
  const clusterName = args.job.placement?.clusterName ?? ''
  const cluster = await withClusters(args, context, (clusters) => clusters.find(clusterName))
  if (!cluster) throw new Error(`Cluster "${clusterName}" does not exist, so no job can run on it. Create it first.`)
  for (let attempt = 1; ; attempt++) {
    const id = requestId(context.idempotencyKey, cluster.clusterUuid ?? '', attempt)
    const [submitted] = await told(client.submitJob({ ...place, requestId: id, job: args.job }))
    const isUsable = !isFinished(submitted) || stateOf(submitted) === 'DONE'
    if (isUsable || attempt > context.tryNumber)
      return { jobId: submitted.reference?.jobId ?? '', uri: submitted.driverOutputResourceUri ?? '' }
  }
}

async function cancel(client: JobControllerClient, place: Place, jobId: string, context: TaskContext): Promise<void> {
  context.log(`Cancelling job ${jobId}.`)
  await client.cancelJob({ ...place, jobId }).catch((error) => context.log(`Job ${jobId} could not be cancelled: ${messageOf(error)}`))
}

function stateOf(job: Job): string {
  const state = job.status?.state ?? 'STATE_UNSPECIFIED'
  return typeof state === 'number' ? (STATES[state] ?? String(state)) : state
}

const isFinished = (job: Job): boolean => ['DONE', 'ERROR', 'CANCELLED'].includes(stateOf(job))
