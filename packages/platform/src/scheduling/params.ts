/** Whether the params of a run fit the JSON Schemas that its DAG gives them. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { z } from 'zod'
import { within } from '../core/deadline.ts'

/** Of JSON, in characters: it is kept with every run, also with each of a backfill, and lists look through it. */
const LONGEST_CONF = 1024 * 1024

/** The author's expressions meet values of others, and both together may take for ever. */
const LONGEST_CHECK_MS = 250

interface Reader {
  readonly type: z.ZodType
  readonly hasPatterns: boolean
}

const readers = new WeakMap<object, Reader | null>()

/** A sentence for each param of a run with this `conf` that does not fit, or for a conf that is too large. */
export function paramProblems(
  { params, paramSchemas }: Pick<DagDocument, 'params' | 'paramSchemas'>,
  conf: Readonly<Record<string, unknown>>,
): string[] {
  const { length } = JSON.stringify(conf)
  if (length > LONGEST_CONF)
    return [`conf has ${length} characters of JSON, and may have ${LONGEST_CONF}. Write what is larger to a bucket, and give its path.`]
  return Object.entries(paramSchemas).flatMap(([name, schema]) => {
    if (!(name in conf) && !(name in params)) return [`Param "${name}" has no value: give it one in conf.`]
    return valueProblems(name, schema, name in conf ? conf[name] : params[name])
  })
}

/** What is wrong with a value by a JSON Schema, each with the place in it. */
export function valueProblems(name: string, schema: Readonly<Record<string, unknown>>, value: unknown): string[] {
  const unreadable = [`Param "${name}" has a JSON Schema that cannot be read. Mend it in the DAG's file.`]
  const reader = readerOf(schema)
  if (!reader) return unreadable
  const check = () => reader.type.safeParse(value)
  let read: ReturnType<typeof check> | undefined
  try {
    read = reader.hasPatterns ? within(LONGEST_CHECK_MS, check)?.answer : check()
  } catch (error) {
    // One that is made of itself and nothing else.
    if (error instanceof RangeError) return unreadable
    throw error
  }
  if (!read)
    return [
      `Param "${name}" cannot be checked: the pattern in its JSON Schema takes too long with this value. Mend the pattern in the DAG's file.`,
    ]
  if (read.success) return []
  return read.error.issues.map(({ path, message }) => `Param "${[name, ...path.map(String)].join('.')}" does not fit: ${message}.`)
}

function readerOf(schema: Readonly<Record<string, unknown>>): Reader | null {
  const known = readers.get(schema)
  if (known !== undefined) return known
  let reader: Reader | null = null
  try {
    const type = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
    reader = { type, hasPatterns: JSON.stringify(schema).includes('"pattern') }
  } catch {
    // Said where it is used.
  }
  readers.set(schema, reader)
  return reader
}
