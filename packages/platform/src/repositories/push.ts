/** Finds out what a push has changed, by holding the references against those seen last, and tells everybody once. */
import type { Events } from '../core/events.ts'
import type { Service } from '../core/service.ts'
import type { Refs, RepositoryStore, Seed } from './repository.ts'

export interface SeenRefsStore {
  /** Empty for a repository that was never seen. */
  find(repository: string): Promise<Refs>
  save(repository: string, refs: Refs): Promise<void>
}

export interface PushesOptions {
  readonly repositories: RepositoryStore
  readonly seen: SeenRefsStore
  readonly events: Events
}

/** What git uses for "no commit": a branch that is new, or gone. */
export const NO_COMMIT = '0'.repeat(40)

export class Pushes implements Service {
  #options: PushesOptions
  #turns = new Map<string, Promise<void>>()

  constructor(options: PushesOptions) {
    this.#options = options
  }

  /** Tells of pushes that were received but not told when the platform died. Start it when its listeners listen. */
  async start(): Promise<void> {
    for (const { name } of await this.#options.repositories.list()) await this.announce(name, 'system')
  }

  async stop(): Promise<void> {
    await Promise.all(this.#turns.values())
  }

  /** Emits `repository.pushed` for every reference that is not where it was. Turns of one repository never overlap. */
  announce(repository: string, by: string): Promise<void> {
    const turn = (this.#turns.get(repository) ?? Promise.resolve()).catch(() => {}).then(() => this.#compare(repository, by))
    this.#turns.set(repository, turn)
    return turn
  }

  /** Creates a repository from a folder, unless there is one of that name. Its first commit counts as known: it starts nothing. */
  async seedRepository(seed: Seed): Promise<boolean> {
    const { repositories, seen } = this.#options
    if (!(await repositories.seed(seed))) return false
    await seen.save(seed.name, (await repositories.refs(seed.name)) ?? new Map())
    return true
  }

  async #compare(repository: string, by: string): Promise<void> {
    const { repositories, seen, events } = this.#options
    const now = (await repositories.refs(repository)) ?? new Map<string, string>()
    const before = await seen.find(repository)
    for (const ref of new Set([...before.keys(), ...now.keys()])) {
      const [from, to] = [before.get(ref) ?? NO_COMMIT, now.get(ref) ?? NO_COMMIT]
      if (from !== to) events.emit('repository.pushed', by, { repository, ref, before: from, after: to })
    }
    await seen.save(repository, now)
  }
}
