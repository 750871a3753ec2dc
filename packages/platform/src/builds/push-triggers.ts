/** Starts builds when somebody pushes: every trigger that watches the branch or tag, unless only files changed that do not concern it. */
import { messageOf } from '../core/app-error.ts'
import type { Events } from '../core/events.ts'
import type { Logger } from '../core/logger.ts'
import type { Service } from '../core/service.ts'
import type { Builds } from './builds.ts'
import type { Revision, SourceRepositories } from './source-repository.ts'
import { concerns, type TriggerStore, watches } from './trigger.ts'

export interface PushTriggersOptions {
  readonly builds: Builds
  readonly triggers: TriggerStore
  readonly repositories: SourceRepositories
  readonly events: Events
  readonly logger: Logger
  readonly projectId: string
}

interface Push {
  readonly repository: string
  readonly ref: string
  readonly before: string
  readonly after: string
}

export class PushTriggers implements Service {
  #options: PushTriggersOptions
  #unsubscribe: () => void = () => {}
  #open = new Set<Promise<void>>()

  constructor(options: PushTriggersOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { events, logger } = this.#options
    this.#unsubscribe = events.subscribe((event) => {
      if (event.type !== 'repository.pushed') return
      const work = this.handle(event.facts, event.by)
        .catch((error: unknown) => logger.error(`The push to ${event.facts.repository} started no build: ${messageOf(error)}`))
        .finally(() => this.#open.delete(work))
      this.#open.add(work)
    })
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    await Promise.all(this.#open)
  }

  async handle({ repository, ref, before, after }: Push, by: string): Promise<void> {
    const { builds, triggers, repositories, projectId } = this.#options
    if (/^0+$/.test(after)) return
    const matching = (await triggers.list(projectId)).filter((trigger) => watches(trigger, repository, ref))
    if (matching.length === 0) return
    const commitSha = (await repositories.findCommit(repository, after)) ?? after
    const changed = await repositories.changedFiles(repository, before, commitSha)
    const revision: Revision = {
      repository,
      commitSha,
      branch: ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null,
      tag: ref.startsWith('refs/tags/') ? ref.slice('refs/tags/'.length) : null,
    }
    for (const trigger of matching) if (concerns(trigger, changed)) await builds.runForPush(trigger, revision, by)
  }
}
