/** What templates of Airflow do with texts, lists and objects: the methods that Python gives them, filters of Jinja, and how they are printed. Pure. */
import { AppError } from '../core/app-error.ts'

type Plain = Readonly<Record<string, unknown>>
type Method = (...args: readonly unknown[]) => unknown

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** As in Python an empty list or object is false, besides what is so in JavaScript. */
export const isTrue = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : isPlain(value) ? Object.keys(value).length > 0 : Boolean(value)

const trimmed = (signs: unknown, at: 'start' | 'end' | 'both') => (text: string) => {
  const isMeant = (sign: string | undefined) => sign !== undefined && (typeof signs === 'string' ? signs.includes(sign) : /\s/.test(sign))
  let [from, to] = [0, text.length]
  while (at !== 'end' && from < to && isMeant(text[from])) from += 1
  while (at !== 'start' && from < to && isMeant(text[to - 1])) to -= 1
  return text.slice(from, to)
}
const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()
const someOf = (ends: unknown, test: (end: string) => boolean): boolean => [ends].flat().some((end) => test(String(end)))

const OF_TEXTS: Readonly<Record<string, (text: string) => Method>> = {
  upper: (text) => () => text.toUpperCase(),
  lower: (text) => () => text.toLowerCase(),
  capitalize: (text) => () => capitalized(text),
  title: (text) => () => text.replaceAll(/\p{L}+/gu, capitalized),
  strip: (text) => (signs) => trimmed(signs, 'both')(text),
  lstrip: (text) => (signs) => trimmed(signs, 'start')(text),
  rstrip: (text) => (signs) => trimmed(signs, 'end')(text),
  startswith: (text) => (start) => someOf(start, (one) => text.startsWith(one)),
  endswith: (text) => (end) => someOf(end, (one) => text.endsWith(one)),
  replace: (text) => (old, given) => text.replaceAll(String(old), () => String(given)),
  split: (text) => (sign) => (typeof sign === 'string' ? text.split(sign) : text.split(/\s+/).filter((part) => part !== '')),
  join: (text) => (parts) => (parts as readonly unknown[]).map(String).join(text),
  zfill: (text) => (length) => text.replace(/^[+-]?/, (sign) => sign.padEnd(Number(length) - text.length + sign.length, '0')),
  count: (text) => (part) => text.split(String(part)).length - 1,
  find: (text) => (part) => text.indexOf(String(part)),
  isdigit: (text) => () => /^\d+$/.test(text),
}

const OF_OBJECTS: Readonly<Record<string, (fields: Plain) => Method>> = {
  get:
    (fields) =>
    (name, otherwise = null) =>
      Object.hasOwn(fields, String(name)) ? fields[String(name)] : otherwise,
  items: (fields) => () => Object.entries(fields),
  keys: (fields) => () => Object.keys(fields),
  values: (fields) => () => Object.values(fields),
}

/** Python's method of that name; undefined where the value has none. */
export function pythonMethod(of: unknown, name: string): Method | undefined {
  if (typeof of === 'string') return Object.hasOwn(OF_TEXTS, name) ? OF_TEXTS[name]?.(of) : undefined
  return isPlain(of) && Object.hasOwn(OF_OBJECTS, name) ? OF_OBJECTS[name]?.(of) : undefined
}

/** Lists and objects as JSON, spaced as Python spaces it; anything else as it is. */
export const printed = (value: unknown): unknown => (Array.isArray(value) || isPlain(value) ? json(value) : value)

/** JSON, spaced as Python spaces it. */
export function json(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(json).join(', ')}]`
  if (!isPlain(value)) return JSON.stringify(value) ?? 'null'
  return `{${Object.entries(value)
    .map(([name, field]) => `${JSON.stringify(name)}: ${json(field)}`)
    .join(', ')}}`
}

function format(pattern: string, ...values: readonly unknown[]): string {
  let place = 0
  return pattern.replace(/%(0?)(\d*)(?:\.(\d+))?([sdf%])/g, (_, zero: string, width: string, digits: string | undefined, kind: string) => {
    if (kind === '%') return '%'
    if (place >= values.length) throw new AppError('invalid', `The format "${pattern}" needs more values than it is given.`)
    const value = values[place++]
    if ((value ?? null) === null) throw new AppError('invalid', `The format "${pattern}" is given null or undefined.`)
    const text =
      kind === 's' ? String(printed(value)) : kind === 'd' ? String(Math.trunc(Number(value))) : Number(value).toFixed(Number(digits ?? 6))
    return text.padStart(Number(width || 0), zero || ' ')
  })
}

const extreme = (sign: 1 | -1) => (values: readonly (number | string)[]) =>
  values.reduce((best, one) => ((one > best ? 1 : -1) === sign ? one : best))

/** As Python rounds: what is exactly between two goes to the even one. */
function rounded(value: unknown, precision: unknown = 0, method: unknown = 'common'): number {
  const named = [precision, method].find((one) => typeof one === 'object' && one !== null) as
    | { readonly precision?: number; readonly method?: string }
    | undefined
  const digits = named?.precision ?? (typeof precision === 'number' ? precision : 0)
  const how = named?.method ?? (typeof method === 'string' ? method : 'common')
  const [number, factor] = [Number(value), 10 ** digits]
  if (how !== 'common') return (how === 'ceil' ? Math.ceil : Math.floor)(number * factor) / factor
  if (digits < 0) return toEven(number * factor) / factor
  // All the digits that a number has there are.
  const isBetween = /\.\d*5$/.test(exactly(number)) && (exactly(number).split('.')[1] ?? '').length === digits + 1
  return isBetween ? toEven(number * factor) / factor : Number(number.toFixed(digits))
}

const exactly = (number: number): string => number.toFixed(60).replace(/0+$/, '')

function toEven(number: number): number {
  const below = Math.floor(number)
  if (number - below !== 0.5) return Math.round(number)
  return below % 2 === 0 ? below : below + 1
}

/** Filters of Jinja that Nunjucks lacks, or has otherwise. */
export const VALUE_FILTERS = {
  round: rounded,
  tojson: json,
  string: (value: unknown) => String(printed(value)),
  format,
  max: extreme(1),
  min: extreme(-1),
  unique: (values: readonly unknown[]) => [...new Set(values)],
}
