/** Settings in the environment: `DAGGERBOARD__SECTION__KEY`, short names, and either with `_FILE` for a file that has the value. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { didYouMean, messageOf } from '../core/app-error.ts'
import { airflowAdvice } from './airflow-keys.ts'
import { longVariable, SETTINGS, type Setting, type SettingName } from './known-settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Names that other programs of this project read, or that carry Variables and Connections. */
const OTHER_NAMES = /^DAGGERBOARD_(VAR_|CONN_|CONFIG$|TEST_DATA$|ENDPOINT$|TOKEN$|CACHE$|NODE$)/

export const isSettingVariable = (from: string): boolean => from.startsWith('DAGGERBOARD_')

/** All variables of a setting, the short one first. */
const variablesOf = ({ section, key, variable, alias = [] }: Setting): string[] => [
  ...(variable ? [variable] : []),
  ...[`${section}.${key}`, ...alias].map((place) => longVariable(...(place.split('.') as [string, string]))),
]

/** What the environment says of each setting. Empty texts say nothing. */
export function environmentEntries(environment: Environment, folder: string, problems: string[]) {
  const found = new Map<SettingName, { text: string; from: string; folder: string }>()
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = variablesOf(setting)
      .flatMap((variable) => [variable, `${variable}_FILE`])
      .filter((variable) => environment[variable])
    const [from, other] = given
    if (from === undefined) continue
    if (other !== undefined) problems.push(`${from} and ${other} are the same setting. Keep one of the two.`)
    const text = environment[from] as string
    if (!from.endsWith('_FILE')) found.set(name, { text, from, folder })
    else {
      try {
        found.set(name, { text: readFileSync(resolve(folder, text), 'utf8').trim(), from, folder })
      } catch (error) {
        problems.push(`${from}=${text}: the file cannot be read (${messageOf(error)}).`)
      }
    }
  }
  return found
}

/** Problems of `DAGGERBOARD_…` names that nobody reads. Those of Airflow's keys that mean nothing here are `warnings`. */
export function unknownVariables(environment: Environment, warnings: string[]): string[] {
  const known = (Object.values(SETTINGS) as Setting[]).flatMap(variablesOf)
  const isKnown = (name: string) => known.includes(name) || known.includes(name.replace(/_FILE$/, ''))
  return Object.keys(environment)
    .filter((name) => name.startsWith('DAGGERBOARD_') && !OTHER_NAMES.test(name) && !isKnown(name))
    .flatMap((name) => {
      if (/__\w+_(CMD|SECRET)$/.test(name))
        return [
          `${name}: commands are not run and secrets backends not asked. Give the path of a file that has the value as ${name.replace(/_(CMD|SECRET)$/, '_FILE')}.`,
        ]
      const [, section, key] = /^DAGGERBOARD__([A-Z0-9_]+?)__([A-Z0-9_]+)$/.exec(name) ?? []
      const advice = section && key ? airflowAdvice(section.toLowerCase(), key.toLowerCase()) : null
      if (advice === null) return [`${name} is not a setting.${didYouMean(name, known)}`]
      warnings.push(`${name} is Airflow's and does nothing here. ${advice}`)
      return []
    })
}

/** Settings in Airflow's own variables are not read: a platform beside an Airflow would take over what is not meant for it. */
export const foreignWarnings = (environment: Environment): string[] =>
  Object.keys(environment)
    .filter((name) => /^AIRFLOW__[A-Z0-9_]+?__[A-Z0-9_]+$/.test(name))
    .map((name) => `${name} is not read. Its name here would be ${name.replace('AIRFLOW', 'DAGGERBOARD')}.`)
