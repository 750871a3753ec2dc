/** What others ask of the builds room: create a build, run a trigger, look, cancel, try again. */
import { AppError, didYouMean, publicMessage } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/id.ts'
import { type Build, type BuildConfig, type BuildListing, type BuildSource, type BuildStore, isFinished, type RepoSource } from './build.ts'
import type { BuildRunner } from './build-runner.ts'
import { type Locate, locateInRequest, parseBuildFile, readBuildRequest } from './config.ts'
import { MAX_NESTING } from './limits.ts'
import { type Revision, resolveRevision, type SourceRepositories } from './source-repository.ts'
import { applySubstitutions } from './substitution.ts'
import { DEFAULT_FILE, type Trigger, type TriggerStore } from './trigger.ts'

export interface BuildsOptions {
  readonly store: BuildStore
  readonly triggers: TriggerStore
  readonly runner: BuildRunner
  readonly repositories: SourceRepositories
  readonly clock: Clock
  /** What `$PROJECT_NUMBER` becomes; there is none outside of Google. */
  readonly projectNumber?: string
}

/** Where a build belongs, and the subject of who asks for it. */
export interface Asker {
  readonly projectId: string
  readonly location: string
  readonly by: string
}

export class Builds {
  #options: BuildsOptions

  constructor(options: BuildsOptions) {
    this.#options = options
  }

  /** Starts a build from a Build resource as clients send it. Throws `invalid` with every problem. */
  async create(body: unknown, asker: Asker): Promise<Build> {
    const { config, source } = readBuildRequest(body)
    return this.#submit(await this.#assemble(config, source, asker))
  }

  async find(projectId: string, id: string): Promise<Build> {
    const build = this.#options.runner.running(id) ?? (await this.#options.store.find(id))
    if (!build || build.projectId !== projectId) throw new AppError('not_found', `There is no build "${id}" in project "${projectId}".`)
    return build
  }

  list(listing: BuildListing): Promise<Build[]> {
    return this.#options.store.list(listing)
  }

  /** Throws `conflict` when the build is over already. */
  async cancel(projectId: string, id: string): Promise<Build> {
    const build = await this.find(projectId, id)
    if (isFinished(build.status)) throw new AppError('conflict', `Build "${id}" cannot be cancelled: it is over (${build.status}).`)
    await this.#options.runner.cancel(id)
    await this.#options.runner.finished(id, AbortSignal.timeout(15_000))
    return this.find(projectId, id)
  }

