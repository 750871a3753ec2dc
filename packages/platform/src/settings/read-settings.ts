/** Reads all settings: environment before `daggerboard.toml` before default. Everything that is wrong is said at once. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AppError, didYouMean, messageOf } from '../core/app-error.ts'
import { airflowAdvice } from './airflow-keys.ts'
import { environmentEntries, foreignWarnings, isSettingVariable, unknownVariables } from './environment.ts'
import { type Kind, Unfit } from './kind.ts'
import { SETTINGS, type Setting, type SettingName } from './known-settings.ts'
import { readToml, type TomlEntry, TomlError, tomlProblem } from './toml-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface SettingsOptions {
  /** The file to read, which then must be there; as `--config` and DAGGERBOARD_CONFIG say. Null: none. */
  readonly config?: string | null
  /** Where `daggerboard.toml` is looked for before the home folder, and what relative paths of the environment are relative to. Default: the working directory. */
  readonly directory?: string
}

type Values = { readonly [Name in SettingName]: (typeof SETTINGS)[Name]['kind'] extends Kind<infer Value> ? Value : never }

/** The value of each setting by its name in `SETTINGS`; lengths of time are seconds. */
export type Settings = Values & {
  readonly origin: {
    /** The `daggerboard.toml` that was read. */
    readonly file: string | null
    /** Where each setting comes from: the variable, or `FILE:LINE`; none for a default. */
    readonly from: Readonly<Partial<Record<SettingName, string>>>
    readonly warnings: readonly string[]
  }
}

export interface InspectedSettings {
  /** Where there are problems, the settings that have one are as by default. */
  readonly settings: Settings
  readonly problems: readonly string[]
}

/** Throws `invalid` with every problem: values that do not fit, unknown keys and unknown `DAGGERBOARD_…` names, a file that cannot be read. */
export function readSettings(environment: Environment, options: SettingsOptions = {}): Settings {
  const { settings, problems } = inspectSettings(environment, options)
  if (problems.length > 0) throw new AppError('invalid', 'The settings cannot be used.', { problems })
  return settings
}

/** One value as it was written somewhere. */
interface Given {
  readonly text: string
  readonly from: string
  readonly folder: string
}

/** Reads without throwing; for `config lint`. */
export function inspectSettings(environment: Environment, { config, directory = process.cwd() }: SettingsOptions = {}): InspectedSettings {
  const problems: string[] = []
  const warnings: string[] = foreignWarnings(environment)
  const fromEnvironment = environmentEntries(environment, directory, problems)
  const named = config ?? (environment.DAGGERBOARD_CONFIG || undefined)
  const file = config === null ? null : findFile(named, fromEnvironment.get('home'), directory, problems)
  const fromFile = file === null ? new Map<SettingName, Given>() : fileEntries(file, problems, warnings)
  problems.push(...unknownVariables(environment, warnings))

  const values: Partial<Record<SettingName, unknown>> = {}
  const from: Partial<Record<SettingName, string>> = {}
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = fromEnvironment.get(name) ?? fromFile.get(name)
    const fallback = setting.kind.read(setting.default, directory)
    const value = given ? setting.kind.read(given.text, given.folder) : fallback
    if (given) from[name] = given.from
    if (given && value instanceof Unfit) problems.push(unfit(setting, given, value))
    values[name] = value instanceof Unfit ? fallback : value
  }
  return { settings: { ...(values as Values), origin: { file, from, warnings } }, problems }
}

function unfit({ isSecret, section, key }: Setting, { text, from }: Given, { problem }: Unfit): string {
  const shown = isSecret ? '***' : text
  return isSettingVariable(from) ? `${from}=${shown}: ${problem}.` : `${from}: [${section}] ${key} = ${shown}: ${problem}.`
}

