/** Which DAGs run because assets were updated: conditions, events that wait for a run, and the run made of them. Pure. */
import { randomBytes } from 'node:crypto'
import type { AssetCondition, AssetDocument, AssetReference, DagDocument, ScheduleDocument } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import type { AssetEvent, QueuedAssetEvent } from './asset.ts'
import { type DagRun, isoOffset } from './dag-run.ts'

/** A DAG that waits for assets, to be kept in mind from the reading of its document on. */
export interface AssetSubscription {
  readonly dagId: string
  readonly condition: AssetCondition
}

/** What a DAG waits for; null when its schedule has no assets. */
export function subscriptionOf({ dagId, schedule }: { dagId: string; schedule: ScheduleDocument }): AssetSubscription | null {
  return schedule.kind === 'assets' || schedule.kind === 'assetsOrTime' ? { dagId, condition: schedule.condition } : null
}

/** What stands behind aliases: names of assets that were updated through each of them. */
export type AliasMembers = ReadonlyMap<string, ReadonlySet<string>>

/** Whether each asset that `condition` needs is among `updated` (names). An alias is one of its assets, whichever. */
export function isMet(condition: AssetCondition, updated: ReadonlySet<string>, aliases: AliasMembers): boolean {
  if ('asset' in condition) return updated.has(condition.asset.name)
  if ('alias' in condition) return [...(aliases.get(condition.alias) ?? [])].some((name) => updated.has(name))
  return 'all' in condition
    ? condition.all.every((one) => isMet(one, updated, aliases))
    : condition.any.some((one) => isMet(one, updated, aliases))
}

/** All that a condition names. */
function referencesOf(condition: AssetCondition): AssetReference[] {
  if ('asset' in condition || 'alias' in condition) return [condition]
  return ('all' in condition ? condition.all : condition.any).flatMap(referencesOf)
}

/** The events that wait for a run of each DAG that waits for their asset. `subscriptions` leave out DAGs that are paused or stale. */
export function queueEvent(event: AssetEvent, subscriptions: Iterable<AssetSubscription>, aliases: AliasMembers): QueuedAssetEvent[] {
  const isMeant = (reference: AssetReference) =>
    'asset' in reference
      ? reference.asset.name === event.name
      : event.aliases.includes(reference.alias) || (aliases.get(reference.alias)?.has(event.name) ?? false)
  return [...subscriptions]
    .filter(({ condition }) => referencesOf(condition).some(isMeant))
    .map(({ dagId }) => ({ dagId, assetId: event.assetId, eventId: event.id, at: event.at }))
}

/**
 * The run that the waiting events of a DAG make, which are then all consumed by it; null as long as something is missing.
 * `names` has the name of each asset by id.
 */
export function assetRun(
  { dagId, condition }: AssetSubscription,
  queued: readonly QueuedAssetEvent[],
  names: ReadonlyMap<number, string>,
  aliases: AliasMembers,
  now: Date,
): { run: DagRun; consumed: readonly QueuedAssetEvent[] } | null {
  const own = queued.filter((event) => event.dagId === dagId)
  const updated = new Set(own.flatMap(({ assetId }) => names.get(assetId) ?? []))
  if (own.length === 0 || !isMet(condition, updated, aliases)) return null
  const times = own.map(({ at }) => at).sort()
  const first = times[0] as string
  const last = times.at(-1) as string
  return {
    consumed: own,
    run: {
      dagId,
      runId: `asset_triggered__${isoOffset(new Date(last))}_${randomBytes(4).toString('hex')}`,
      runType: 'asset_triggered',
      state: 'queued',
      logicalDate: null,
      dataIntervalStart: first,
      dataIntervalEnd: last,
      runAfter: last,
      queuedAt: now.toISOString(),
      startedAt: null,
      endedAt: null,
      conf: {},
      note: null,
      createdBy: 'system',
      triggeredBy: 'asset',
      clearNumber: 0,
      backfill: null,
      deadlines: [],
      decidedAt: null,
      revision: 0,
    },
  }
}

/** Every asset that some DAG waits for, reads or updates. The same name twice: the first one that brings more than its name counts. */
export function assetsNamed(documents: Iterable<DagDocument>): AssetDocument[] {
  const found = new Map<string, AssetDocument>()
  for (const { dagId, schedule, tasks } of documents) {
    const subscription = subscriptionOf({ dagId, schedule })
    const references = [
      ...(subscription ? referencesOf(subscription.condition) : []),
      ...tasks.flatMap((task) => [...task.inlets, ...task.outlets]),
    ]
    for (const reference of references) {
      if (!('asset' in reference)) continue
      const { asset } = reference
      const known = found.get(asset.name)
      if (!known || (isBare(known) && !isBare(asset))) found.set(asset.name, asset)
    }
  }
  return [...found.values()]
}

/** The updates of a success: each asset among `outlets`, and those that the task has named for its aliases. */
export function updatesOf(
  outlets: readonly AssetReference[],
  reported: readonly { readonly name: string; readonly alias?: string; readonly extra: Readonly<Record<string, unknown>> }[] = [],
): { name: string; extra: Readonly<Record<string, unknown>>; aliases: string[] }[] {
  const updates = new Map<string, { name: string; extra: Readonly<Record<string, unknown>>; aliases: string[] }>()
  const update = (name: string, extra: Readonly<Record<string, unknown>>, alias?: string) => {
    const known = updates.get(name)
    const aliases = [...(known?.aliases ?? []), ...(alias === undefined ? [] : [alias])]
    updates.set(name, { name, extra: { ...known?.extra, ...extra }, aliases })
  }
  const aliases = new Set(outlets.flatMap((outlet) => ('alias' in outlet ? [outlet.alias] : [])))
  for (const outlet of outlets) if ('asset' in outlet) update(outlet.asset.name, {})
  for (const { name, alias, extra } of reported) {
    if (alias === undefined ? updates.has(name) : aliases.has(alias)) update(name, extra, alias)
  }
  return [...updates.values()]
}

const NAME = /^(?!\s)[\x20-\x7e]{1,1500}(?<!\s)$/

const URI = /^[\x21-\x7e]{1,1500}$/

/** Throws `invalid` with everything that is wrong with the name and the address of an asset. */
export function checkAsset({ name, uri, group }: Pick<AssetDocument, 'name' | 'uri' | 'group'>): void {
  const problems: string[] = []
  if (!NAME.test(name)) problems.push('Its name must have 1 to 1500 plain characters and neither begin nor end with a space.')
  if (!URI.test(uri)) problems.push('Its uri must have 1 to 1500 plain characters without spaces.')
  if (/^airflow:/i.test(uri)) problems.push('Its uri begins with "airflow:", which is kept for the platform.')
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]*:[^/]*@/i.test(uri)) problems.push('Its uri has a password: put that into a connection.')
  if (group.length > 1500) problems.push('Its group is longer than 1500 characters.')
  if (problems.length > 0) throw new AppError('invalid', `The asset "${name}" cannot be used.`, { problems })
}

const isBare = ({ name, uri, extra }: AssetDocument): boolean => name === uri && Object.keys(extra).length === 0
