/** Jobs as Dataproc describes them: what is to run, the states they go through, and the port that keeps them. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Place } from './cluster.ts'
import type { Variables } from './sql-token.ts'

export type JobState = 'PENDING' | 'SETUP_DONE' | 'RUNNING' | 'CANCEL_PENDING' | 'CANCEL_STARTED' | 'CANCELLED' | 'DONE' | 'ERROR'

/** From which state a job may go to which. */
export const JOB_MOVES: Readonly<Record<JobState, readonly JobState[]>> = {
  PENDING: ['SETUP_DONE', 'CANCEL_PENDING', 'ERROR'],
  SETUP_DONE: ['RUNNING', 'CANCEL_PENDING', 'ERROR'],
  RUNNING: ['DONE', 'ERROR', 'CANCEL_PENDING'],
  CANCEL_PENDING: ['CANCEL_STARTED', 'DONE', 'ERROR'],
  CANCEL_STARTED: ['CANCELLED', 'DONE', 'ERROR'],
  CANCELLED: [],
  DONE: [],
  ERROR: [],
}

export const isFinished = (job: Job): boolean => JOB_MOVES[job.status.state].length === 0

interface JobStatus {
  readonly state: JobState
  readonly detail: string | null
  readonly stateStartTime: string
}

interface SparkSqlJob {
  /** Either a script in a bucket, or the statements themselves. */
  readonly queryFileUri: string | null
  readonly queries: readonly string[]
  readonly scriptVariables: Variables
}

export interface Job extends Place {
  readonly id: string
  readonly uuid: string
  readonly requestId: string | null
  readonly clusterName: string
  readonly clusterUuid: string
  readonly sparkSqlJob: SparkSqlJob
  readonly labels: Readonly<Record<string, string>>
  readonly status: JobStatus
  readonly history: readonly JobStatus[]
  readonly createdBy: string
  /** Where the driver's output is kept in the bucket: the prefix of its files. */
  readonly driverOutputUri: string
  readonly inputRows: number | null
  readonly outputRows: number | null
}

export interface JobStore {
  /** Throws `conflict` when there is one of that id. */
  create(job: Job): Promise<void>
  find(place: Place, id: string): Promise<Job | null>
  findByRequest(place: Place, requestId: string): Promise<Job | null>
  list(place: Place | null): Promise<Job[]>
  update(job: Job): Promise<void>
  appendOutput(job: Job, line: string): Promise<void>
  output(job: Job): Promise<string>
}

/** The job in its next state. Throws `conflict` when the table of moves does not allow it. */
export function moveJob(job: Job, state: JobState, at: Date, detail: string | null = null): Job {
  if (!JOB_MOVES[job.status.state].includes(state))
    throw new AppError('conflict', `Job "${job.id}" is ${job.status.state} and cannot become ${state}.`)
  return { ...job, status: { state, detail, stateStartTime: at.toISOString() }, history: [...job.history, job.status] }
}

/** What a client asks for, checked. */
export interface JobRequest {
  readonly id: string | null
  readonly requestId: string | null
  readonly clusterName: string
  readonly sparkSqlJob: SparkSqlJob
  readonly labels: Readonly<Record<string, string>>
}

const JOB_ID = /^[A-Za-z0-9_-]{1,100}$/
const GS_URI = /^gs:\/\/[^/]+\/.+$/
const OTHER_KINDS = ['hadoopJob', 'sparkJob', 'pysparkJob', 'hiveJob', 'pigJob', 'sparkRJob', 'prestoJob', 'trinoJob', 'flinkJob']
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads the body of `jobs:submit`. Throws `invalid` with everything that is wrong with it. */
export function parseJobRequest(body: unknown): JobRequest {
  const { job, requestId } = isRecord(body) ? body : {}
  const problems: string[] = []
  const given = isRecord(job) ? job : {}
  const reference = isRecord(given.reference) ? given.reference : {}
  const placement = isRecord(given.placement) ? given.placement : {}
  const clusterName = typeof placement.clusterName === 'string' ? placement.clusterName : ''
  if (!clusterName) problems.push('job.placement.clusterName is missing: name the cluster that is to run the job.')
  const id = typeof reference.jobId === 'string' && reference.jobId !== '' ? reference.jobId : null
  if (id !== null && !JOB_ID.test(id)) problems.push(`job.reference.jobId "${id}" may have 1 to 100 letters, digits, "_" and "-".`)
  const sparkSqlJob = parseSparkSqlJob(given, problems)
  if (problems.length > 0) throw new AppError('invalid', 'Cannot submit the job:', { problems })
  return {
    id,
    requestId: typeof requestId === 'string' && requestId !== '' ? requestId : null,
    clusterName,
    sparkSqlJob,
    labels: strings(given.labels),
  }
}

function parseSparkSqlJob(job: Record<string, unknown>, problems: string[]): SparkSqlJob {
  const other = OTHER_KINDS.find((kind) => job[kind] !== undefined)
  if (other)
    problems.push(
      `job.${other} needs a cluster with that software; these clusters run Spark SQL only. Submit a sparkSqlJob, or point the connection at Dataproc itself.`,
    )
  else if (!isRecord(job.sparkSqlJob)) problems.push(`job.sparkSqlJob is missing.${didYouMean('sparkSqlJob', Object.keys(job))}`)
  const spark = isRecord(job.sparkSqlJob) ? job.sparkSqlJob : {}
  const queryFileUri = typeof spark.queryFileUri === 'string' && spark.queryFileUri !== '' ? spark.queryFileUri : null
  const list = isRecord(spark.queryList) ? spark.queryList.queries : undefined
  const queries = Array.isArray(list) ? list.filter((query): query is string => typeof query === 'string') : []
  if (isRecord(job.sparkSqlJob) && (queryFileUri === null) === (queries.length === 0))
    problems.push('job.sparkSqlJob needs one of queryFileUri and queryList.')
  if (queryFileUri !== null && !GS_URI.test(queryFileUri))
    problems.push(`job.sparkSqlJob.queryFileUri "${queryFileUri}" is not in a bucket. Write gs://BUCKET/PATH.`)
  if (Array.isArray(spark.jarFileUris) && spark.jarFileUris.length > 0)
    problems.push('job.sparkSqlJob.jarFileUris is not supported: this engine loads no jars. The reader of bigquery tables is built in.')
  return { queryFileUri, queries, scriptVariables: strings(spark.scriptVariables) }
}

const strings = (value: unknown): Record<string, string> =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)])) : {}