  /** A new build of the same steps and source. */
  async retry(id: string, asker: Asker): Promise<Build> {
    const earlier = await this.find(asker.projectId, id)
    if (earlier.steps.length === 0)
      throw new AppError(
        'invalid',
        `Build "${id}" cannot be repeated: ${earlier.statusDetail ?? 'it has no steps.'} Push a mended file instead.`,
      )
    const newBuild = this.#blank(asker)
    const { status, statusDetail, failureInfo, startTime, finishTime, timing, results, steps, ...same } = structuredClone(earlier)
    return this.#submit({
      ...same,
      ...newBuild,
      substitutions: { ...same.substitutions, BUILD_ID: newBuild.id },
      steps: steps.map(({ timing, exitCode, status, ...step }) => ({ ...step, status: 'QUEUED' as const })),
    })
  }

  /** Starts the trigger's build of `source`, or of the branch that it watches. */
  async runTrigger(idOrName: string, source: RepoSource, asker: Asker): Promise<Build> {
    const { triggers, repositories } = this.#options
    const trigger = await triggers.find(asker.projectId, idOrName)
    if (!trigger) {
      const names = (await triggers.list(asker.projectId)).map(({ name }) => name)
      throw new AppError('not_found', `There is no trigger "${idOrName}" in project "${asker.projectId}".${didYouMean(idOrName, names)}`)
    }
    if (trigger.disabled) throw new AppError('conflict', `Trigger "${trigger.name}" is disabled. Enable it first.`)
    const { branchName, tagName, repoName } = trigger.triggerTemplate
    const asked = source.branchName || source.tagName || source.commitSha ? source : { branchName, tagName }
    const revision = await resolveRevision(repositories, { ...asked, repoName: source.repoName || repoName })
    return this.#submit(await this.#assembleTriggered(trigger, revision, source.substitutions ?? {}, asker))
  }

  /** Starts the trigger's build of a push. A build whose file is missing or wrong is kept as a failed one that says why. */
  async runForPush(trigger: Trigger, revision: Revision, by: string): Promise<Build> {
    const asker: Asker = { projectId: trigger.projectId, location: 'global', by }
    try {
      return await this.#submit(await this.#assembleTriggered(trigger, revision, {}, asker))
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal') throw error
      const detail = publicMessage(error)
      return this.#submit({
        ...this.#blank(asker),
        ...this.#ofTrigger(trigger, revision),
        status: 'FAILURE',
        statusDetail: detail,
        failureInfo: { type: 'FAILURE_TYPE_UNSPECIFIED', detail },
        finishTime: this.#options.clock.now().toISOString(),
        steps: [],
        substitutions: builtInsOf(revision),
      })
    }
  }

  async #assembleTriggered(trigger: Trigger, revision: Revision, given: Record<string, string>, asker: Asker): Promise<Build> {
    const { config, locate } = await this.#configOf(trigger, revision)
    const merged = { ...config, substitutions: { ...config.substitutions, ...trigger.substitutions, ...given } }
    const fileOfTrigger = trigger.filename ?? DEFAULT_FILE
    const build = await this.#assemble(merged, { repoSource: sourceOf(revision) }, asker, {
      locate,
      triggered: {
        ...builtInsOf(revision),
        TRIGGER_NAME: trigger.name,
        TRIGGER_BUILD_CONFIG_PATH: trigger.build ? '' : fileOfTrigger,
        REPO_FULL_NAME: revision.repository,
        REF_NAME: revision.branch ?? revision.tag ?? '',
      },
    })
    return { ...build, ...this.#ofTrigger(trigger, revision, build.tags) }
  }

  async #configOf(trigger: Trigger, { repository, commitSha }: Revision): Promise<{ config: BuildConfig; locate: Locate }> {
    if (trigger.build) return { config: trigger.build, locate: locateInRequest }
    const file = trigger.filename ?? DEFAULT_FILE
    const text = await this.#options.repositories.readFile(repository, commitSha, file)
    if (text === null)
      throw new AppError(
        'invalid',
        `Trigger "${trigger.name}" cannot start: commit ${commitSha.slice(0, 7)} of "${repository}" has no file "${file}". Add it, or change the trigger.`,
      )
    return parseBuildFile(text, file)
  }

  #ofTrigger = (trigger: Trigger, revision: Revision, tags: readonly string[] = []) => ({
    buildTriggerId: trigger.id,
    triggerName: trigger.name,
    source: { repoSource: sourceOf(revision) },
    tags: [...tags, ...(trigger.tags ?? []), `trigger-${trigger.id}`],
  })

  async #assemble(
    config: BuildConfig,
    source: BuildSource | undefined,
    asker: Asker,
    { locate = locateInRequest, triggered }: { locate?: Locate; triggered?: Record<string, string> } = {},
  ): Promise<Build> {
    await this.#refuseDeepNesting(asker.by)
    const blank = this.#blank(asker)
    const revision = source?.repoSource && !triggered ? await resolveRevision(this.#options.repositories, source.repoSource) : null
    const applied = applySubstitutions(config, {
      locate,
      triggered: triggered !== undefined,
      builtIns: {
        PROJECT_ID: asker.projectId,
        PROJECT_NUMBER: this.#options.projectNumber ?? '0',
        BUILD_ID: blank.id,
        LOCATION: asker.location,
        ...(revision ? builtInsOf(revision) : {}),
        ...triggered,
      },
    })
    const repoSource = revision ? { ...source?.repoSource, ...sourceOf(revision) } : source?.repoSource
    return {
      ...applied.config,
      ...blank,
      ...(source ? { source: repoSource ? { repoSource } : source } : {}),
      logsBucket: applied.config.logsBucket ?? `gs://${asker.projectId}_cloudbuild`,
      substitutions: applied.values,
      steps: applied.config.steps.map((step) => ({ ...step, status: 'QUEUED' })),
    }
  }

  #blank({ projectId, location, by }: Asker) {
    return {
      id: newId(),
      projectId,
      location,
      status: 'QUEUED' as const,
      createTime: this.#options.clock.now().toISOString(),
      createdBy: by,
    }
  }

  async #submit(build: Build): Promise<Build> {
    await this.#options.runner.submit(build)
    return build
  }

  /** Builds that build themselves would fill the machine: nested ones do not wait for a place in the queue. */
  async #refuseDeepNesting(by: string): Promise<void> {
    let subject = by
    for (let depth = 0; subject.startsWith('build:'); depth++) {
      if (depth >= MAX_NESTING)
        throw new AppError(
          'conflict',
          `This build would be nested ${depth} deep in other builds; at most ${MAX_NESTING} are allowed. Does it start itself?`,
        )
      subject = (await this.#options.store.find(subject.slice('build:'.length)))?.createdBy ?? ''
    }
  }
}

const sourceOf = ({ repository, commitSha, branch, tag }: Revision): RepoSource => ({
  repoName: repository,
  commitSha,
  ...(branch ? { branchName: branch } : {}),
  ...(tag ? { tagName: tag } : {}),
})

const builtInsOf = ({ repository, commitSha, branch, tag }: Revision): Record<string, string> => ({
  REPO_NAME: repository,
  COMMIT_SHA: commitSha,
  REVISION_ID: commitSha,
  SHORT_SHA: commitSha.slice(0, 7),
  BRANCH_NAME: branch ?? '',
  TAG_NAME: tag ?? '',
})
