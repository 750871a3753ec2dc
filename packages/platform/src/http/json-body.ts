/** Reads a JSON body against its schema: every problem at once, each with its place. */
import type { z } from 'zod'
import { AppError } from '../core/app-error.ts'
import { parseJson } from '../core/json.ts'
import { readText } from './body.ts'

/** The body of `request` as `schema` describes it; throws `invalid` with all problems. An empty body counts as `{}`. */
export async function readJson<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(request)
  let value: unknown
  try {
    value = text.trim() === '' ? {} : parseJson(text)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('invalid', 'The body is not valid JSON. Send an object with Content-Type: application/json.', { cause })
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new AppError('invalid', `The body of ${request.method} ${new URL(request.url).pathname} does not fit.`, { problems })
}