/** The file that was named, or that of the working directory, or that of the home folder. */
function findFile(config: string | undefined, home: Given | undefined, directory: string, problems: string[]): string | null {
  if (config !== undefined) {
    const file = resolve(directory, config)
    if (existsSync(file)) return file
    problems.push(`The settings file ${file} is not there. Create it, or take --config and DAGGERBOARD_CONFIG away.`)
    return null
  }
  const folders = [directory, resolve(directory, home?.text ?? SETTINGS.home.default)]
  const found = folders.map((folder) => join(folder, 'daggerboard.toml')).find((file) => existsSync(file)) ?? null
  if (found === null || !isForeign(found)) return found
  problems.push(
    `${found} belongs to another user, and says which code is run. If you trust it, name it with --config or DAGGERBOARD_CONFIG.`,
  )
  return null
}

/** Whether a file that nobody has named was put there by somebody else. The system's own user starts platforms in folders of others, as containers do. */
function isForeign(file: string): boolean {
  const self = process.geteuid?.() ?? 0
  return self !== 0 && ![self, 0].includes(statSync(file).uid)
}

/** A file with secrets is its owner's alone. */
function exposureWarnings(file: string, found: ReadonlyMap<SettingName, Given>): string[] {
  const secrets = [...found.keys()].map((name): Setting => SETTINGS[name]).filter(({ isSecret }) => isSecret)
  if (secrets.length === 0 || process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return []
  return [
    `${file} has ${secrets.map(({ section, key }) => `[${section}] ${key}`).join(' and ')}, and others can read it. Run: chmod 600 ${file}`,
  ]
}

function fileEntries(file: string, problems: string[], warnings: string[]): Map<SettingName, Given> {
  const found = new Map<SettingName, Given>()
  let entries: TomlEntry[] = []
  try {
    entries = readToml(readFileSync(file, 'utf8'))
  } catch (error) {
    problems.push(error instanceof TomlError ? `${file}:${error.line}: ${tomlProblem(error)}.` : `${file}: ${messageOf(error)}.`)
  }
  for (const { section, key, value, line } of entries) {
    const at = `${file}:${line}`
    const name = settingAt(section, key)
    if (name === null) {
      const advice = airflowAdvice(section, key)
      if (advice === null) problems.push(`${at}: ${unknownKey(section, key)}`)
      else warnings.push(`${at}: [${section}] ${key} is Airflow's and does nothing here. ${advice}`)
      continue
    }
    const text = textOf(value)
    const earlier = found.get(name)
    if (text === null) problems.push(`${at}: [${section}] ${key} must be text, a number, true or false, or a list of them.`)
    else if (earlier) problems.push(`${at}: [${section}] ${key} is given already at ${earlier.from}. Keep one of the two.`)
    else found.set(name, { text, from: at, folder: dirname(file) })
  }
  warnings.push(...exposureWarnings(file, found))
  return found
}

/** The setting at a place of the file, under its own name or that of Airflow 2. */
function settingAt(section: string, key: string): SettingName | null {
  const place = `${section}.${key}`
  const isAt = (setting: Setting) => place === `${setting.section}.${setting.key}` || setting.alias?.some((alias) => alias === place)
  return (Object.entries(SETTINGS) as [SettingName, Setting][]).find(([, setting]) => isAt(setting))?.[0] ?? null
}

function unknownKey(section: string, key: string): string {
  const all = Object.values(SETTINGS) as Setting[]
  if (section === '') return `"${key}" stands in no section. Write it below its section, such as [core].`
  const sections = [...new Set(all.map((setting) => setting.section))]
  if (!sections.includes(section)) return `There is no section [${section}].${didYouMean(section, sections)}`
  const elsewhere = all.find((setting) => setting.key === key)
  if (elsewhere) return `[${section}] ${key} is not a setting; it belongs into [${elsewhere.section}].`
  const inSection = all.filter((setting) => setting.section === section).map((setting) => setting.key)
  return `[${section}] ${key} is not a setting.${didYouMean(key, inSection)}`
}

/** As it would be written in the environment. Null for what no setting can be. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (!Array.isArray(value)) return null
  const parts = value.map((each) => (Array.isArray(each) ? null : textOf(each)))
  return parts.includes(null) ? null : parts.join(',')
}
