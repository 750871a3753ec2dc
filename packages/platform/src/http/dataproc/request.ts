/** What the routes of Dataproc read from a request: the place, the body, a page. */
import type { Context } from 'hono'
import type { Place } from '../../clusters/cluster.ts'
import { AppError } from '../../core/app-error.ts'
import type { DoorEnvironment } from '../door.ts'

export const ROOT = '/v1/projects/:project/regions/:region'
const MAX_BODY_BYTES = 4 * 1024 * 1024

export type DataprocContext = Context<DoorEnvironment>

export const placeOf = (c: DataprocContext): Place => ({ project: c.req.param('project') ?? '', region: c.req.param('region') ?? '' })

export async function readBody(c: DataprocContext): Promise<Record<string, unknown>> {
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY_BYTES)
    throw new AppError('invalid', `The body is larger than ${MAX_BODY_BYTES} bytes. Put long queries into a file of a bucket.`)
  const text = await c.req.text()
  try {
    const body: unknown = text === '' ? {} : JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  } catch (cause) {
    throw new AppError('invalid', 'The body is not JSON. Send an object with Content-Type: application/json.', { cause })
  }
  throw new AppError('invalid', 'The body must be a JSON object.')
}

/** Cuts one page out of a list. The page token is the position of the next item. */
export function page<T>(c: DataprocContext, items: readonly T[]): { items: readonly T[]; nextPageToken?: string } {
  const size = Math.min(1000, Number(c.req.query('pageSize') || 100))
  const from = Number(c.req.query('pageToken') || 0)
  if (!Number.isInteger(size) || size < 1 || !Number.isInteger(from) || from < 0)
    throw new AppError('invalid', 'pageSize must be a whole number from 1, and pageToken one that an earlier answer gave.')
  const next = from + size
  return { items: items.slice(from, next), ...(next < items.length ? { nextPageToken: String(next) } : {}) }
}

/** Protocol buffers leave an unset number or text out, or send its zero value. */
export const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
