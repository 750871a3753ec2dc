/** Follows the events, keeps the newest refreshes at hand and saved, and tells who listens which one has changed. */
import type { Clock } from '../core/clock.ts'
import type { DomainEvent, Events } from '../core/events.ts'
import type { Service } from '../core/service.ts'
import { fold } from './fold.ts'
import { hasEnded, type Refresh, type RefreshStore } from './refresh.ts'

const KEPT_REFRESHES = 200
const SAVE_EVERY_MS = 250

export interface RefreshLogOptions {
  readonly store: RefreshStore
  readonly events: Events
  readonly clock: Clock
  /** How many of the newest refreshes are kept; older ones are deleted. */
  readonly keep?: number
  readonly saveEveryMs?: number
  readonly onError?: (error: unknown) => void
}

/** What readers of refreshes need; the doors know no more. */
export interface RefreshReader {
  /** The newest first. */
  list(limit: number): readonly Refresh[]
  find(id: string): Refresh | undefined
  /** Answers the function that ends the subscription. */
  subscribe(listener: (refresh: Refresh) => void): () => void
}

/** A refresh that runs is saved at most every `saveEveryMs`; one that ends, at once. */
export class RefreshLog implements RefreshReader, Service {
  #options: Required<RefreshLogOptions>
  #refreshes: readonly Refresh[] = []
  #listeners = new Set<(refresh: Refresh) => void>()
  #unsaved = new Set<string>()
  #isSavePlanned = false
  #saving: Promise<void> = Promise.resolve()
  #unsubscribe: (() => void) | undefined
  #stopping = new AbortController()

  constructor(options: RefreshLogOptions) {
    this.#options = { keep: KEPT_REFRESHES, saveEveryMs: SAVE_EVERY_MS, onError: () => {}, ...options }
  }

  /** Reads what was saved, then follows the events. Start it before anything emits. */
  async start(): Promise<void> {
    this.#refreshes = await this.#options.store.list(this.#options.keep)
    this.#unsubscribe ??= this.#options.events.subscribe((event) => this.#follow(event))
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#stopping.abort()
    await this.#save()
  }

  list(limit: number): readonly Refresh[] {
    return this.#refreshes.slice(0, limit)
  }

  find(id: string): Refresh | undefined {
    return this.#refreshes.find((refresh) => refresh.id === id)
  }

  subscribe(listener: (refresh: Refresh) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #follow(event: DomainEvent): void {
    const before = new Set(this.#refreshes)
    this.#refreshes = fold(this.#refreshes, event)
    const changed = this.#refreshes.filter((refresh) => !before.has(refresh))
    for (const refresh of changed) this.#unsaved.add(refresh.id)
    for (const refresh of changed) for (const listener of this.#listeners) listener(refresh)
    if (changed.some(hasEnded)) void this.#save()
    else if (changed.length > 0) void this.#saveSoon()
  }

  async #saveSoon(): Promise<void> {
    if (this.#isSavePlanned) return
    this.#isSavePlanned = true
    await this.#options.clock.sleep(this.#options.saveEveryMs, this.#stopping.signal)
    this.#isSavePlanned = false
    await this.#save()
  }

  /** Saves run one after another, so that an older state never overwrites a newer one. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow()).catch((error) => this.#options.onError(error))
    return this.#saving
  }

  async #saveNow(): Promise<void> {
    const { store, keep } = this.#options
    for (const refresh of this.#refreshes.filter(({ id }) => this.#unsaved.has(id)).toReversed()) {
      this.#unsaved.delete(refresh.id)
      try {
        await store.save(refresh)
      } catch (error) {
        this.#unsaved.add(refresh.id)
        throw error
      }
    }
    for (const { id } of this.#refreshes.slice(keep)) {
      await store.delete(id)
      this.#refreshes = this.#refreshes.filter((refresh) => refresh.id !== id)
    }
  }
}
