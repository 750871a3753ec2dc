/** What the routes of this door read from a request. */
import type { Context } from 'hono'
import type { Asker } from '../../builds/builds.ts'
import { AppError } from '../../core/app-error.ts'
import { readText } from '../body.ts'
import { type DoorEnvironment, requirePermission } from '../door.ts'

export type CloudBuildContext = Context<DoorEnvironment>

export const projectOf = (c: CloudBuildContext): string => c.req.param('project') ?? ''

/** `global` where the path names none, as gcloud does. */
export const locationOf = (c: CloudBuildContext): string => c.req.param('location') ?? 'global'

export const askerOf = (c: CloudBuildContext): Asker => ({
  projectId: projectOf(c),
  location: locationOf(c),
  by: requirePermission(c, 'builds.write').subject,
})

export const originOf = (c: CloudBuildContext): string => new URL(c.req.url).origin

/** `NAME:verb`, as Google writes calls that are no plain change. */
export function readCall(text: string): { name: string; verb: string } {
  const colon = text.lastIndexOf(':')
  return colon < 0 ? { name: text, verb: '' } : { name: text.slice(0, colon), verb: text.slice(colon + 1) }
}

/** Throws `invalid` when the body is not JSON; an empty one is `{}`. */
export async function readBody(c: CloudBuildContext): Promise<Record<string, unknown>> {
  const text = await readText(c.req.raw)
  try {
    const value: unknown = text.trim() === '' ? {} : JSON.parse(text)
    // Google's client sends "" for a message that it was not given.
    if (value === '' || value === null) return {}
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new AppError('invalid', 'The body is not a JSON object. Send one with Content-Type: application/json.')
}
