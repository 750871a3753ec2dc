/** Updates of assets in a turn: events are recorded, and DAGs that wait for them get their runs in the same commit. */
import type { AssetDocument } from '@daggerboard/dag'
import type { AssetEvent, AssetStore, QueuedAssetEvent } from './asset.ts'
import { type AssetSubscription, assetRun, assetsNamed, queueEvent, subscriptionOf, updatesOf } from './asset-condition.ts'
import type { Board } from './board.ts'
import type { DagRecord } from './dag.ts'
import type { DagRunStore } from './dag-run.ts'
import { type Fault, faultOf } from './fault.ts'
import { newRun } from './new-run.ts'
import type { Turn } from './turn.ts'

export class AssetUpdates {
  readonly #store: AssetStore
  #lastEventId = 0
  #aliases = new Map<string, Set<string>>()
  #subscriptions: readonly AssetSubscription[] = []
  /** DAGs that could get no run when their assets were updated. */
  readonly #owed = new Set<string>()

  constructor(store: AssetStore) {
    this.#store = store
  }

  /** Reads how far the store has come. */
  async load(): Promise<void> {
    this.#lastEventId = await this.#store.lastEventId()
    this.#aliases = new Map([...(await this.#store.aliasMembers())].map(([alias, names]) => [alias, new Set(names)]))
  }

  /** The DAGs name other assets now, or wait for others. Of one whose assets cannot be told nothing is known. */
  async follow(board: Board, now: Date, onFault: (fault: Fault) => void): Promise<void> {
    const canBeTold = ({ dagId, document }: DagRecord) => {
      try {
        subscriptionOf(document)
        assetsNamed([document])
        return true
      } catch (error) {
        onFault(faultOf({ kind: 'document', dagId }, error))
        return false
      }
    }
    const records = [...board.dags.values()].map(({ record }) => record).filter((record) => !record.isStale && canBeTold(record))
    this.#subscriptions = records
      .filter(({ isPaused, hasImportErrors }) => !isPaused && !hasImportErrors)
      .flatMap(({ document }) => subscriptionOf(document) ?? [])
    await this.#store.sync(assetsNamed(records.map(({ document }) => document)), now.toISOString())
  }

  /** What the successes of this turn have updated. */
  async recordUpdates(turn: Turn, runs: DagRunStore): Promise<void> {
    if (turn.updates.length === 0 && this.#owed.size === 0) return
    for (const { instance, by, result } of turn.updates.splice(0)) {
      const outlets = turn.board.dags.get(instance.dagId)?.plan.tasks.get(instance.taskId)?.document.outlets ?? []
      const updates = updatesOf(outlets, result.assetEvents)
      const named = new Map<string, AssetDocument>()
      for (const { name } of updates) named.set(name, { name, uri: name, group: 'asset', extra: {} })
      for (const outlet of outlets) if ('asset' in outlet) named.set(outlet.asset.name, outlet.asset)
      const assets = await this.#store.ensure(
        updates.map(({ name }) => named.get(name) as AssetDocument),
        turn.now.toISOString(),
      )
      const { dagId, runId, taskId, mapIndex } = instance
      for (const [i, { extra, aliases }] of updates.entries()) {
        const asset = assets[i]
        if (asset) this.#record(turn, { asset, extra, aliases, createdBy: by, source: { dagId, runId, taskId, mapIndex } })
      }
    }
    await this.createRuns(turn, runs)
  }

  /** An update that comes from outside. */
  async recordEvent(
    turn: Turn,
    update: { asset: AssetDocument & { id: number }; extra: AssetEvent['extra']; createdBy: string },
    runs: DagRunStore,
  ): Promise<AssetEvent> {
    const event = this.#record(turn, { ...update, aliases: [], source: null })
    await this.createRuns(turn, runs)
    return event
  }

  /** Many updates make one run. */
  async createRuns(turn: Turn, runs: DagRunStore): Promise<void> {
    const { quarantine } = turn.board
    const updated = new Set(turn.assetsQueued.map(({ dagId }) => dagId))
    for (const dagId of updated) if (quarantine.holdsSchedule(dagId)) this.#owed.add(dagId)
    const waiting = [...new Set([...updated, ...this.#owed])].filter((dagId) => !quarantine.holdsSchedule(dagId))
    if (waiting.length === 0) return
    const names = new Map((await this.#store.list()).map(({ id, name }) => [id, name]))
    for (const dagId of waiting) {
      try {
        await this.#createRun(turn, dagId, names, runs)
      } catch (error) {
        this.#owed.add(dagId)
        throw faultOf({ kind: 'schedule', dagId }, error)
      }
    }
    // They are owed one for as long as the turn is not kept.
    turn.onKept.push(() => {
      for (const dagId of waiting) this.#owed.delete(dagId)
    })
  }

  async #createRun(turn: Turn, dagId: string, names: ReadonlyMap<number, string>, runs: DagRunStore): Promise<void> {
    const dag = turn.board.dags.get(dagId)
    const subscription = this.#subscriptions.find((one) => one.dagId === dagId)
    if (!dag || !subscription) return
    const own = turn.assetsQueued.filter((event) => event.dagId === dagId)
    const consumed = turn.assetsConsumed.filter((one) => one.dagId === dagId).flatMap(({ events }) => events)
    const isConsumed = ({ eventId }: QueuedAssetEvent) => consumed.some((event) => event.eventId === eventId)
    const queued = [...(await this.#store.queued({ dagId })), ...own].filter((event) => !isConsumed(event))
    const made = assetRun(subscription, queued, names, this.#aliases, turn.now)
    if (!made) return
    const { run } = await newRun(turn, dag, made.run, runs)
    turn.assetsConsumed.push({ dagId, runId: run.runId, events: made.consumed })
  }

  #record(
    turn: Turn,
    { asset, ...update }: Pick<AssetEvent, 'extra' | 'aliases' | 'createdBy' | 'source'> & { asset: AssetDocument & { id: number } },
  ): AssetEvent {
    const { id: assetId, name, uri, group } = asset
    const event = { id: ++this.#lastEventId, assetId, name, uri, group, at: turn.now.toISOString(), ...update }
    for (const alias of event.aliases) this.#aliases.set(alias, (this.#aliases.get(alias) ?? new Set()).add(name))
    turn.moves += 1
    turn.assetEvents.push(event)
    turn.assetsQueued.push(...queueEvent(event, this.#subscriptions, this.#aliases))
    return event
  }
}
