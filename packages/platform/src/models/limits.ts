/** What may be stored: names, keys and lengths, as MLflow's own server limits them. Each check answers the problems it finds, so that all are told at once. */
import { AppError } from '../core/app-error.ts'

export const MAX_PARAM_VALUE = 6000
export const MAX_RUN_TAG_VALUE = 8000
export const MAX_EXPERIMENT_TAG_VALUE = 20_000
export const MAX_REGISTRY_TAG_VALUE = 100_000
const MAX_KEY = 250
export const MAX_EXPERIMENT_NAME = 500
export const MAX_ALIAS = 255
export const MAX_METRICS_PER_BATCH = 1000
export const MAX_PARAMS_PER_BATCH = 100
export const MAX_TAGS_PER_BATCH = 100
export const MAX_ENTITIES_PER_BATCH = 1000
export const MAX_BATCH_BYTES = 1_000_000
export const MAX_DATASETS_PER_BATCH = 1000
export const MAX_DATASET_FIELD = { name: 500, digest: 36, sourceType: 500, source: 65_535, schema: 1_048_575, profile: 16_777_215 } as const

export interface Tag {
  readonly key: string
  readonly value: string
}

/** What a tag becomes: its new value, or null to take it away. */
export type TagChanges = Readonly<Record<string, string | null>>

/** A list of tags as changes; the last of a key counts. */
export const tagChanges = (tags: readonly Tag[]): TagChanges => Object.fromEntries(tags.map(({ key, value }) => [key, value]))

/** Throws `invalid` when there are problems, with all of them. */
export function refuse(what: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new AppError('invalid', `${what}:`, { problems })
}

/** Keys of metrics, params and tags become parts of paths in some stores, so they must be plain relative ones. */
export function keyProblems(kind: string, key: string): string[] {
  if (key === '') return [`The key of a ${kind} is empty.`]
  if (key.length > MAX_KEY) return [`The key "${excerpt(key)}" of a ${kind} has ${key.length} characters; ${MAX_KEY} are allowed.`]
  if (!/^[/\w.\- :]*$/.test(key))
    return [`The key "${key}" of a ${kind} may hold only letters, digits, underscores, dashes, periods, spaces, colons and slashes.`]
  if (key.startsWith('/') || key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return [`The key "${key}" of a ${kind} is not a plain relative path: leave out "..", "." and doubled, leading or closing slashes.`]
  return []
}

export const lengthProblems = (what: string, value: string, limit: number): string[] =>
  value.length > limit ? [`${what} has ${value.length} characters; ${limit} are allowed.`] : []

/** Problems of tags, whose values may have up to `limit` characters. */
export const tagProblems = (tags: readonly Tag[], limit: number): string[] =>
  tags.flatMap(({ key, value }) => [...keyProblems('tag', key), ...lengthProblems(`The value of the tag "${excerpt(key)}"`, value, limit)])

/** The page that a list may have: from 1 to `most` entries, `most` is the protocol's. */
export function checkedLimit(asked: number | undefined, standard: number, most: number): number {
  const limit = asked ?? standard
  if (!Number.isInteger(limit) || limit < 1 || limit > most)
    throw new AppError('invalid', `Invalid value ${limit} for max_results: give a whole number from 1 to ${most}.`)
  return limit
}

export const excerpt = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text)
