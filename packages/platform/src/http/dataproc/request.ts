/** What the routes of Dataproc read from a request: the place, the body, a page. */
import type { Context } from 'hono'
import type { Place } from '../../clusters/cluster.ts'
import { AppError } from '../../core/app-error.ts'
import { readObject } from '../body.ts'
import type { DoorEnvironment } from '../door.ts'

export const ROOT = '/v1/projects/:project/regions/:region'

export type DataprocContext = Context<DoorEnvironment>

export const placeOf = (c: DataprocContext): Place => ({ project: c.req.param('project') ?? '', region: c.req.param('region') ?? '' })

export const readBody = (c: DataprocContext): Promise<Record<string, unknown>> => readObject(c.req.raw)

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
