/** Reads what MLflow's clients send: protobuf as JSON in a body, or as a query in a GET. */
import type { Context } from 'hono'
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import { readText } from '../body.ts'
import type { DoorEnvironment } from '../door.ts'

const MAX_BODY_BYTES = 32 * 1024 * 1024

/** A 64-bit integer, which may come as a number or as its digits. */
export const int64 = z.union([z.number(), z.string().regex(/^-?\d+$/)], { error: 'must be a whole number' }).transform(Number)

/** A double; NaN and the infinities come as words. */
export const double = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']), z.string().regex(/^-?\d+(\.\d*)?(e[+-]?\d+)?$/i)], {
    error: 'must be a number',
  })
  .transform(Number)

/** A text, also where a client sends a number: ids. */
export const text = z
  .union([z.string(), z.number()], { error: (issue) => (issue.input === undefined ? 'is missing' : 'must be a text') })
  .transform(String)

export const flag = z
  .union([z.boolean(), z.enum(['true', 'True', 'false', 'False'])])
  .transform((value) => String(value).toLowerCase() === 'true')

/** A repeated field; a query that names it once gives no list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(item).default([]))

export const tags = listOf(z.object({ key: text, value: text.default('') }))

/** What every search takes. */
export const searching = {
  filter: text.optional(),
  filter_string: text.optional(),
  order_by: listOf(text),
  max_results: int64.optional(),
  page_token: text.optional(),
}

export const searchRequest = (given: {
  filter?: string
  filter_string?: string
  order_by: string[]
  max_results?: number
  page_token?: string
}) => ({
  filter: given.filter ?? given.filter_string,
  orderBy: given.order_by,
  maxResults: given.max_results,
  pageToken: given.page_token,
})

/** The request's fields as `schema` has them; unknown ones are left out. Throws `invalid` with every problem. */
export async function input<Shape extends z.ZodRawShape>(
  c: Context<DoorEnvironment>,
  shape: Shape,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<z.output<z.ZodObject<Shape>>> {
  const fields = { ...query(c), ...(c.req.method === 'GET' ? {} : await body(c, maxBytes)) }
  const result = z.object(shape).safeParse(fields)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new AppError(
    'invalid',
    `Invalid value for ${problems.length === 1 ? 'a parameter' : 'parameters'} of ${c.req.method} ${c.req.path}:`,
    { problems },
  )
}

function query(c: Context<DoorEnvironment>): Record<string, unknown> {
  const entries = Object.entries(c.req.queries()).map(([key, values]) => [key, values.length === 1 ? values[0] : values])
  return Object.fromEntries(entries)
}

async function body(c: Context<DoorEnvironment>, maxBytes: number): Promise<Record<string, unknown>> {
  const content = await readText(c.req.raw, maxBytes)
  if (content.trim() === '') return {}
  let value: unknown
  try {
    // In protobuf's JSON a null is a field that was not set.
    value = JSON.parse(content, (_key, each) => (each === null ? undefined : each))
  } catch (cause) {
    throw new AppError('invalid', 'The body is not valid JSON. Send an object with Content-Type: application/json.', { cause })
  }
  if (typeof value !== 'object' || Array.isArray(value)) throw new AppError('invalid', 'The body must be a JSON object.')
  return value as Record<string, unknown>
}

/** The next page's token, only where there is one: an empty text would be taken for one. */
export const pageToken = (token: string | null) => (token === null ? {} : { next_page_token: token })
