/** Submits a job to a Dataproc cluster and waits for its end. */
import type { Operator, TaskContext } from '@daggerboard/dag'
import { type DataprocArgs, withClusters } from './cluster-client.ts'
import { isFinished, type Job, stateOf, withJobs } from './job-client.ts'
import { pollUntil, requestId } from './polling.ts'
import { type RemoteWork, remoteOperator, type Step, type WaitingArgs } from './remote-work.ts'
import { connectionArgs } from './shared-client.ts'

export interface SubmitJobArgs extends DataprocArgs, WaitingArgs {
  /** As in Dataproc: `placement.clusterName`, and one of `sparkSqlJob`, `pysparkJob` … */
  readonly job: Job
  /** Seconds between two looks at most. Default 10. */
  readonly pollInterval?: number
}

export interface FinishedJob {
  readonly jobId: string
  readonly driverOutputResourceUri: string
}

interface JobWait {
  readonly at: DataprocArgs
  readonly longestMs: number
  readonly jobId: string
  readonly uri: string
  /** An earlier try has submitted it. */
  readonly isJoined: boolean
  /** How many jobs of this try have been broken off. */
  readonly brokenOff: number
}

interface SeenJob {
  readonly state: string
  readonly details: string
}

/** So the embedded Dataproc speaks of a job that has ended together with its platform. */
const BROKEN_OFF = /Submit (it|the job) again\.$/
const MOST_BROKEN_OFF = 3
const XCOM_JOB_ID = 'job_id'

/**
 * Answers the job's id and where its output lies, and pushes the id as XCom `job_id` as soon as it is known. A later try joins the job that an earlier one left running. When the task is cancelled, so is the job.
 * Fails with the job's own words. A job that was broken off by its system, or cancelled together with an earlier try, is submitted again.
 */
export const submitJob = (args: SubmitJobArgs): Operator<SubmitJobArgs, FinishedJob> => remoteOperator('DataprocSubmitJob', args, WORK)

const WORK: RemoteWork<SubmitJobArgs, JobWait, SeenJob, FinishedJob> = {
  begin: (args, context) => begin(args, context, 0),
  look: ({ at, jobId, longestMs }, context, patienceMs) =>
    withJobs(at, context, (jobs) => {
      let told = ''
      const ask = async () => {
        const job = await jobs.find(jobId)
        const state = stateOf(job)
        if (state !== told) context.log(`Job ${jobId}: ${state}`)
        told = state
        return isFinished(job) ? { state, details: job.status?.details ?? '' } : undefined
      }
      return pollUntil(ask, { signal: context.signal, longestMs, patienceMs })
    }),
  async goOn(args, wait, { state, details }, context) {
    const { jobId, uri, isJoined, brokenOff } = wait
    if (state === 'DONE') return { output: { jobId, driverOutputResourceUri: uri } }
    const isBrokenOff = (state === 'ERROR' && BROKEN_OFF.test(details)) || (state === 'CANCELLED' && isJoined)
    if (!isBrokenOff || brokenOff === MOST_BROKEN_OFF)
      throw new Error(`Job ${jobId} ended as ${state}: ${details || 'no reason was given'}`)
    context.log(`Job ${jobId} ended as ${state}: ${details || 'no reason was given'} It is submitted again.`)
    return begin(args, context, brokenOff + 1)
  },
  async find(args, context) {
    const jobId = await context.xcomPull(context.taskId, XCOM_JOB_ID, { mapIndex: context.mapIndex })
    if (typeof jobId !== 'string') return null
    const at = connectionArgs(args)
    const isOver = await withJobs(at, context, async (jobs) => isFinished(await jobs.find(jobId)))
    return isOver ? null : { at, longestMs: 0, jobId, uri: '', isJoined: true, brokenOff: 0 }
  },
  async cancel({ at, jobId }, context) {
    context.log(`Cancelling job ${jobId}.`)
    await withJobs(at, context, (jobs) => jobs.cancel(jobId)).catch((error: Error) =>
      context.log(`Job ${jobId} could not be cancelled: ${error.message}`),
    )
  },
}

/**
 * The request id is of this task and of this very cluster: a new try joins what still runs or is done there, a run that was cleared and got a new cluster
 * submits anew. Google answers a request id that was used with its old job, so one that failed is passed over.
 */
async function begin(args: SubmitJobArgs, context: TaskContext, brokenOff: number): Promise<Step<JobWait, FinishedJob>> {
  const at = connectionArgs(args)
  const clusterName = args.job.placement?.clusterName ?? ''
  const cluster = await withClusters(args, context, (clusters) => clusters.find(clusterName))
  if (!cluster) throw new Error(`Cluster "${clusterName}" does not exist, so no job can run on it. Create it first.`)
  return withJobs(at, context, async (jobs) => {
    for (let attempt = 1; ; attempt++) {
      const job = await jobs.submit(args.job, requestId(context.idempotencyKey, cluster.clusterUuid ?? '', attempt))
      const state = stateOf(job)
      const isUsable = ['STATE_UNSPECIFIED', 'PENDING', 'SETUP_DONE', 'RUNNING', 'DONE'].includes(state)
      if (!isUsable && attempt <= context.tryNumber + brokenOff) continue
      const jobId = job.reference?.jobId ?? ''
      const uri = job.driverOutputResourceUri ?? ''
      await context.xcomPush(XCOM_JOB_ID, jobId)
      const isJoined = context.tryNumber > 1 && state !== 'PENDING'
      context.log(`Job ${jobId} ${isJoined ? 'was submitted by an earlier try' : 'runs'} on cluster ${clusterName}. Its output: ${uri}`)
      return { wait: { at, longestMs: (args.pollInterval ?? 10) * 1000, jobId, uri, isJoined, brokenOff } }
    }
  })
}
