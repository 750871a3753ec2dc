/** Assets: what tasks make and DAGs wait for. */
import type { AssetCondition, AssetDocument, AssetReference } from './document.ts'

const CONDITION = Symbol.for('daggerboard.assetCondition')

/** Which assets must have been updated since the last run. `and` binds as it is written: `a.or(b).and(c)` is `(a or b) and c`. */
export interface Condition {
  readonly [CONDITION]: AssetCondition
  and(...others: readonly Condition[]): Condition
  or(...others: readonly Condition[]): Condition
}

/** Data that has a name and an address. Two with the same name are the same asset. */
export interface Asset extends Condition, AssetDocument {}

/** Stands for assets that are only known once the task that makes them has run. */
export interface AssetAlias extends Condition {
  readonly alias: string
}

const condition = (document: AssetCondition): Condition => ({
  [CONDITION]: document,
  and: (...others) => condition({ all: [document, ...others.map(conditionDocument)] }),
  or: (...others) => condition({ any: [document, ...others.map(conditionDocument)] }),
})

export const isCondition = (value: unknown): value is Condition => typeof value === 'object' && value !== null && CONDITION in value

export const conditionDocument = (given: Condition): AssetCondition => given[CONDITION]

/**
 * Names an asset: by a name, by an address such as `s3://bucket/key`, or by both. The one that is left out is taken from the other.
 *
 * @example
 * const rows = asset({ name: 'rows', uri: 'gs://shop/rows.csv' })
 * dag('report', { schedule: rows.and(asset('prices')) }, …)
 */
export function asset(
  given:
    | string
    | { readonly name?: string; readonly uri?: string; readonly group?: string; readonly extra?: Readonly<Record<string, unknown>> },
): Asset {
  const { name, uri, group = 'asset', extra = {} } = typeof given === 'string' ? { name: given } : given
  const document: AssetDocument = { name: name ?? uri ?? '', uri: uri ?? name ?? '', group, extra }
  return { ...condition({ asset: document }), ...document }
}

export const assetAlias = (alias: string): AssetAlias => ({ ...condition({ alias }), alias })

/** All of them. */
export const all = (...conditions: readonly Condition[]): Condition => condition({ all: conditions.map(conditionDocument) })

/** One of them is enough. */
export const any = (...conditions: readonly Condition[]): Condition => condition({ any: conditions.map(conditionDocument) })

/** `value` as the inlet or outlet of a task; null when it is none. */
export function referenceDocument(value: unknown): AssetReference | null {
  if (!isCondition(value)) return null
  const document = conditionDocument(value)
  return 'asset' in document || 'alias' in document ? document : null
}

/** The sentences about names that cannot be, in all of a condition. */
export function assetProblems(document: AssetCondition): string[] {
  if ('all' in document) return emptyProblem(document.all, 'all').concat(document.all.flatMap(assetProblems))
  if ('any' in document) return emptyProblem(document.any, 'any').concat(document.any.flatMap(assetProblems))
  const noun = 'alias' in document ? 'asset alias' : 'asset'
  const names = 'alias' in document ? [document.alias] : [document.asset.name, document.asset.uri]
  return names.flatMap((name) => {
    if (typeof name !== 'string' || name.trim() === '' || name.length > 1500)
      return [`The ${noun} "${name}" must have a name of 1 to 1500 characters.`]
    if (!hasPassword(name)) return []
    return [`The address of an ${noun} has a password in it, which everybody would read. Leave it out: the connection has it.`]
  })
}

const hasPassword = (address: string): boolean => URL.canParse(address) && new URL(address).password !== ''

const emptyProblem = (parts: readonly AssetCondition[], word: string): string[] =>
  parts.length > 0 ? [] : [`${word}() of the schedule names no asset. Give it one.`]
