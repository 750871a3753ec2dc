/** Starts a build from its description, and waits for it. */
import type { Operator } from '@daggerboard/dag'
import type { Build } from './build-client.ts'
import { type BuildArgs, buildOperator, type FinishedBuild } from './build-operator.ts'

export interface CreateBuildArgs extends BuildArgs {
  /** As in Cloud Build: steps, source, substitutions, timeout. */
  readonly build: Build
}

/** Answers the build's id and status, and pushes the id as XCom `id` as soon as it is known. */
export const createBuild = (args: CreateBuildArgs): Operator<CreateBuildArgs, FinishedBuild> =>
  buildOperator('CloudBuildCreateBuild', args, (builds, { build }) => builds.create(build))
