/** Whether the params of a run fit the JSON Schemas that its DAG gives them. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import { z } from 'zod'

const readers = new WeakMap<object, z.ZodType | null>()

/** A sentence for each param of a run with this `conf` that does not fit. */
export function paramProblems(
  { params, paramSchemas }: Pick<DagDocument, 'params' | 'paramSchemas'>,
  conf: Readonly<Record<string, unknown>>,
): string[] {
  return Object.entries(paramSchemas).flatMap(([name, schema]) => {
    if (!(name in conf) && !(name in params)) return [`Param "${name}" has no value: give it one in conf.`]
    return valueProblems(name, schema, name in conf ? conf[name] : params[name])
  })
}

/** What is wrong with a value by a JSON Schema, each with the place in it. */
export function valueProblems(name: string, schema: Readonly<Record<string, unknown>>, value: unknown): string[] {
  const reader = readerOf(schema)
  if (!reader) return [`Param "${name}" has a JSON Schema that cannot be read. Mend it in the DAG's file.`]
  const read = reader.safeParse(value)
  if (read.success) return []
  return read.error.issues.map(({ path, message }) => `Param "${[name, ...path.map(String)].join('.')}" does not fit: ${message}.`)
}

function readerOf(schema: Readonly<Record<string, unknown>>): z.ZodType | null {
  const known = readers.get(schema)
  if (known !== undefined) return known
  let reader: z.ZodType | null = null
  try {
    reader = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    // Said where it is used.
  }
  readers.set(schema, reader)
  return reader
}
