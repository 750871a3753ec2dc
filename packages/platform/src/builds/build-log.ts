/** The port to a build's log: text that only grows, readable while it does. Lines are worded as Cloud Build words them. */
import { type Build, type Step, stepName } from './build.ts'

export interface BuildLog {
  append(buildId: string, text: string): void
  /** The bytes from `from` on that are there now; null when there is no log of this build. */
  read(buildId: string, from: number): Promise<Uint8Array | null>
  /** The bytes from `from` on, as they come, until the log is closed. */
  follow(buildId: string, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Resolves when all that was appended can be read. */
  flush(buildId: string): Promise<void>
  /** Nothing more will be appended: keeps the log where the build's `logsBucket` says. */
  close(build: Build): Promise<void>
}

/** How lines of a step begin; nothing when the build has only one. */
export const linePrefix = (build: Build, index: number): string =>
  build.steps.length > 1 ? `${stepName(build.steps[index] as Step, index)}: ` : ''
