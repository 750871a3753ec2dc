/** Refreshes over HTTP: the same documents that the page shows. */
import { AppError } from '../../core/app-error.ts'
import type { RefreshReader } from '../../refreshes/refresh-log.ts'
import { type Door, permit } from '../door.ts'

const DEFAULT_LIMIT = 50
const HIGHEST_LIMIT = 200

export function refreshRoutes(door: Door, refreshes: RefreshReader): void {
  door.get('/api/v1/refreshes', permit('events.read'), (c) => c.json({ refreshes: refreshes.list(limitOf(c.req.query('limit'))) }))

  door.get('/api/v1/refreshes/:id', permit('events.read'), (c) => {
    const id = c.req.param('id')
    const refresh = refreshes.find(id)
    if (!refresh) throw new AppError('not_found', `There is no refresh "${id}". GET /api/v1/refreshes lists those that are kept.`)
    return c.json(refresh)
  })
}

function limitOf(given: string | undefined): number {
  if (given === undefined) return DEFAULT_LIMIT
  const limit = Number(given)
  if (!Number.isInteger(limit) || limit < 1 || limit > HIGHEST_LIMIT)
    throw new AppError('invalid', `limit is "${given}"; it must be a whole number from 1 to ${HIGHEST_LIMIT}.`)
  return limit
}
