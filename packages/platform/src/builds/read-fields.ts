/** Turns what a file or a request holds into the fields of a table: camelCase names, a single value where a list may stand, every problem with its place. */
import { didYouMean } from '../core/app-error.ts'
import type { Fields, Shape } from './config-schema.ts'

export type Path = readonly (string | number)[]

/** `at` says whether the name of the field is wrong or its value. */
export type Report = (path: Path, at: 'key' | 'value', problem: string) => void

export const camelCase = (key: string): string => key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `what` names the thing in complaints: `a build`, `a step`. Fields in `dropped` are left out without a word. */
export function readFields(
  value: unknown,
  fields: Fields,
  what: string,
  path: Path,
  report: Report,
  dropped: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  if (!isObject(value)) {
    report(path, 'value', `${what} is a map of fields, found ${describe(value)}.`)
    return result
  }
  for (const [given, content] of Object.entries(value)) {
    const key = Object.hasOwn(fields, given) ? given : camelCase(given)
    const shape = Object.hasOwn(fields, key) ? fields[key] : undefined
    if (!shape) {
      if (!dropped.has(key))
        report([...path, given], 'key', `"${given}" is not a field of ${what}.${didYouMean(given, Object.keys(fields))}`)
      continue
    }
    if (content === null || content === undefined) continue
    const read = readShape(content, shape, key, [...path, given], report, dropped)
    if (read !== undefined) result[key] = read
  }
  return result
}

function readShape(value: unknown, shape: Shape, key: string, path: Path, report: Report, dropped: ReadonlySet<string>): unknown {
  switch (shape.kind) {
    case 'anything':
      return value
    case 'object':
      return readFields(value, shape.fields, `"${key}"`, path, report, dropped)
    case 'objects': {
      const what = key === 'steps' ? 'a step' : `an entry of "${key}"`
      return listOf(value).map((item, i) => readFields(item, shape.fields, what, [...path, i], report, dropped))
    }
    case 'strings':
      return listOf(value).map((item, i) => readString(item, key, Array.isArray(value) ? [...path, i] : path, report))
    case 'integers':
      return listOf(value).map((item, i) =>
        Number.isInteger(item) ? item : report([...path, i], 'value', `"${key}" holds whole numbers, found ${describe(item)}.`),
      )
    case 'map':
      return readMap(value, key, path, report)
    case 'boolean':
      if (value === 'true' || value === 'false') return value === 'true'
      return typeof value === 'boolean' ? value : report(path, 'value', `"${key}" is true or false, found ${describe(value)}.`)
    case 'duration':
      if (typeof value === 'number') return `${value}s`
      // What protobuf's JSON calls a Duration when a client did not encode it.
      if (isObject(value) && 'seconds' in value) return `${value.seconds}s`
      return readString(value, key, path, report)
    case 'string':
      return readString(value, key, path, report)
  }
}

function readString(value: unknown, key: string, path: Path, report: Report): string {
  if (typeof value === 'string') return value
  report(
    path,
    'value',
    `"${key}" holds text, found ${describe(value)}.${isObject(value) || Array.isArray(value) ? '' : ' Put it in quotes.'}`,
  )
  return ''
}

function readMap(value: unknown, key: string, path: Path, report: Report): Record<string, string> {
  if (!isObject(value)) {
    report(path, 'value', `"${key}" is a map of names to text, found ${describe(value)}.`)
    return {}
  }
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, readString(text, name, [...path, name], report)]))
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return `${typeof value === 'string' ? 'text' : typeof value} ${JSON.stringify(value)}`
}
