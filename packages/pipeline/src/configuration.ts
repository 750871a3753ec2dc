/** What `conf/` says: the files of `conf/base`, those of one environment above them, and `--params` above all. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { interpolate } from './interpolation.ts'
import { didYouMean, PipelineError } from './pipeline-error.ts'

export type Settings = { readonly [key: string]: unknown }

export interface Configuration {
  /** Entry of each dataset by name; an environment's entry replaces the base's as a whole. */
  readonly catalog: Settings
  /** Merged key by key, however deep. */
  readonly parameters: Settings
}

export interface ConfigurationOptions {
  /** The project's folder, with `conf/` in it. */
  readonly root: string
  /** The folder of `conf/` that is laid over `base`. Default `local`, which alone may be missing. */
  readonly environment?: string
  /** Parameters that override those of the files: `{'a.b': 1}`. */
  readonly overrides?: Settings
  /** Where `${env:NAME,default}` looks. */
  readonly variables?: NodeJS.ProcessEnv
}

const DEFAULT_ENVIRONMENT = 'local'

/** Throws one error with all that is wrong: files that do not parse, unset variables, overrides of unknown parameters. */
export async function loadConfiguration(options: ConfigurationOptions): Promise<Configuration> {
  const { root, environment = DEFAULT_ENVIRONMENT, overrides = {}, variables = process.env } = options
  const folders = await readdir(join(root, 'conf')).catch(() => [] as string[])
  if (environment !== DEFAULT_ENVIRONMENT && !folders.includes(environment)) {
    const guess = didYouMean(environment, folders)
    throw new PipelineError(`There is no environment "${environment}": conf/${environment} does not exist.${guess}`)
  }
  const problems: string[] = []
  const read = async (folder: string, file: string): Promise<Settings> => {
    const source = `conf/${folder}/${file}`
    const text = await readFile(join(root, source), 'utf8').catch(() => '')
    try {
      const settings = interpolate(parse(text) ?? {}, { variables, source, problems })
      if (isSettings(settings)) return settings
      problems.push(`${source} must be a mapping of names`)
    } catch (error) {
      problems.push(`${source} is not YAML: ${(error as Error).message}`)
    }
    return {}
  }
  const catalog = { ...(await read('base', 'catalog.yml')), ...(await read(environment, 'catalog.yml')) }
  let parameters = merge(await read('base', 'parameters.yml'), await read(environment, 'parameters.yml'))
  for (const [path, value] of Object.entries(overrides)) {
    if (parameterAt(parameters, path) === undefined) {
      problems.push(`--params ${path}: there is no such parameter.${didYouMean(path, parameterPaths(parameters))}`)
    }
    parameters = merge(parameters, nested(path.split('.'), value))
  }
  PipelineError.throwIfAny('The configuration is wrong', problems)
  return { catalog, parameters }
}

/** The parameter at `a.b.c`, or undefined. */
export function parameterAt(parameters: Settings, path: string): unknown {
  let value: unknown = parameters
  for (const key of path.split('.')) value = isSettings(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}

/** Every `a.b.c` that has a value, and every `a` and `a.b` on the way. */
export const parameterPaths = (parameters: Settings, prefix = ''): string[] =>
  Object.entries(parameters).flatMap(([key, value]) => [
    `${prefix}${key}`,
    ...(isSettings(value) ? parameterPaths(value, `${prefix}${key}.`) : []),
  ])

/** `a.b=1,c=x` as overrides; each value is read as YAML, so that numbers are numbers. Throws for a part without `=`. */
export function parseOverrides(text: string): Settings {
  const parts = text.split(',').filter((part) => part.trim() !== '')
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf('=')
      if (at < 1) throw new PipelineError(`--params "${part}" is not of the form name=value. Example: --params training.folds=5,seed=7`)
      return [part.slice(0, at).trim(), parse(part.slice(at + 1))]
    }),
  )
}

export const isSettings = (value: unknown): value is Settings => typeof value === 'object' && value !== null && !Array.isArray(value)

const nested = ([key = '', ...rest]: string[], value: unknown): Settings => ({ [key]: rest.length > 0 ? nested(rest, value) : value })

function merge(below: Settings, above: Settings): Settings {
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const old = merged[key]
    merged[key] = isSettings(old) && isSettings(value) ? merge(old, value) : value
  }
  return merged
}
