/** Bodies of Airflow's REST API. */
import { z } from 'zod'
import { AppError, didYouMean } from '../core/app-error.ts'
import { parseJson } from '../core/json.ts'
import { badRequest, type RequestProblem } from './airflow-error.ts'
import { readText } from './body.ts'

const NO_ADDRESS = 'must not be "." or "..": no address can name it'

/** Clients take `.` and `..` out of addresses: what is called so could never be read, changed or deleted. */
const hasAddress = (name: string): boolean => !['.', '..'].includes(name)

/** A name that things are kept under: control characters would change what a terminal or a log shows of it. */
export const nameOf = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must have no control characters')
    .refine(hasAddress, NO_ADDRESS)

/** What was read of each request, for the event log: a body can be read only once. */
const READ = new WeakMap<Request, unknown>()

/** The body of `request` as `schema` describes it; an empty one counts as `{}`. Throws `invalid` with every problem and its place. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(request)
  let value: unknown
  try {
    value = text.trim() === '' ? {} : parseJson(text)
  } catch (error) {
    const msg =
      error instanceof AppError ? error.message : 'The body is not valid JSON. Send an object with Content-Type: application/json.'
    throw badRequest(msg, [{ loc: ['body'], msg, type: 'json_invalid' }])
  }
  READ.set(request, value)
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw badRequest(`The body of ${request.method} ${new URL(request.url).pathname} does not fit.`, problemsOf(result.error, 'body', schema))
}

/** What `readBody` has read of `request`, before any schema. */
export const bodyOf = (request: Request): unknown => READ.get(request)

/** The problems that a schema found, in the places where `place` (`body` or `query`) has them. */
export function problemsOf(error: z.ZodError, place: 'body' | 'query', schema: z.ZodType): RequestProblem[] {
  return error.issues.flatMap((issue): RequestProblem[] => {
    const loc = [place, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
    if (issue.code !== 'unrecognized_keys')
      return [{ loc, msg: issue.message, type: isMissing(issue) ? 'missing' : (TYPES[issue.code] ?? 'value_error') }]
    const known = issue.path.length === 0 ? namesOf(schema) : []
    return issue.keys.map((key) => ({
      loc: [...loc, key],
      msg: `"${key}" is not known here.${didYouMean(key, known)}${known.length > 0 ? ` It takes ${known.join(', ') || 'nothing'}.` : ''}`,
      type: 'extra_forbidden',
    }))
  })
}

const TYPES: Readonly<Record<string, string>> = {
  invalid_type: 'type_error',
  invalid_value: 'enum',
  too_big: 'too_long',
  too_small: 'too_short',
}

const isMissing = (issue: z.core.$ZodIssue): boolean => issue.code === 'invalid_type' && issue.message.endsWith('received undefined')

const namesOf = (schema: z.ZodType): string[] => ('shape' in schema ? Object.keys(schema.shape as object) : [])
