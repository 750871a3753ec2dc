/** The port to what runs a build's steps: processes of this machine, or containers. The driver owns the build's directory. */
import type { Build, BuildSource, RepoSource } from './build.ts'

export interface StepContext {
  /** Speaks for the build at the platform's doors until the build is over. */
  readonly token: string
  readonly signal: AbortSignal
  /** One line, without its end. */
  log(line: string): void
}

/** What a running step writes is told apart from what the driver says of it. */
export interface RunContext extends StepContext {
  /** One line of the step's own output, without its end. */
  output(line: string): void
}

export interface StepResult {
  readonly exitCode: number
  /** What the step wrote to `$BUILDER_OUTPUT/output`, base64, at most 50 KB. */
  readonly output: string
}

export interface StepDriver {
  /** Why this driver cannot run the build, one sentence for each thing it cannot honour; empty when it can. */
  problemsOf(build: Build): string[]
  /** Makes the build's directory and brings its source there. Answers what exactly was fetched. */
  prepare(
    build: Build,
    context: StepContext,
  ): Promise<{ resolvedRepoSource?: RepoSource; resolvedStorageSource?: BuildSource['storageSource'] }>
  /** Runs one step to its end. Rejects with the signal's reason, once everything the step started is gone, when the signal aborts. */
  runStep(build: Build, index: number, env: Readonly<Record<string, string>>, context: RunContext): Promise<StepResult>
  /** Pushes an image that the steps have made and answers its digest; throws AppError when there is none, or the push fails. */
  pushImage(build: Build, image: string, context: StepContext): Promise<string>
  /** Copies `artifacts.objects` to their bucket. */
  uploadArtifacts(build: Build, context: StepContext): Promise<void>
  /** Called once when the build is over. Old directories may go. */
  release(build: Build): Promise<void>
  /** Ends what a platform that died left running of this build. */
  recover(build: Build): Promise<void>
}
