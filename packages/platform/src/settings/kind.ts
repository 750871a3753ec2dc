/** The kinds of values that settings have: how each is read from text, and what is said when it does not fit. */
import { resolve } from 'node:path'
import { readPattern } from '../core/pattern.ts'

/** Why a text is not a value of its kind: `must be …`. */
export class Unfit {
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}

export interface Kind<Value> {
  /** What the reference says of it. */
  readonly form: string
  /** `folder`: what relative paths are relative to. */
  read(text: string, folder: string): Value | Unfit
}

export const text = (pattern?: RegExp, form = 'text'): Kind<string> => ({
  form,
  read: (given) => (pattern && !pattern.test(given) ? new Unfit(`must be ${form}`) : given),
})

export const path: Kind<string> = { form: 'path', read: (given, folder) => resolve(folder, given) }

export const wholeNumber = (low: number, high: number): Kind<number> => ({
  form: `whole number from ${low} to ${high}`,
  read: (given) => {
    const number = Number(given)
    const fits = /^-?\d+$/.test(given.trim()) && number >= low && number <= high
    return fits ? number : new Unfit(`must be a whole number from ${low} to ${high}`)
  },
})

/** As Airflow reads them, and no other words. */
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, t: true, 1: true, false: false, f: false, 0: false }

export const yesOrNo: Kind<boolean> = {
  form: 'true or false',
  read: (given) => BOOLEANS[given.trim().toLowerCase()] ?? new Unfit('must be true or false'),
}

/** Case does not matter; the value is the word as it stands in the list. */
export const oneOf = <const Word extends string>(...words: readonly Word[]): Kind<Word> => ({
  form: `one of ${words.join(', ')}`,
  read: (given) =>
    words.find((word) => word.toLowerCase() === given.trim().toLowerCase()) ?? new Unfit(`must be one of ${words.join(', ')}`),
})

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }

const secondsOf = (given: string): number => {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(given.trim()) ?? []
  return Number(number) * (UNIT_SECONDS[unit] ?? Number.NaN)
}

/** Seconds, as in Airflow, or a number with its unit. */
export const seconds = (low: number, high: number): Kind<number> => ({
  form: 'seconds, or a number with ms, s, m, h or d',
  read: (given) => {
    const number = secondsOf(given)
    return number >= low && number <= high
      ? number
      : new Unfit(`must be a length of time from ${low} to ${high} seconds, such as 30 or "5m"`)
  },
})

/** Empty for no limit, which is null. */
export const secondsOrNone = (low: number, high: number): Kind<number | null> => ({
  form: 'seconds, or a number with ms, s, m, h or d; empty for no limit',
  read: (given) => (given.trim() === '' ? null : seconds(low, high).read(given, '')),
})

export const words: Kind<readonly string[]> = {
  form: 'list, or words with commas between them',
  read: (given) =>
    given
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
}

export const timeZone: Kind<string> = {
  form: 'IANA name of a time zone',
  read: (given) => {
    const name = given.trim().toLowerCase() === 'utc' ? 'UTC' : given.trim()
    try {
      new Intl.DateTimeFormat('en', { timeZone: name })
      return name
    } catch {
      return new Unfit('must be the IANA name of a time zone, such as Europe/Paris')
    }
  },
}

/** A regular expression of RE2's syntax. */
export const pattern: Kind<string> = {
  form: 'regular expression',
  read: (given) => {
    try {
      readPattern(given)
      return given
    } catch (error) {
      return new Unfit(`must be a regular expression: ${(error as Error).message}`)
    }
  },
}
