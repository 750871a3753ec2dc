/** What a command is: a name, what it is given, and what it does. The program and the reference are made of these tables. */
import { AppError } from '../core/app-error.ts'
import type { Context } from './context.ts'

/** Something that is given to a command as text. `read` throws what is wrong with it. */
interface Input<T> {
  readonly help: string
  readonly read: (text: string, zone: string) => unknown
  /** Never set: it carries the type of the value. */
  readonly value?: T
}

export interface Argument<T> extends Input<T> {
  readonly isOptional?: boolean
  readonly isMany?: boolean
}

export interface Option<T> extends Input<T> {
  /** How the value is named in the help; null for a flag. */
  readonly metavar: string | null
  readonly short?: string
  readonly default?: unknown
  readonly choices?: readonly string[]
  readonly isRequired?: boolean
  readonly isMany?: boolean
}

/** By their names in camelCase; positional arguments in this order. */
export type Arguments = Readonly<Record<string, Argument<unknown>>>
export type Options = Readonly<Record<string, Option<unknown>>>
type Values<Inputs> = { readonly [Name in keyof Inputs]: Inputs[Name] extends Input<infer T> ? T : never }

interface CommandParts<A extends Arguments, O extends Options> {
  readonly name: string
  /** One line for the list. */
  readonly summary: string
  /** More, for its own help. */
  readonly details?: string
  readonly aliases?: readonly string[]
  readonly args?: A
  readonly options?: O
  /** Whether it needs no platform. */
  readonly isLocal?: boolean
  /** A number that it answers is the exit status; anything else is 0. */
  run(context: Context, values: Values<A> & Values<O>): Promise<unknown>
}

/** A command whatever it is given: for the program, which reads the values by the tables. */
export interface Command extends Omit<CommandParts<Arguments, Options>, 'run'> {
  readonly args: Arguments
  readonly options: Options
  run(context: Context, values: Readonly<Record<string, unknown>>): Promise<unknown>
}

export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly commands: readonly Command[]
}

// biome-ignore lint/complexity/noBannedTypes: no arguments or no options at all
export function command<A extends Arguments = {}, O extends Options = {}>(parts: CommandParts<A, O>): Command {
  const { args = {}, options = {}, run } = parts
  return { ...parts, args, options, run: (context, values) => run(context, values as Values<A> & Values<O>) }
}

const same = (text: string): unknown => text

export const required = (help: string): Argument<string> => ({ help, read: same })
export const optional = <T = string>(help: string, read: Input<T>['read'] = same): Argument<T | undefined> => ({
  help,
  read,
  isOptional: true,
})
export const several = (help: string): Argument<readonly string[]> => ({ help, read: same, isMany: true })
export const anyNumber = (help: string): Argument<readonly string[]> => ({ help, read: same, isMany: true, isOptional: true })

type More = Pick<Option<unknown>, 'short'>

export const flag = (help: string, more: More = {}): Option<boolean> => ({ ...more, help, metavar: null, read: same })
export const text = (metavar: string, help: string, more: More = {}): Option<string | undefined> => ({ ...more, help, metavar, read: same })
export const needed = (metavar: string, help: string, more: More = {}): Option<string> => ({
  ...more,
  help,
  metavar,
  read: same,
  isRequired: true,
})
export const many = (metavar: string, help: string, more: More = {}): Option<readonly string[]> => ({
  ...more,
  help,
  metavar,
  read: same,
  isMany: true,
  default: [],
})

export const choice = <const Word extends string>(words: readonly Word[], help: string, more: More = {}): Option<Word | undefined> => ({
  ...more,
  help,
  metavar: words.join('|').toUpperCase(),
  choices: words,
  read: same,
})

export const wholeNumber = (metavar: string, help: string, low: number, more: More = {}): Option<number | undefined> => ({
  ...more,
  help,
  metavar,
  read: (given) => {
    const number = Number(given)
    if (given.trim() === '' || !Number.isSafeInteger(number) || number < low) throw new Error(`must be a whole number from ${low} on`)
    return number
  },
})

/** A JSON object. */
export const json = (help: string, more: More = {}): Option<Readonly<Record<string, unknown>> | undefined> => ({
  ...more,
  help,
  metavar: 'JSON',
  read: readObject,
})

/** An instant; a date alone is its midnight. What has no offset is meant in the default zone of the settings. */
export const date = (help: string, more: More = {}): Option<string | undefined> => ({ ...more, help, metavar: 'DATE', read: readDate })
export const neededDate = (help: string, more: More = {}): Option<string> => ({
  ...more,
  help,
  metavar: 'DATE',
  read: readDate,
  isRequired: true,
})

/** With its default value. */
export const withDefault = <T>(option: Option<T | undefined>, value: T): Option<T> => ({ ...option, default: value }) as Option<T>

function readObject(given: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(given)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('must be a JSON object, such as {"key": "value"}')
  return value as Record<string, unknown>
}

/** ISO 8601 in UTC. */
export function readDate(given: string, zone: string): string {
  const [, day, time = '00:00:00', offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))?(Z|[+-]\d\d:?\d\d)?$/i.exec(given) ?? []
  const instant = day === undefined ? new Date(Number.NaN) : offset ? new Date(`${day}T${time}${offset}`) : inZone(`${day}T${time}`, zone)
  if (Number.isNaN(instant.getTime())) throw new Error('must be a date such as 2026-11-23, 2026-11-23T05:00 or 2026-11-23T05:00:00+01:00')
  return instant.toISOString()
}

export function isDate(given: string, zone: string): boolean {
  try {
    return readDate(given, zone) !== ''
  } catch {
    return false
  }
}

/** The instant at which clocks in `zone` show `local`; the first one if they show it twice. */
function inZone(local: string, zone: string): Date {
  const asUtc = new Date(`${local}Z`)
  if (zone.toUpperCase() === 'UTC' || Number.isNaN(asUtc.getTime())) return asUtc
  const format = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  const shown = (instant: Date) => new Date(`${format.format(instant).replace(' ', 'T')}Z`).getTime()
  const wanted = Math.floor(asUtc.getTime() / 1000) * 1000
  const candidates = [-1, 1].map((days) => {
    const near = new Date(asUtc.getTime() + days * 86_400_000)
    return new Date(asUtc.getTime() - (shown(near) - Math.floor(near.getTime() / 1000) * 1000))
  })
  return candidates.find((each) => shown(each) === wanted) ?? (candidates[0] as Date)
}

/** What was asked for cannot be understood: all of it at once, and the exit status 2. */
export const usageError = (problems: readonly string[], command: string): AppError =>
  new AppError('invalid', `"daggerboard ${command}" cannot be run like that:`, {
    problems: [...problems, `See: daggerboard ${command} --help`],
    exitStatus: 2,
  })
