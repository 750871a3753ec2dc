/** Assets: what tasks make and DAGs wait for. */
import type { AssetDocument } from '@daggerboard/dag'
import type { Page, Sort, TextFilter } from '../core/list-query.ts'

export interface Asset extends AssetDocument {
  readonly id: number
  readonly createdAt: string
  readonly updatedAt: string
  /** No DAG names it any more. */
  readonly isActive: boolean
}

/** An asset was updated. */
export interface AssetEvent {
  readonly id: number
  readonly assetId: number
  readonly name: string
  readonly uri: string
  readonly group: string
  readonly extra: Readonly<Record<string, unknown>>
  readonly at: string
  /** The instance that did it; null for an event from outside. */
  readonly source: { readonly dagId: string; readonly runId: string; readonly taskId: string; readonly mapIndex: number } | null
  readonly createdBy: string
  /** Names of the aliases through which it came. */
  readonly aliases: readonly string[]
}

/** An event that a DAG has not yet had a run for. */
export interface QueuedAssetEvent {
  readonly dagId: string
  readonly assetId: number
  readonly eventId: number
  readonly at: string
}

/** By name where nothing else decides. */
export interface AssetPage extends Page {
  readonly namePattern?: TextFilter | undefined
  readonly uriPattern?: TextFilter | undefined
  /** Only those of these names. */
  readonly names?: readonly string[] | undefined
  readonly onlyActive: boolean
  readonly sort: readonly Sort<'id' | 'name' | 'uri' | 'createdAt' | 'updatedAt'>[]
}

export interface AssetStore {
  find(id: number): Promise<Asset | null>
  findByName(name: string): Promise<Asset | null>
  list(): Promise<Asset[]>
  page(query: AssetPage): Promise<{ assets: Asset[]; total: number }>
  /** What the DAG files name now: new ones are made, those that nobody names become inactive. */
  sync(named: readonly AssetDocument[], at: string): Promise<void>
  /** The assets of these names; those that are not there are made. */
  ensure(assets: readonly AssetDocument[], at: string): Promise<Asset[]>
  /** Names of the assets that were ever updated through each alias. */
  aliasMembers(): Promise<ReadonlyMap<string, ReadonlySet<string>>>
  /** The number of the last event; 0 before the first one. Whoever records events counts up from there. */
  lastEventId(): Promise<number>
  events(query: {
    readonly assetId?: number
    readonly dagId?: string
    readonly runId?: string
    readonly taskId?: string
    readonly mapIndex?: number
    readonly after?: string
    readonly before?: string
    readonly limit: number
    readonly offset: number
    readonly descending: boolean
  }): Promise<{ events: AssetEvent[]; total: number }>
  /** Those that a run was made of. */
  eventsOfRun(dagId: string, runId: string): Promise<AssetEvent[]>
  /** The runs that were made of each of these events. */
  runsOfEvents(eventIds: readonly number[]): Promise<{ readonly eventId: number; readonly dagId: string; readonly runId: string }[]>
  queued(query: { readonly dagId?: string; readonly assetId?: number; readonly before?: string }): Promise<QueuedAssetEvent[]>
  /** Answers how many there were. */
  deleteQueued(query: { readonly dagId?: string; readonly assetId?: number; readonly before?: string }): Promise<number>
  /** Forgets what waits for a DAG and what its runs were made of. */
  deleteOfDag(dagId: string): Promise<void>
}
