/** Blobs over `/v2/NAME/blobs`: read, mount, and upload in one request or in chunks. */
import { Readable } from 'node:stream'
import type { Context } from 'hono'
import { AppError } from '../../core/app-error.ts'
import type { Registry } from '../../images/registry.ts'
import { readRange } from '../byte-range.ts'
import type { DoorEnvironment } from '../door.ts'

export interface BlobRequest {
  readonly c: Context<DoorEnvironment>
  readonly name: string
  /** The last segment of the path: a digest, a tag or the id of an upload. */
  readonly reference: string
  readonly by: string
}

export async function getBlob(registry: Registry, { c, name, reference }: BlobRequest): Promise<Response> {
  const blob = await registry.findBlob(name, reference)
  const range = readRange(c.req.header('range'), blob.size)
  if (range === 'unsatisfiable') return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${blob.size}` } })
  const headers = {
    'Content-Type': 'application/octet-stream',
    'X-Content-Type-Options': 'nosniff',
    'Docker-Content-Digest': blob.digest,
    'Accept-Ranges': 'bytes',
    ETag: `"${blob.digest}"`,
    'Content-Length': String(range ? range.end - range.start + 1 : blob.size),
    ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${blob.size}` }),
  }
  const stream = c.req.method === 'HEAD' ? null : Readable.toWeb(await registry.readBlob(blob, range ?? undefined))
  return new Response(stream as ReadableStream<Uint8Array> | null, { status: range ? 206 : 200, headers })
}

export async function deleteBlob(registry: Registry, { name, reference }: BlobRequest): Promise<Response> {
  await registry.deleteBlob(name, reference)
  return new Response(null, { status: 202 })
}

export const uploadBlob = {
  async begin(registry: Registry, { c, name, by }: BlobRequest): Promise<Response> {
    const { mount, from, digest } = c.req.query()
    if (mount && (await registry.mountBlob(name, mount, from))) return created(name, mount)
    const uploadId = await registry.beginUpload(name)
    if (digest) return uploadBlob.finish(registry, { c, name, reference: uploadId, by })
    return accepted(name, uploadId, 0)
  },

  async append(registry: Registry, { c, name, reference }: BlobRequest): Promise<Response> {
    return accepted(name, reference, await registry.appendUpload(name, reference, readOffset(c), bodyOf(c), c.req.raw.signal))
  },

  async finish(registry: Registry, { c, name, reference }: BlobRequest): Promise<Response> {
    const digest = c.req.query('digest')
    if (!digest)
      throw new AppError('invalid', 'The end of an upload names its digest: PUT …?digest=sha256:….', { reason: 'DIGEST_INVALID' })
    await registry.appendUpload(name, reference, readOffset(c), bodyOf(c), c.req.raw.signal)
    await registry.finishUpload(name, reference, digest)
    return created(name, digest)
  },

  async progress(registry: Registry, { name, reference }: BlobRequest): Promise<Response> {
    return accepted(name, reference, await registry.uploaded(name, reference), 204)
  },

  async cancel(registry: Registry, { name, reference }: BlobRequest): Promise<Response> {
    await registry.cancelUpload(name, reference)
    return new Response(null, { status: 204 })
  },
}

const created = (name: string, digest: string) =>
  new Response(null, { status: 201, headers: { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest } })

const accepted = (name: string, uploadId: string, size: number, status = 202) =>
  new Response(null, {
    status,
    headers: {
      Location: `/v2/${name}/blobs/uploads/${uploadId}`,
      // An empty upload is `0-0`, as every registry words it.
      Range: `0-${Math.max(size - 1, 0)}`,
      'Docker-Upload-UUID': uploadId,
    },
  })

function readOffset(c: Context<DoorEnvironment>): number | null {
  const header = c.req.header('content-range')
  if (!header) return null
  const [, first] = /^(?:bytes )?(\d+)-\d+(?:\/(?:\d+|\*))?$/.exec(header.trim()) ?? []
  if (first === undefined)
    throw new AppError('invalid', `Content-Range "${header}" cannot be read. Send FIRST-LAST.`, { reason: 'BLOB_UPLOAD_INVALID' })
  return Number(first)
}

async function* bodyOf(c: Context<DoorEnvironment>): AsyncIterable<Uint8Array> {
  if (c.req.raw.body) yield* c.req.raw.body
}
