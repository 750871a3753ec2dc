/** Starts a build from its description, and waits for it. */
import type { Operator } from '@daggerboard/dag'
import { type Build, type BuildArgs, type FinishedBuild, runBuild } from './build-client.ts'

export interface CreateBuildArgs extends BuildArgs {
  /** As in Cloud Build: steps, source, substitutions, timeout. */
  readonly build: Build
}

/** Answers the build's id and status, and pushes the id as XCom `id` as soon as it is known. */
export const createBuild = (args: CreateBuildArgs): Operator<CreateBuildArgs, FinishedBuild> => ({
  name: 'CloudBuildCreateBuild',
  args,
  run: (rendered, context) =>
    runBuild(rendered, context, async (client, projectId) => {
      const [operation] = await client.createBuild({ projectId, build: rendered.build })
      return operation
    }),
})
