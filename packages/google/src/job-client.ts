/** Dataproc's jobs through Google's client, with the few calls that operators need. */
import type { TaskContext } from '@daggerboard/dag'
import type { JobControllerClient, protos } from '@google-cloud/dataproc'
import { told } from './polling.ts'
import { type ClientKind, type ClientUse, type ConnectionArgs, withClient } from './shared-client.ts'

export type Job = protos.google.cloud.dataproc.v1.IJob

const STATES = ['STATE_UNSPECIFIED', 'PENDING', 'RUNNING', 'CANCEL_PENDING', 'CANCELLED', 'DONE', 'ERROR', 'CANCEL_STARTED', 'SETUP_DONE']

const KIND: ClientKind<JobControllerClient> = {
  name: 'jobs',
  isRegional: true,
  make: async (options) => new (await import('@google-cloud/dataproc')).JobControllerClient(options),
}

export const withJobs = <T>(args: ConnectionArgs, context: TaskContext, work: (jobs: JobClient) => Promise<T>): Promise<T> =>
  withClient(KIND, args, context, (use) => work(new JobClient(use)))

class JobClient {
  readonly #use: ClientUse<JobControllerClient>

  constructor(use: ClientUse<JobControllerClient>) {
    this.#use = use
  }

  async submit(job: Job, requestId: string): Promise<Job> {
    const { client, place, as } = this.#use
    return (await told(client.submitJob({ ...place, requestId, job }, await as())))[0]
  }

  async find(jobId: string): Promise<Job> {
    const { client, place, as } = this.#use
    return (await client.getJob({ ...place, jobId }, await as()))[0]
  }

  async cancel(jobId: string): Promise<void> {
    const { client, place, as } = this.#use
    await told(client.cancelJob({ ...place, jobId }, await as()))
  }
}

/** Clients give the state by name or by number. */
export function stateOf(job: Job): string {
  const state = job.status?.state ?? 'STATE_UNSPECIFIED'
  return typeof state === 'number' ? (STATES[state] ?? String(state)) : state
}

export const isFinished = (job: Job): boolean => ['DONE', 'ERROR', 'CANCELLED'].includes(stateOf(job))
