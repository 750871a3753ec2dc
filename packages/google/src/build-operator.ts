/** What the operators of Cloud Build share: starting a build in one way or another, waiting for its end, cancelling it. */
import { FailTask, type Operator, type TaskContext } from '@daggerboard/dag'
import { type BuildClient, isUnfinished, statusOf, tellChanges, withBuilds } from './build-client.ts'
import { pollUntil } from './polling.ts'
import { type RemoteWork, remoteOperator, type Step, type WaitingArgs } from './remote-work.ts'
import { type ConnectionArgs, connectionArgs } from './shared-client.ts'

export interface BuildArgs extends Omit<ConnectionArgs, 'region'>, WaitingArgs {
  /** Whether to wait for the build's end. Default true. */
  readonly wait?: boolean
  /** Seconds between two looks at most. Default 10. */
  readonly pollInterval?: number
}

export interface FinishedBuild {
  readonly id: string
  readonly status: string
  readonly logUrl: string
}

interface BuildWait {
  readonly at: ConnectionArgs
  readonly longestMs: number
  readonly id: string
  /** An earlier try has started it. */
  readonly isJoined: boolean
  /** How many builds of this try have been broken off. */
  readonly brokenOff: number
}

interface SeenBuild {
  readonly status: string
  readonly detail: string
  readonly logUrl: string
}

const XCOM_BUILD_ID = 'id'
const MOST_BROKEN_OFF = 3

/**
 * Starts a build with `start` and waits for it. A later try joins the build that an earlier one left running, or that has succeeded since that was lost. A build that fails is
 * not tried again: it fails the task at once with its `statusDetail`. When the task is cancelled, so is the build. A build that its service has
 * broken off (`INTERNAL_ERROR`), or that was cancelled together with an earlier try, is started again.
 */
export function buildOperator<Args extends BuildArgs>(
  name: string,
  args: Args,
  start: (builds: BuildClient, args: Args) => Promise<string>,
): Operator<Args, FinishedBuild> {
  const begin = (rendered: Args, context: TaskContext, brokenOff: number): Promise<Step<BuildWait, FinishedBuild>> =>
    withBuilds(rendered, context, async (builds) => {
      const earlier = brokenOff === 0 ? await earlierBuild(builds, context) : null
      const id = earlier ?? (await start(builds, rendered))
      context.log(earlier ? `Joining build ${id}, which an earlier try started.` : `Build ${id} is started.`)
      await context.xcomPush(XCOM_BUILD_ID, id)
      if (rendered.wait === false) return { output: { id, status: 'QUEUED', logUrl: '' } }
      const longestMs = (rendered.pollInterval ?? 10) * 1000
      return { wait: { at: connectionArgs(rendered), longestMs, id, isJoined: earlier !== null, brokenOff } }
    })
  const work: RemoteWork<Args, BuildWait, SeenBuild, FinishedBuild> = {
    begin: (rendered, context) => begin(rendered, context, 0),
    look,
    async goOn(rendered, { id, isJoined, brokenOff }, { status, detail, logUrl }, context) {
      if (status === 'SUCCESS') return { output: { id, status, logUrl } }
      const end = `Build ${id} ended as ${status}: ${detail || 'no reason was given'}.`
      const isBrokenOff = status === 'INTERNAL_ERROR' || (status === 'CANCELLED' && isJoined)
      if (!isBrokenOff) throw new FailTask(`${end} Its log: ${logUrl}`)
      if (brokenOff === MOST_BROKEN_OFF) throw new Error(`${end} Its log: ${logUrl}`)
      context.log(`${end} It is started again.`)
      return begin(rendered, context, brokenOff + 1)
    },
    async find(rendered, context) {
      const id = await idOfEarlier(context)
      const at = connectionArgs(rendered)
      if (id === null || !(await withBuilds(at, context, (builds) => builds.isUnfinished(id)))) return null
      return { at, longestMs: 0, id, isJoined: true, brokenOff: 0 }
    },
    async cancel({ at, id }, context) {
      context.log(`Cancelling build ${id}.`)
      await withBuilds(at, context, (builds) => builds.cancel(id)).catch((error: Error) =>
        context.log(`Build ${id} could not be cancelled: ${error.message}`),
      )
    },
  }
  return remoteOperator(name, args, work)
}

/** One that goes on, or that has succeeded while nobody looked: a task that was cleared begins later than its old build, and builds anew. */
async function earlierBuild(builds: BuildClient, context: TaskContext): Promise<string | null> {
  const id = await idOfEarlier(context)
  return id !== null && (await builds.isOfUse(id, context.firstStartedAt)) ? id : null
}

async function idOfEarlier(context: TaskContext): Promise<string | null> {
  const id = await context.xcomPull(context.taskId, XCOM_BUILD_ID, { mapIndex: context.mapIndex })
  return typeof id === 'string' ? id : null
}

const look = ({ at, id, longestMs }: BuildWait, context: TaskContext, patienceMs?: number): Promise<SeenBuild | undefined> =>
  withBuilds(at, context, (builds) => {
    const heard = new Set<string>()
    const tellOnce = (line: string) => {
      if (!heard.has(line)) context.log(line)
      heard.add(line)
    }
    const ask = async () => {
      const build = await builds.find(id)
      tellChanges(build, tellOnce)
      if (isUnfinished(build)) return undefined
      return { status: statusOf(build), detail: build.failureInfo?.detail || build.statusDetail || '', logUrl: build.logUrl ?? '' }
    }
    return pollUntil(ask, { signal: context.signal, longestMs, patienceMs })
  })
