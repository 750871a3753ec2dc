/**
 * Queries of Airflow's REST API. What a route takes is a schema, and whatever else is sent is refused:
 * a filter that is misspelled must not be answered with everything.
 */
import { z } from 'zod'
import { didYouMean } from '../core/app-error.ts'
import type { Page, Range, Sort, TextFilter } from '../core/list-query.ts'
import { problemsOf } from './airflow-body.ts'
import { badRequest } from './airflow-error.ts'

const DEFAULT_LIMIT = 50
/** As in Airflow: a larger limit is answered with as many. */
export const MAX_LIMIT = 100
const LONGEST_PATTERN = 500

interface Asked {
  readonly url: string
  queries(): Record<string, string[]>
}

/** The query of `request` as `shape` describes it, each value by `one` or `many`; an empty value counts as not sent. Throws `invalid`. */
export function readQuery<Shape extends z.ZodRawShape>(request: Asked, shape: Shape): z.infer<z.ZodObject<Shape>> {
  const schema = z.strictObject(shape)
  const sent = Object.entries(request.queries())
    .map(([name, values]) => [name, values.filter((value) => value !== '')] as const)
    .filter(([, values]) => values.length > 0)
  const result = schema.safeParse(Object.fromEntries(sent))
  if (result.success) return result.data as z.infer<z.ZodObject<Shape>>
  throw badRequest(`The query of ${new URL(request.url).pathname} does not fit.`, problemsOf(result.error, 'query', schema))
}

/** A value that counts once; the last one, if it is sent several times. */
export const one = <Value>(schema: z.ZodType<Value, string>) =>
  z
    .array(z.string())
    .transform((values) => values.at(-1) as string)
    .pipe(schema)
    .optional()

/** A value that may be sent several times. */
export const many = <Value>(schema: z.ZodType<Value, string>) => z.array(schema).optional()

export const text = z.string().max(LONGEST_PATTERN)

type Patterns<Name extends string, Value> = { [Key in `${Name}_pattern` | `${Name}_prefix_pattern`]: Value }

const pattern = one(text)

/** `NAME_pattern` and, as newer clients send it, `NAME_prefix_pattern`. */
export const patterns = <Name extends string>(...names: Name[]) =>
  Object.fromEntries(names.flatMap((name) => [`${name}_pattern`, `${name}_prefix_pattern`].map((each) => [each, pattern]))) as Patterns<
    Name,
    typeof pattern
  >

/** What was sent of them; undefined for nothing. */
export function patternOf<Name extends string>(given: Partial<Patterns<Name, string | undefined>>, name: Name): TextFilter | undefined {
  const [like, prefix] = [given[`${name}_pattern`], given[`${name}_prefix_pattern`]]
  return like === undefined && prefix === undefined ? undefined : { like, prefix }
}

/** A whole number from `least` on. */
export const whole = (least = 0) =>
  z
    .string()
    .regex(/^-?\d{1,9}$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= least, `is not a whole number from ${least} on`)

export const decimal = z
  .string()
  .regex(/^-?\d{1,12}(\.\d{1,9})?$/, 'is not a number')
  .transform(Number)

/** As Airflow reads switches. */
export const truth = z.string().transform((given, context) => {
  if (/^(true|t|yes|y|on|1)$/i.test(given)) return true
  if (/^(false|f|no|n|off|0)$/i.test(given)) return false
  context.addIssue({ code: 'custom', message: `"${given}" is neither true nor false` })
  return z.NEVER
})

export const choice = <const Choice extends string>(known: readonly Choice[]) =>
  z.string().transform((given, context): Choice => {
    const found = known.find((each) => each === given)
    if (found !== undefined) return found
    context.addIssue({
      code: 'custom',
      message: `"${given}" is not possible.${didYouMean(given, known)} It may be one of ${known.join(', ')}.`,
    })
    return z.NEVER
  })

const ISO_INSTANT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i

/** An ISO instant; without an offset it counts as UTC. */
export const instant = z
  .string()
  .transform((given) => {
    const [whole, offset] = ISO_INSTANT.exec(given.trim()) ?? []
    const hasTime = whole !== undefined && whole.length > 'YYYY-MM-DD'.length
    return new Date(whole === undefined ? Number.NaN : `${whole.replace(' ', 'T')}${hasTime && !offset ? 'Z' : ''}`)
  })
  .refine((at) => !Number.isNaN(at.getTime()), 'is not an instant such as 2019-10-07T05:00:00Z')

