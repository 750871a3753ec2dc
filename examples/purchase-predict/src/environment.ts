/** Which environment a run works for, and the stage of the model registry that belongs to it. */
import { PipelineError } from '@daggerboard/pipeline'

export type Environment = 'staging' | 'production' | 'development'

export interface EnvironmentParameters {
  /** Said outright; wins over the branch. */
  readonly name: string
  readonly branch: string
  readonly commit: string
}

/** `master` is production, `staging` is staging, any other branch is development. Throws for an unknown name. */
export function environmentOf({ name, branch }: Pick<EnvironmentParameters, 'name' | 'branch'>): Environment {
  if (name === '') return branch === 'master' ? 'production' : branch === 'staging' ? 'staging' : 'development'
  if (name === 'staging' || name === 'production' || name === 'development') return name
  throw new PipelineError(
    `ENV is "${name}", which is no environment. Use staging, production or development, or leave it empty and set BRANCH_NAME.`,
  )
}

/** The stage that models of `environment` get; none in development. */
export const stageOf = (environment: Environment): 'Staging' | 'Production' | undefined =>
  environment === 'development' ? undefined : environment === 'production' ? 'Production' : 'Staging'
