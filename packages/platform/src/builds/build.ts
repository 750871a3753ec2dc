/** A build: what was asked for, how far it is, and what came of it. Field names are those of Cloud Build's Build resource. */
import { AppError } from '../core/app-error.ts'

export type BuildStatus = 'QUEUED' | 'WORKING' | 'SUCCESS' | 'FAILURE' | 'INTERNAL_ERROR' | 'TIMEOUT' | 'CANCELLED' | 'EXPIRED'

/** The one table of allowed moves, for builds and for their steps (a step never expires). */
export const BUILD_MOVES: Readonly<Record<BuildStatus, readonly BuildStatus[]>> = {
  QUEUED: ['WORKING', 'FAILURE', 'CANCELLED', 'EXPIRED', 'INTERNAL_ERROR'],
  WORKING: ['SUCCESS', 'FAILURE', 'INTERNAL_ERROR', 'TIMEOUT', 'CANCELLED'],
  SUCCESS: [],
  FAILURE: [],
  INTERNAL_ERROR: [],
  TIMEOUT: [],
  CANCELLED: [],
  EXPIRED: [],
}

export const isFinished = (status: BuildStatus): boolean => BUILD_MOVES[status].length === 0

/** One step as a file or a request words it. */
export interface StepConfig {
  name: string
  env?: string[]
  args?: string[]
  dir?: string
  id?: string
  waitFor?: string[]
  entrypoint?: string
  secretEnv?: string[]
  volumes?: { name?: string; path?: string }[]
  timeout?: string
  script?: string
  allowFailure?: boolean
  allowExitCodes?: number[]
  automapSubstitutions?: boolean
}

interface BuildOptions {
  env?: string[]
  secretEnv?: string[]
  volumes?: { name?: string; path?: string }[]
  substitutionOption?: string
  dynamicSubstitutions?: boolean
  automapSubstitutions?: boolean
  logging?: string
  machineType?: string
  [other: string]: unknown
}

/** What `cloudbuild.yaml` may hold, in camelCase. Durations are text; `validateBuild` has checked them. */
export interface BuildConfig {
  steps: StepConfig[]
  timeout?: string
  queueTtl?: string
  images?: string[]
  tags?: string[]
  logsBucket?: string
  substitutions?: Record<string, string>
  options?: BuildOptions
  serviceAccount?: string
  artifacts?: { images?: string[]; objects?: { location?: string; paths?: string[] }; [other: string]: unknown }
  availableSecrets?: Record<string, unknown>
  secrets?: Record<string, unknown>[]
}

/** Where the files of a build come from; at most one of the two. */
export interface BuildSource {
  storageSource?: { bucket: string; object: string; generation?: string }
  repoSource?: RepoSource
}

export interface RepoSource {
  projectId?: string
  repoName?: string
  branchName?: string
  tagName?: string
  commitSha?: string
  dir?: string
  substitutions?: Record<string, string>
}

interface TimeSpan {
  startTime: string
  endTime?: string
}

export interface Step extends StepConfig {
  status: BuildStatus
  timing?: TimeSpan
  exitCode?: number
}

export interface Build extends Omit<BuildConfig, 'steps'> {
  readonly id: string
  readonly projectId: string
  readonly location: string
  steps: Step[]
  status: BuildStatus
  statusDetail?: string
  failureInfo?: { type: string; detail: string }
  source?: BuildSource
  sourceProvenance?: { resolvedRepoSource?: RepoSource; resolvedStorageSource?: BuildSource['storageSource'] }
  substitutions: Record<string, string>
  createTime: string
  startTime?: string
  finishTime?: string
  timing?: Record<string, TimeSpan>
  results?: { images?: { name: string; digest: string }[]; buildStepOutputs?: string[]; numArtifacts?: string }
  buildTriggerId?: string
  /** The trigger's name, for people; the resource itself only has its id. */
  triggerName?: string
  /** The subject of the principal that asked for it. */
  readonly createdBy: string
}

export interface BuildListing {
  readonly projectId?: string
  readonly statuses?: readonly BuildStatus[]
  /** Only builds older than this one, in the order of the list. */
  readonly after?: string
  readonly limit: number
}

export interface BuildStore {
  find(id: string): Promise<Build | null>
  /** Newest first. */
  list(listing: BuildListing): Promise<Build[]>
  create(build: Build): Promise<void>
  update(build: Build): Promise<void>
}

/** Changes the status of a build or a step in place; a move that the table does not allow is a bug and throws. */
export function moveTo(thing: { status: BuildStatus; id?: string }, next: BuildStatus): void {
  if (thing.status === next) return
  if (!BUILD_MOVES[thing.status].includes(next)) throw new AppError('internal', `"${thing.id}" cannot go from ${thing.status} to ${next}.`)
  thing.status = next
}

/** The name by which logs and pages call a step: `Step #0 - "test"`, or `Step #0` when it has no id. */
export const stepName = (step: StepConfig, index: number): string => (step.id ? `Step #${index} - "${step.id}"` : `Step #${index}`)

/** The branch, commit and repository that a build is of, where it is of one. */
export function revisionOf({ substitutions: s, source, sourceProvenance }: Build): {
  repository: string | null
  branch: string | null
  commitSha: string | null
} {
  const resolved = sourceProvenance?.resolvedRepoSource
  return {
    repository: s.REPO_NAME || resolved?.repoName || source?.repoSource?.repoName || null,
    branch: s.BRANCH_NAME || source?.repoSource?.branchName || null,
    commitSha: s.COMMIT_SHA || resolved?.commitSha || null,
  }
}
