/** Manifests, tags and referrers over `/v2/NAME`. */
import type { Context } from 'hono'
import { AppError } from '../../core/app-error.ts'
import { IMAGE_INDEX } from '../../images/manifest.ts'
import type { Registry } from '../../images/registry.ts'
import type { DoorEnvironment } from '../door.ts'
import type { BlobRequest } from './blob.ts'

const MAX_MANIFEST = 8 << 20

export async function getManifest(registry: Registry, { c, name, reference }: BlobRequest): Promise<Response> {
  const { digest, mediaType, bytes } = await registry.findManifest(name, reference)
  const headers = {
    'Content-Type': mediaType,
    'X-Content-Type-Options': 'nosniff',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Content-Length': String(bytes.length),
  }
  return new Response(c.req.method === 'HEAD' ? null : Buffer.from(bytes), { headers })
}

export async function putManifest(registry: Registry, { c, name, reference, by }: BlobRequest): Promise<Response> {
  const contentType = (c.req.header('content-type') ?? '').split(';')[0]?.trim()
  if (!contentType) throw new AppError('invalid', 'A manifest needs its media type as Content-Type.', { reason: 'MANIFEST_INVALID' })
  const bytes = await readManifestBytes(c)
  const tags = c.req.queries('tag') ?? []
  const manifest = await registry.pushManifest(name, reference, { bytes, contentType, tags, by })
  const headers = new Headers({ Location: `/v2/${name}/manifests/${manifest.digest}`, 'Docker-Content-Digest': manifest.digest })
  if (manifest.subject) headers.set('OCI-Subject', manifest.subject)
  if (tags.length > 0) headers.set('OCI-Tag', tags.join(', '))
  return new Response(null, { status: 201, headers })
}

export async function deleteManifest(registry: Registry, { name, reference }: BlobRequest): Promise<Response> {
  await registry.deleteManifest(name, reference)
  return new Response(null, { status: 202 })
}

export async function listTags(registry: Registry, { c, name }: BlobRequest): Promise<Response> {
  const { n, last } = c.req.query()
  if (n !== undefined && !/^\d+$/.test(n)) throw new AppError('invalid', `n must be a whole number, not "${n}".`)
  const { tags, hasMore } = await registry.listTags(name, { last: last ?? '', ...(n !== undefined && { limit: Number(n) }) })
  const next = `</v2/${name}/tags/list?n=${n}&last=${encodeURIComponent(tags.at(-1) ?? '')}>; rel="next"`
  return c.json({ name, tags }, 200, hasMore ? { Link: next } : {})
}

export async function listReferrers(registry: Registry, { c, name, reference }: BlobRequest): Promise<Response> {
  const wanted = c.req.query('artifactType')
  const manifests = (await registry.referrers(name, reference, wanted)).map(({ mediaType, digest, bytes, artifactType, annotations }) => ({
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }))
  return new Response(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE_INDEX, manifests }), {
    headers: { 'Content-Type': IMAGE_INDEX, ...(wanted && { 'OCI-Filters-Applied': 'artifactType' }) },
  })
}

async function readManifestBytes(c: Context<DoorEnvironment>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length
    if (size > MAX_MANIFEST)
      throw new AppError('invalid', `A manifest may have ${MAX_MANIFEST} bytes; this one has more.`, { reason: 'MANIFEST_INVALID' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
