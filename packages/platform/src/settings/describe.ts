/** All settings as data: for `daggerboard config`, `GET /api/v2/config` and the reference. */
import { relative } from 'node:path'
import { longVariable, ROOT, SETTINGS, type Setting, type SettingName } from './known-settings.ts'
import { readSettings, type Settings } from './read-settings.ts'

export interface DescribedSetting {
  /** Its property of `Settings`. */
  readonly name: SettingName
  readonly section: string
  readonly key: string
  /** As text; lengths of time in seconds; `***` for a secret that is set. */
  readonly value: string
  readonly default: string
  readonly meaning: string
  /** What values it may have. */
  readonly form: string
  readonly source: 'default' | 'environment' | 'file'
  /** The variable, or `FILE:LINE`. Null for a default. */
  readonly from: string | null
  readonly isSecret: boolean
  /** `DAGGERBOARD__SECTION__KEY`. */
  readonly variable: string
  readonly shortVariable: string | null
  /** Other places of the same setting, as `section.key`. */
  readonly aliases: readonly string[]
}

/** In the order of the reference. Without `settings`, as they are by default. */
export function describeSettings(settings: Settings = readSettings({}, { directory: ROOT, config: null })): DescribedSetting[] {
  return (Object.entries(SETTINGS) as [SettingName, Setting][]).map(([name, setting]) => {
    const { section, key, meaning, isSecret = false, variable: shortVariable = null, alias: aliases = [] } = setting
    const from = settings.origin.from[name] ?? null
    const text = textOf(settings[name])
    return {
      name,
      section,
      key,
      value: isSecret && text !== '' ? '***' : text,
      default: setting.default.startsWith(ROOT) ? relative(ROOT, setting.default) : setting.default,
      meaning,
      form: setting.kind.form,
      source: from === null ? 'default' : from.startsWith('DAGGERBOARD_') ? 'environment' : 'file',
      from,
      isSecret,
      variable: longVariable(section, key),
      shortVariable,
      aliases,
    }
  })
}

const textOf = (value: Settings[SettingName]): string => (Array.isArray(value) ? value.join(',') : value === null ? '' : String(value))
