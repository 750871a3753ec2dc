/** Runs one build from its source to its images: phases, time limits, and how its end is worded. The graph of the steps is in `step-graph.ts`. */
import { AppError, messageOf, publicMessage } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { type Build, type BuildStatus, moveTo } from './build.ts'
import { parseDuration } from './duration.ts'
import { DEFAULT_TIMEOUT_MS } from './limits.ts'
import type { StepDriver } from './step-driver.ts'
import { runSteps } from './step-graph.ts'

export interface Execution {
  readonly driver: StepDriver
  readonly clock: Clock
  /** The build's identity at the platform's doors. */
  readonly token: string
  /** Aborts when somebody cancels the build, or with a `PlatformStopped` when the platform goes down. */
  readonly cancellation: AbortSignal
  /** A line of the build's log. */
  log(line: string): void
  /** Persists and announces the build after each change. */
  changed(): Promise<void>
}

/** Why a build ends in another way than success. */
export class BuildEnded extends Error {
  readonly status: BuildStatus
  readonly failureType: string | null
  /** What the step that failed said of it, where it said anything. */
  readonly reason: string | null

  constructor(status: BuildStatus, detail: string, failureType: string | null = null, reason: string | null = null) {
    super(detail)
    this.status = status
    this.failureType = failureType
    this.reason = reason
  }
}

export class PlatformStopped extends Error {
  constructor() {
    super('The platform was stopped while this build ran. Run it again.')
  }
}

export const timeoutMsOf = (build: Build): number => parseDuration(build.timeout ?? '') ?? DEFAULT_TIMEOUT_MS

/**
 * Takes `build` from QUEUED to the status before its last: it changes steps, timing and results in place, and answers how the build
 * ends, without setting that yet, so that the log can be complete before anybody learns that the build is over.
 */
export async function executeBuild(build: Build, execution: Execution): Promise<BuildEnded | null> {
  const { clock, cancellation, log } = execution
  const over = new AbortController()
  const deadline = new AbortController()
  void clock.sleep(timeoutMsOf(build), over.signal).then(() => deadline.abort(new BuildEnded('TIMEOUT', 'Build timed out.')))
  const signal = AbortSignal.any([cancellation, deadline.signal])
  try {
    log(`starting build "${build.id}"\n`)
    await runPhases(build, execution, signal)
    log('DONE')
    return null
  } catch (error) {
    const end = endingOf(error, signal, deadline.signal)
    cancelOpenSteps(build, clock)
    log(end.status === 'FAILURE' ? 'ERROR' : end.status)
    log(`ERROR: ${end.message}`)
    return end
  } finally {
    over.abort()
  }
}

async function runPhases(build: Build, execution: Execution, signal: AbortSignal): Promise<void> {
  const { driver, token, log } = execution
  const context = { token, signal, log }
  const problems = driver.problemsOf(build)
  if (problems.length > 0) throw new AppError('invalid', 'This build cannot run here.', { problems })

  await timed(build, 'FETCHSOURCE', execution, async () => {
    log('FETCHSOURCE')
    const provenance = await driver.prepare(build, context).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error instanceof AppError ? new BuildEnded('FAILURE', publicMessage(error), 'FETCH_SOURCE_FAILED') : error
    })
    if (Object.keys(provenance).length > 0) build.sourceProvenance = provenance
  })
  await timed(build, 'BUILD', execution, async () => {
    log('BUILD')
    await runSteps(build, execution, signal)
  })
  const images = [...new Set([...(build.images ?? []), ...(build.artifacts?.images ?? [])])]
  if (images.length === 0 && !build.artifacts?.objects) return
  await timed(build, 'PUSH', execution, async () => {
    log('PUSH')
    for (const image of images) {
      log(`Pushing ${image}`)
      const digest = await push(() => driver.pushImage(build, image, context), image, signal)
      build.results = { ...build.results, images: [...(build.results?.images ?? []), { name: image, digest }] }
    }
    if (build.artifacts?.objects) await push(() => driver.uploadArtifacts(build, context), 'artifacts', signal)
  })
}

async function push<T>(work: () => Promise<T>, what: string, signal: AbortSignal): Promise<T> {
  try {
    return await work()
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AppError)) throw error
    throw new BuildEnded('FAILURE', `Pushing ${what} failed: ${publicMessage(error)}`, 'PUSH_FAILED')
  }
}

async function timed(build: Build, phase: string, { clock, changed }: Execution, work: () => Promise<void>): Promise<void> {
  const span: { startTime: string; endTime?: string } = { startTime: clock.now().toISOString() }
  build.timing = { ...build.timing, [phase]: span }
  try {
    await work()
  } finally {
    span.endTime = clock.now().toISOString()
  }
  await changed()
}

function endingOf(error: unknown, signal: AbortSignal, deadline: AbortSignal): BuildEnded {
  if (error instanceof BuildEnded && error.status !== 'CANCELLED') return error
  if (deadline.aborted) return deadline.reason as BuildEnded
  if (signal.aborted)
    return signal.reason instanceof PlatformStopped
      ? new BuildEnded('INTERNAL_ERROR', signal.reason.message)
      : new BuildEnded('CANCELLED', 'Build was cancelled.')
  if (error instanceof AppError && error.code !== 'internal') return new BuildEnded('FAILURE', publicMessage(error), 'USER_BUILD_STEP')
  return new BuildEnded('INTERNAL_ERROR', `The platform could not run this build: ${messageOf(error)}`)
}

/** Steps that still ran when the build ended; steps that never started stay QUEUED, as in Cloud Build. */
function cancelOpenSteps(build: Build, clock: Clock): void {
  for (const step of build.steps) {
    if (step.status !== 'WORKING') continue
    moveTo(step, 'CANCELLED')
    if (step.timing) step.timing.endTime = clock.now().toISOString()
  }
}