export const paging = { limit: one(whole()), offset: one(whole()) }

export const pageOf = ({ limit = DEFAULT_LIMIT, offset = 0 }: { limit?: number | undefined; offset?: number | undefined }): Page => ({
  limit: Math.min(limit, MAX_LIMIT),
  offset,
})

/** `cursor`, as newer clients page: where the page before has ended. */
export const cursor = { cursor: one(text) }

/** The page after `cursor`, or that of `offset` where there is none. Throws `invalid`. */
export function pageAfter(given: Parameters<typeof pageOf>[0] & { cursor?: string | undefined }): Page {
  if (given.cursor === undefined) return pageOf(given)
  const [, offset] = /^after:(\d{1,9})$/.exec(Buffer.from(given.cursor, 'base64url').toString('utf8')) ?? []
  if (offset !== undefined) return pageOf({ ...given, offset: Number(offset) })
  const msg = 'This cursor is none of ours. Take the next_cursor of the answer before.'
  throw badRequest(msg, [{ loc: ['query', 'cursor'], msg, type: 'value_error' }])
}

/** The cursors that go with a page of a list that has `total` entries. */
export function cursorsOf({ limit, offset }: Page, total: number): { next_cursor: string | null; previous_cursor: string | null } {
  const at = (place: number) => Buffer.from(`after:${place}`).toString('base64url')
  const next = offset + limit
  return {
    next_cursor: limit > 0 && next < total ? at(next) : null,
    previous_cursor: offset > 0 ? at(Math.max(0, offset - limit)) : null,
  }
}

const sort = <Column extends string>(columns: Readonly<Record<string, Column>>) =>
  z.string().transform((given, context): Sort<Column> => {
    const name = given.replace(/^-/, '')
    const by = Object.hasOwn(columns, name) ? columns[name] : undefined
    if (by !== undefined) return { by, descending: given.startsWith('-') }
    const known = Object.keys(columns)
    context.addIssue({
      code: 'custom',
      message: `"${given}" is no order here.${didYouMean(name, known)} It may be one of ${known.join(', ')}, each with "-" in front for the other way round.`,
    })
    return z.NEVER
  })

/** `order_by`: names as the client has them, each with the column that it means. */
export const ordering = <Column extends string>(columns: Readonly<Record<string, Column>>) => ({ order_by: many(sort(columns)) })

/** The same in a body: one name, or several. */
export const orderingOfBody = <Column extends string>(columns: Readonly<Record<string, Column>>) => ({
  order_by: z
    .union([sort(columns).transform((each) => [each]), z.array(sort(columns))])
    .nullish()
    .transform((given) => given ?? undefined),
})

type Bound = 'gte' | 'gt' | 'lte' | 'lt'
type Bounds<Name extends string, Value> = { [Key in `${Name}_${Bound}`]: Value }

const bounds = <Name extends string, Value>(names: readonly Name[], value: Value): Bounds<Name, Value> =>
  Object.fromEntries(names.flatMap((name) => (['gte', 'gt', 'lte', 'lt'] as const).map((bound) => [`${name}_${bound}`, value]))) as Bounds<
    Name,
    Value
  >

/** `NAME_gte`, `NAME_gt`, `NAME_lte`, `NAME_lt` for each name. */
export const instants = <Name extends string>(...names: Name[]) => bounds(names, one(instant))
export const decimals = <Name extends string>(...names: Name[]) => bounds(names, one(decimal))
export const instantsOfBody = <Name extends string>(...names: Name[]) => bounds(names, instant.nullish())
export const decimalsOfBody = <Name extends string>(...names: Name[]) => bounds(names, z.number().nullish())

/** The bounds of `name` in what was read. */
export function instantRange<Name extends string>(given: Partial<Bounds<Name, Date | null | undefined>>, name: Name): Range<string> {
  return rangeOf(given, name, (value) => value.toISOString())
}

export function decimalRange<Name extends string>(given: Partial<Bounds<Name, number | null | undefined>>, name: Name): Range<number> {
  return rangeOf(given, name, (value) => value)
}

function rangeOf<Name extends string, Given, Value>(
  given: Partial<Bounds<Name, Given | null | undefined>>,
  name: Name,
  read: (value: Given) => Value,
): Range<Value> {
  const bound = (which: Bound): Value | undefined => {
    const value = given[`${name}_${which}`]
    return value === undefined || value === null ? undefined : read(value as Given)
  }
  return { gte: bound('gte'), gt: bound('gt'), lte: bound('lte'), lt: bound('lt') }
}
