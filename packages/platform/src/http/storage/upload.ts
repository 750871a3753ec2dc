/** `/upload/storage/v1`: objects in one request (media, multipart) or in several (resumable). */
import type { StoredObject } from '../../buckets/object.ts'
import type { Storage, WriteRequest } from '../../buckets/storage.ts'
import type { UploadPart, Uploads } from '../../buckets/upload.ts'
import { AppError } from '../../core/app-error.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { readRelated } from './multipart.ts'
import { type DoorContext, objectResource, originOf, readExpected, readFacts, readPreconditions, readResource } from './resource.ts'

export function addUploadRoutes(door: Door, { storage, uploads }: { storage: Storage; uploads: Uploads }): void {
  const write = permit('buckets.write')

  for (const root of ['/upload/storage/v1', '/resumable/upload/storage/v1']) {
    door.post(`${root}/b/:bucket/o`, write, async (c) => {
      const type = c.req.query('uploadType')
      if (type === 'resumable') return c.req.query('upload_id') ? continueUpload(c) : beginUpload(c, root)
      if (type === 'multipart') return uploadMultipart(c)
      if (type === 'media') return uploadMedia(c)
      throw new AppError('invalid', `uploadType=${type ?? ''} is unknown. Use media, multipart or resumable.`)
    })
    door.put(`${root}/b/:bucket/o`, write, (c) => continueUpload(c))
    door.delete(`${root}/b/:bucket/o`, write, async (c) => {
      await uploads.cancel(uploadId(c))
      // Cloud Storage's own answer to a cancelled upload.
      return new Response(null, { status: 499 })
    })
  }

  function requestOf(c: DoorContext, resource: Record<string, unknown> = {}, contentType?: string | null): WriteRequest {
    return {
      bucket: c.req.param('bucket') ?? '',
      name: c.req.query('name') ?? (typeof resource.name === 'string' ? resource.name : ''),
      facts: { ...(contentType && { contentType }), ...readFacts(resource) },
      preconditions: readPreconditions(c),
      expected: readExpected(c, resource),
      createdBy: requirePermission(c, 'buckets.write').subject,
    }
  }

  async function uploadMedia(c: DoorContext) {
    const contentEncoding = c.req.query('contentEncoding')
    const request = requestOf(c, contentEncoding ? { contentEncoding } : {}, c.req.header('content-type'))
    return answer(c, await storage.write(request, bodyOf(c), c.req.raw.signal))
  }

  async function uploadMultipart(c: DoorContext) {
    const { facts, contentType, content } = await readRelated(c.req.header('content-type') ?? '', bodyOf(c))
    return answer(c, await storage.write(requestOf(c, facts, contentType), content, c.req.raw.signal))
  }

  async function beginUpload(c: DoorContext, root: string) {
    const request = requestOf(c, await readResource(c), c.req.header('x-upload-content-type'))
    const { id } = await uploads.begin(request)
    const location = `${originOf(c)}${root}/b/${request.bucket}/o?uploadType=resumable&name=${encodeURIComponent(request.name)}&upload_id=${id}`
    return c.body(null, 200, { Location: location, 'X-GUploader-UploadID': id })
  }

  async function continueUpload(c: DoorContext) {
    const part = readPart(c)
    const result = await uploads.receive(uploadId(c), part, bodyOf(c), c.req.raw.signal)
    if (typeof result !== 'number') return answer(c, result)
    return new Response(null, { status: 308, headers: result > 0 ? { Range: `bytes=0-${result - 1}` } : {} })
  }
}

const answer = (c: DoorContext, object: StoredObject): Response =>
  c.json(objectResource(originOf(c), object), 200, { 'X-Goog-Generation': String(object.generation) })

const uploadId = (c: DoorContext): string => c.req.query('upload_id') ?? ''

async function* bodyOf(c: DoorContext): AsyncIterable<Uint8Array> {
  if (c.req.raw.body) yield* c.req.raw.body
}

/** `bytes 0-99/200`, `bytes 0-99/*` (more will follow), `bytes 100-*` of `/*` (until the end), `bytes *` of `/200` (how far are we?). */
function readPart(c: DoorContext): UploadPart {
  const expected = readExpected(c)
  const header = c.req.header('content-range')
  if (header === undefined) return { offset: 0, total: null, isLast: true, expected }
  const match = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(header.trim())
  if (!match) throw new AppError('invalid', `Content-Range ${JSON.stringify(header)} cannot be read. Send "bytes FIRST-LAST/TOTAL".`)
  const [, first, last, size] = match
  const total = size === '*' || size === undefined ? null : Number(size)
  return { offset: first === undefined ? null : Number(first), total, isLast: last === '*' && total === null, expected }
}
