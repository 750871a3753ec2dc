/** Model versions as the registry answers them. */

/** `version` is a text in this protocol: "3". Times are milliseconds since 1970. */
export interface Version {
  readonly name: string
  readonly version: string
  /** None, Staging, Production or Archived. */
  readonly stage: string
  readonly runId: string
  readonly source: string
  readonly description: string
  readonly createdAt: number
  readonly tags: Readonly<Record<string, string>>
  readonly aliases: readonly string[]
}

export interface WireVersion {
  name: string
  version: string
  current_stage?: string
  run_id?: string
  source?: string
  description?: string
  creation_timestamp?: number | string
  tags?: { key: string; value: string }[]
  aliases?: string[]
}

export const versionOf = (wire: WireVersion): Version => ({
  name: wire.name,
  version: String(wire.version),
  stage: wire.current_stage ?? 'None',
  runId: wire.run_id ?? '',
  source: wire.source ?? '',
  description: wire.description ?? '',
  createdAt: Number(wire.creation_timestamp ?? 0),
  tags: Object.fromEntries((wire.tags ?? []).map(({ key, value }) => [key, value])),
  aliases: wire.aliases ?? [],
})

/** What a `models:/…` URI asks for. */
export type ModelReference =
  | { readonly name: string; readonly version: string }
  | { readonly name: string; readonly alias: string }
  /** `stage` null: the newest version of all. */
  | { readonly name: string; readonly stage: string | null }

/** Reads `models:/NAME/3`, `models:/NAME/Staging`, `models:/NAME/latest` and `models:/NAME@alias`; throws when it is none of them. */
export function parseModelUri(uri: string): ModelReference {
  const [, name, at, rest] = /^models:\/+([^/@]+)([@/])([^/@]+)$/.exec(uri) ?? []
  if (!name || !rest)
    throw new Error(`"${uri}" names no model. Write models:/NAME/STAGE, models:/NAME/VERSION, models:/NAME/latest or models:/NAME@ALIAS.`)
  if (at === '@') return { name, alias: rest }
  if (/^\d+$/.test(rest)) return { name, version: rest }
  return { name, stage: rest.toLowerCase() === 'latest' ? null : rest }
}
