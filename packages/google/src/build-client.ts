/** Cloud Build's builds through Google's client, with the few calls that operators need. */
import type { TaskContext } from '@daggerboard/dag'
import type { CloudBuildClient, protos } from '@google-cloud/cloudbuild'
import { problemOf } from './google-error.ts'
import { told } from './polling.ts'
import { type ClientKind, type ClientUse, type ConnectionArgs, withClient } from './shared-client.ts'

export type Build = protos.google.devtools.cloudbuild.v1.IBuild
export type TriggerSource = protos.google.devtools.cloudbuild.v1.IRepoSource

const STATUSES = [
  'STATUS_UNKNOWN',
  'QUEUED',
  'WORKING',
  'SUCCESS',
  'FAILURE',
  'INTERNAL_ERROR',
  'TIMEOUT',
  'CANCELLED',
  '',
  '',
  'PENDING',
  'EXPIRED',
]
const UNFINISHED = ['STATUS_UNKNOWN', 'PENDING', 'QUEUED', 'WORKING']
const NOT_BEGUN = ['STATUS_UNKNOWN', 'QUEUED', 'PENDING', '']

const KIND: ClientKind<CloudBuildClient> = {
  name: 'builds',
  isRegional: false,
  make: async (options) => new (await import('@google-cloud/cloudbuild')).CloudBuildClient(options),
}

export const withBuilds = <T>(args: ConnectionArgs, context: TaskContext, work: (builds: BuildClient) => Promise<T>): Promise<T> =>
  withClient(KIND, args, context, (use) => work(new BuildClient(use)))

export class BuildClient {
  readonly #use: ClientUse<CloudBuildClient>

  constructor(use: ClientUse<CloudBuildClient>) {
    this.#use = use
  }

  /** Answers the build's id. */
  async create(build: Build): Promise<string> {
    const { client, place, as } = this.#use
    const [operation] = await told(client.createBuild({ projectId: place.projectId, build }, await as()))
    return buildIdOf(operation)
  }

  /** Answers the build's id. */
  async runTrigger(triggerId: string, source: TriggerSource): Promise<string> {
    const { client, place, as } = this.#use
    const [operation] = await told(client.runBuildTrigger({ projectId: place.projectId, triggerId, source }, await as()))
    return buildIdOf(operation)
  }

  async find(id: string): Promise<Build> {
    const { client, place, as } = this.#use
    return (await client.getBuild({ projectId: place.projectId, id }, await as()))[0]
  }

  /** Whether there is such a build and it is not over. Throws when that cannot be known. */
  async isUnfinished(id: string): Promise<boolean> {
    const build = await this.#findIfThere(id)
    return build !== null && isUnfinished(build)
  }

  /** Whether there is such a build that is not over, or that has succeeded and is not older than `since`. Throws when that cannot be known. */
  async isOfUse(id: string, since: Date): Promise<boolean> {
    const build = await this.#findIfThere(id)
    if (build === null || isUnfinished(build)) return build !== null
    const { seconds, nanos } = build.createTime ?? {}
    return statusOf(build) === 'SUCCESS' && Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6 >= since.getTime()
  }

  async #findIfThere(id: string): Promise<Build | null> {
    try {
      return await this.find(id)
    } catch (error) {
      // A service that is away for a moment says nothing of the build: a second one must not be started beside it.
      if (problemOf(error) === 'not_found') return null
      return told(Promise.reject(error))
    }
  }

  async cancel(id: string): Promise<void> {
    const { client, place, as } = this.#use
    await told(client.cancelBuild({ projectId: place.projectId, id }, await as()))
  }
}

function buildIdOf({ metadata }: { readonly metadata?: unknown }): string {
  const id = (metadata as { build?: Build } | undefined)?.build?.id
  if (!id) throw new Error('Cloud Build answered no build id, so the build cannot be followed. Look for it in the list of builds.')
  return id
}

/** The build's status, and each step's as soon as it has one. */
export function tellChanges(build: Build, tell: (line: string) => void): void {
  tell(`Build ${build.id}: ${statusOf(build)}`)
  for (const [index, step] of (build.steps ?? []).entries()) {
    const status = statusName(step.status)
    if (!NOT_BEGUN.includes(status)) tell(`  Step ${step.id || `#${index}`}: ${status}${secondsOf(step.timing)}`)
  }
}

function secondsOf(timing: protos.google.devtools.cloudbuild.v1.ITimeSpan | null | undefined): string {
  const { startTime, endTime } = timing ?? {}
  return startTime?.seconds && endTime?.seconds ? ` (${Number(endTime.seconds) - Number(startTime.seconds)} s)` : ''
}

export const isUnfinished = (build: Build): boolean => UNFINISHED.includes(statusOf(build))
export const statusOf = (build: Build): string => statusName(build.status)
const statusName = (status: unknown): string =>
  typeof status === 'number' ? (STATUSES[status] ?? String(status)) : String(status ?? 'STATUS_UNKNOWN')
