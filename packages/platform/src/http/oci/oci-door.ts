/** The door of the image registry: OCI distribution 1.1, for docker, podman, skopeo and our own tools. */
import { AppError, errorCode, publicMessage } from '../../core/app-error.ts'
import type { Permission } from '../../core/principal.ts'
import type { Registry } from '../../images/registry.ts'
import { createDoor, type Door, type ErrorBody, requirePermission } from '../door.ts'
import { type BlobRequest, deleteBlob, getBlob, uploadBlob } from './blob.ts'
import { deleteManifest, getManifest, listReferrers, listTags, putManifest } from './manifest.ts'

export interface OciDoorOptions {
  readonly registry: Registry
  readonly onInternalError?: (error: unknown) => void
}

/** A name may hold slashes, so the path is read from its end. */
const PATHS = {
  upload: /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/,
  blob: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
  manifest: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
  tags: /^\/v2\/(.+)\/tags\/(list)$/,
  referrers: /^\/v2\/(.+)\/referrers\/([^/]+)$/,
}

type Handler = (registry: Registry, request: BlobRequest) => Promise<Response>

const HANDLERS: Readonly<Record<keyof typeof PATHS, Readonly<Record<string, readonly [Permission, Handler]>>>> = {
  upload: {
    POST: ['images.write', uploadBlob.begin],
    PATCH: ['images.write', uploadBlob.append],
    PUT: ['images.write', uploadBlob.finish],
    GET: ['images.write', uploadBlob.progress],
    DELETE: ['images.write', uploadBlob.cancel],
  },
  blob: { GET: ['images.read', getBlob], HEAD: ['images.read', getBlob], DELETE: ['images.write', deleteBlob] },
  manifest: {
    GET: ['images.read', getManifest],
    HEAD: ['images.read', getManifest],
    PUT: ['images.write', putManifest],
    DELETE: ['images.write', deleteManifest],
  },
  tags: { GET: ['images.read', listTags] },
  referrers: { GET: ['images.read', listReferrers] },
}

/** Mount it at `/`. Paths of the services' API, which share the root `/v2`, pass it by. */
export function ociDoor({ registry, onInternalError = console.error }: OciDoorOptions): Door {
  const door = createDoor({ errorBody, challenge: 'Basic realm="daggerboard"', statusOf, onInternalError })

  for (const path of ['/v2/', '/v2'])
    door.get(path, (c) => {
      requirePermission(c, 'images.read')
      return c.json({}, 200, { 'Docker-Distribution-Api-Version': 'registry/2.0' })
    })

  door.get('/v2/_catalog', async (c) => {
    requirePermission(c, 'images.read')
    const { repositories } = await registry.listRepositories({ last: c.req.query('last') ?? '', limit: limitOf(c.req.query('n')) })
    return c.json({ repositories })
  })

  door.all('/v2/*', async (c, next) => {
    const path = c.req.path
    if (/^\/v2\/projects\/[^/]+\/locations(\/|$)/.test(path)) return next()
    for (const [kind, pattern] of Object.entries(PATHS) as [keyof typeof PATHS, RegExp][]) {
      const [matched, name, reference] = pattern.exec(path) ?? []
      const handler = matched === undefined ? undefined : HANDLERS[kind][c.req.method]
      if (!handler) continue
      const by = requirePermission(c, handler[0]).subject
      return handler[1](registry, { c, name: name ?? '', reference: decoded(reference ?? ''), by })
    }
    requirePermission(c, 'images.read')
    throw new AppError('not_found', `The registry has nothing at ${c.req.method} ${path}.`, { reason: 'UNSUPPORTED' })
  })
  return door
}

function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference)
  } catch {
    throw new AppError('invalid', `"${reference}" is no part of an address: its percent signs stand for nothing.`)
  }
}

function limitOf(given = '1000'): number {
  if (/^\d{1,9}$/.test(given)) return Number(given)
  throw new AppError('invalid', `n must be a whole number, not "${given}".`)
}

const errorBody: ErrorBody = (error) => {
  const code = errorCode(error)
  const byCode = { unauthenticated: 'UNAUTHORIZED', forbidden: 'DENIED', not_found: 'NAME_UNKNOWN', invalid: 'MANIFEST_INVALID' }
  const reason = error instanceof AppError ? error.facts.reason : undefined
  const fallback = byCode[code as keyof typeof byCode] ?? 'UNSUPPORTED'
  return { errors: [{ code: reason ?? fallback, message: publicMessage(error), detail: error instanceof AppError ? error.problems : [] }] }
}

/** Chunks out of order are 416; what a part of an image stands against is 405. */
function statusOf(error: unknown) {
  if (errorCode(error) !== 'conflict') return null
  return error instanceof AppError && error.facts.reason === 'UNSUPPORTED' ? 405 : 416
}
