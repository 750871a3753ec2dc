/** Runs a trigger of Cloud Build on a branch, tag or commit, and waits for the build. */
import type { Operator } from '@daggerboard/dag'
import { type BuildArgs, buildOperator, type FinishedBuild } from './build-operator.ts'

export interface RunBuildTriggerArgs extends BuildArgs {
  /** Id or name of the trigger. */
  readonly trigger: string
  readonly source: {
    readonly branchName?: string
    readonly tagName?: string
    readonly commitSha?: string
    readonly substitutions?: Readonly<Record<string, string>>
  }
}

/** Answers the build's id and status, and pushes the id as XCom `id` as soon as it is known. */
export const runBuildTrigger = (args: RunBuildTriggerArgs): Operator<RunBuildTriggerArgs, FinishedBuild> =>
  buildOperator('CloudBuildRunBuildTrigger', args, (builds, { trigger, source }) =>
    builds.runTrigger(trigger, { ...source, substitutions: { ...source.substitutions } }),
  )
