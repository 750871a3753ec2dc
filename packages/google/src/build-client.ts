/** Cloud Build through Google's client: starting a build, watching its steps, cancelling it. */
import { FailTask, type TaskContext } from '@daggerboard/dag'
import type { CloudBuildClient, protos } from '@google-cloud/cloudbuild'
import { asAny, clientOptions, DEFAULT_CONNECTION, placeOf } from './client-options.ts'
import { messageOf, problemOf, readable } from './google-error.ts'
import { pollUntil, told } from './polling.ts'

export type Build = protos.google.devtools.cloudbuild.v1.IBuild

export interface BuildArgs {
  readonly connectionId?: string
  readonly projectId?: string
  /** Whether to wait for the build's end. Default true. */
  readonly wait?: boolean
  /** Seconds between two looks at most. Default 4. */
  readonly pollInterval?: number
}

export interface FinishedBuild {
  readonly id: string
  readonly status: string
  readonly logUrl: string
}

/** What the client answers for an operation that is not done yet. */
interface StartedOperation {
  readonly metadata?: unknown
}

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
const XCOM_BUILD_ID = 'id'

/**
 * Starts a build with `start` and waits for it. A later try joins the build that an earlier one left running. A build that fails is
 * not tried again: it fails the task at once with its `statusDetail`. When the task is cancelled, so is the build.
 */
export async function runBuild(
  args: BuildArgs,
  context: TaskContext,
  start: (client: CloudBuildClient, projectId: string) => Promise<StartedOperation>,
): Promise<FinishedBuild> {
  const connection = await context.connection(args.connectionId || DEFAULT_CONNECTION)
  const { projectId } = placeOf(connection, args)
  const { CloudBuildClient } = await import('@google-cloud/cloudbuild')
  const client = new CloudBuildClient(asAny(await clientOptions(connection)))
  try {
    const earlier = await unfinishedBuild(client, projectId, context)
    const id = earlier ?? buildIdOf(await told(start(client, projectId)))
    context.log(earlier ? `Joining build ${id}, which an earlier try started.` : `Build ${id} is started.`)
    await context.xcomPush(XCOM_BUILD_ID, id)
    if (args.wait === false) return { id, status: 'QUEUED', logUrl: '' }
    return await watch(client, projectId, id, args, context)
  } finally {
    await client.close()
  }
}

async function unfinishedBuild(client: CloudBuildClient, projectId: string, context: TaskContext): Promise<string | null> {
  const id = context.tryNumber > 1 ? await context.xcomPull(context.taskId, XCOM_BUILD_ID) : null
  if (typeof id !== 'string') return null
  try {
    const [build] = await client.getBuild({ projectId, id })
    return UNFINISHED.includes(statusOf(build)) ? id : null
  } catch (error) {
    // A service that is away for a moment says nothing of the build: a second one must not be started beside it.
    if (problemOf(error) === 'not_found') return null
    throw readable(error)
  }
}

function buildIdOf({ metadata }: StartedOperation): string {
  const id = (metadata as { build?: Build } | undefined)?.build?.id
  if (!id) throw new Error('Cloud Build answered no build id, so the build cannot be followed. Look for it in the list of builds.')
  return id
}

async function watch(
  client: CloudBuildClient,
  projectId: string,
  id: string,
  args: BuildArgs,
  context: TaskContext,
): Promise<FinishedBuild> {
  const { signal } = context
  const heard = new Set<string>()
  const tellOnce = (line: string) => {
    if (!heard.has(line)) context.log(line)
    heard.add(line)
  }
  try {
    const build = await pollUntil(
      async () => {
        const [current] = await client.getBuild({ projectId, id })
        tellChanges(current, tellOnce)
        return UNFINISHED.includes(statusOf(current)) ? undefined : current
      },
      { signal, longestMs: (args.pollInterval ?? 4) * 1000, what: `Build ${id}` },
    )
    const status = statusOf(build)
    if (status === 'SUCCESS') return { id, status, logUrl: build.logUrl ?? '' }
    throw new FailTask(
      `Build ${id} ended as ${status}: ${build.failureInfo?.detail || build.statusDetail || 'no reason was given'}. Its log: ${build.logUrl}`,
    )
  } catch (error) {
    if (signal.aborted) {
      context.log(`Cancelling build ${id}.`)
      await client
        .cancelBuild({ projectId, id })
        .catch((problem) => context.log(`Build ${id} could not be cancelled: ${messageOf(problem)}`))
    }
    throw error
  }
}

/** The build's status, and each step's as soon as it has one. */
function tellChanges(build: Build, tell: (line: string) => void): void {
  tell(`Build ${build.id}: ${statusOf(build)}`)
  for (const [index, step] of (build.steps ?? []).entries()) {
    const status = statusName(step.status)
    if (!['STATUS_UNKNOWN', 'QUEUED', 'PENDING', ''].includes(status))
      tell(`  Step ${step.id || `#${index}`}: ${status}${secondsOf(step.timing)}`)
  }
}

function secondsOf(timing: protos.google.devtools.cloudbuild.v1.ITimeSpan | null | undefined): string {
  const { startTime, endTime } = timing ?? {}
  return startTime?.seconds && endTime?.seconds ? ` (${Number(endTime.seconds) - Number(startTime.seconds)} s)` : ''
}

const statusOf = (build: Build): string => statusName(build.status)
const statusName = (status: unknown): string =>
  typeof status === 'number' ? (STATUSES[status] ?? String(status)) : String(status ?? 'STATUS_UNKNOWN')
