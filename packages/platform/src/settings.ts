/** Every setting of the platform: its environment variable, its default and what it means. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, didYouMean } from './core/app-error.ts'

interface Setting {
  readonly variable: string
  readonly default: string
  readonly meaning: string
  /** Never repeated in a message. */
  readonly isSecret?: boolean
  /** Answers what is wrong with the text, or null. */
  readonly problem?: (text: string) => string | null
}

const wholeNumber = (low: number, high: number) => (text: string) => {
  const number = Number(text)
  return Number.isInteger(number) && number >= low && number <= high ? null : `must be a whole number from ${low} to ${high}`
}

const oneOf =
  (...words: string[]) =>
  (text: string) =>
    words.includes(text) ? null : `must be one of ${words.join(', ')}`

const matching = (pattern: RegExp, form: string) => (text: string) => (pattern.test(text) ? null : `must be ${form}`)

/** The folder of the clone: the examples, the web interface and the libraries are found from here. */
export const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')

export const SETTINGS = {
  home: {
    variable: 'DAGGERBOARD_HOME',
    default: '.daggerboard',
    meaning: 'Folder of everything that the platform keeps: stores, buckets, images, repositories, logs.',
  },
  port: { variable: 'DAGGERBOARD_PORT', default: '8080', meaning: 'Port of all doors, on loopback.', problem: wholeNumber(0, 65535) },
  adminPassword: {
    variable: 'DAGGERBOARD_ADMIN_PASSWORD',
    default: '',
    meaning: 'Password of the user admin. Empty: one is made at the first start and printed once.',
    isSecret: true,
    problem: (text: string) => (text === '' || text.length >= 8 ? null : 'must have at least 8 characters'),
  },
  project: {
    variable: 'DAGGERBOARD_PROJECT',
    default: 'daggerboard',
    meaning: 'Project id, as Google Cloud has it.',
    problem: matching(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, '6 to 30 lower-case letters, digits and "-"'),
  },
  region: {
    variable: 'DAGGERBOARD_REGION',
    default: 'us-central1',
    meaning: 'Region of clusters and services.',
    problem: matching(/^[a-z]+(-[a-z]+)*\d?$/, 'a region such as us-central1'),
  },
  dagsFolder: { variable: 'DAGGERBOARD_DAGS_FOLDER', default: resolve(ROOT, 'examples/dags'), meaning: 'Folder of DAG files.' },
  loadExamples: {
    variable: 'DAGGERBOARD_LOAD_EXAMPLES',
    default: 'true',
    meaning: 'Whether the first start creates the example repositories, their triggers and their files in the bucket.',
    problem: oneOf('true', 'false'),
  },
  parallelism: {
    variable: 'DAGGERBOARD_PARALLELISM',
    default: '4',
    meaning: 'Tasks that run at the same time, each in a worker process.',
    problem: wholeNumber(1, 256),
  },
  concurrentBuilds: {
    variable: 'DAGGERBOARD_CONCURRENT_BUILDS',
    default: '2',
    meaning: 'Builds that run at the same time; those that another build waits for do not count.',
    problem: wholeNumber(1, 64),
  },
  fernetKey: {
    variable: 'DAGGERBOARD_FERNET_KEY',
    default: '',
    meaning: 'Keys that encrypt secrets, newest first, separated by commas. Empty: the key file in the home folder.',
  },
} as const satisfies Record<string, Setting>

export type Settings = Readonly<
  Record<Exclude<keyof typeof SETTINGS, 'port' | 'parallelism' | 'concurrentBuilds' | 'loadExamples'>, string> & {
    port: number
    parallelism: number
    concurrentBuilds: number
    loadExamples: boolean
  }
>

/** Reads all settings from `environment`; throws `invalid` with every problem, unknown `DAGGERBOARD_…` names included. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = []
  const read = (setting: Setting): string => {
    const text = environment[setting.variable] || setting.default
    const problem = setting.problem?.(text)
    if (problem) problems.push(`${setting.variable}=${setting.isSecret ? '***' : text}: ${problem}.`)
    return text
  }
  const settings: Settings = {
    home: resolve(read(SETTINGS.home)),
    port: Number(read(SETTINGS.port)),
    adminPassword: read(SETTINGS.adminPassword),
    project: read(SETTINGS.project),
    region: read(SETTINGS.region),
    dagsFolder: resolve(read(SETTINGS.dagsFolder)),
    loadExamples: read(SETTINGS.loadExamples) === 'true',
    parallelism: Number(read(SETTINGS.parallelism)),
    concurrentBuilds: Number(read(SETTINGS.concurrentBuilds)),
    fernetKey: read(SETTINGS.fernetKey),
  }
  problems.push(...unknownNames(environment))
  if (problems.length > 0) throw new AppError('invalid', 'The settings cannot be used.', { problems })
  return settings
}

/** Names that other programs of this project read, or that carry Variables and Connections. */
const OTHER_NAMES = /^DAGGERBOARD_(VAR_|CONN_|TEST_DATA$|ENDPOINT$|TOKEN$|CACHE$|NODE$)/

function unknownNames(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = Object.values(SETTINGS).map((setting) => setting.variable)
  return Object.keys(environment)
    .filter((name) => name.startsWith('DAGGERBOARD_') && !OTHER_NAMES.test(name) && !known.some((each) => each === name))
    .map((name) => `${name} is not a setting.${didYouMean(name, known)}`)
}
