/** Objects over `/storage/v1`: facts, bytes, lists, copies. */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { checkPreconditions, type Preconditions, type StoredObject } from '../../buckets/object.ts'
import type { Storage, VirtualObjects } from '../../buckets/storage.ts'
import { AppError } from '../../core/app-error.ts'
import { readRange, type Span } from '../byte-range.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { type DoorContext, etag, objectResource, originOf, readFacts, readNumber, readPreconditions, readResource } from './resource.ts'

export function addObjectRoutes(
  door: Door,
  root: string,
  { storage, virtualObjects }: { storage: Storage; virtualObjects: VirtualObjects },
): void {
  const read = permit('buckets.read')
  const write = permit('buckets.write')

  door.get(`${root}/b/:bucket/o`, read, async (c) => {
    const { prefix, delimiter, startOffset, endOffset, pageToken } = c.req.query()
    const maxResults = readNumber(c, 'maxResults')
    const page = await storage.list(c.req.param('bucket'), { prefix, delimiter, startOffset, endOffset, pageToken, maxResults })
    return c.json({
      kind: 'storage#objects',
      items: page.items.map((object) => objectResource(originOf(c), object)),
      prefixes: page.prefixes,
      ...(page.nextPageToken && { nextPageToken: page.nextPageToken }),
    })
  })

  door.get(`${root}/b/:bucket/o/:object`, read, async (c) => {
    const { bucket, object: name } = c.req.param()
    const growing = virtualObjects(bucket, name)
    if (growing && c.req.query('alt') === 'media') return sendFile(c, growing.path, growing.size)
    const object = growing ? virtualObject(bucket, name, growing.size) : await storage.find(bucket, name, readNumber(c, 'generation'))
    if (isUnchanged(object, readPreconditions(c))) return c.body(null, 304)
    return c.req.query('alt') === 'media' ? sendObject(c, object) : c.json(objectResource(originOf(c), object))
  })

  door.on(['PATCH', 'PUT'], [`${root}/b/:bucket/o/:object`], write, async (c) => {
    const facts = readFacts(await readResource(c))
    const object = await storage.patch(c.req.param('bucket'), c.req.param('object'), facts, readPreconditions(c))
    return c.json(objectResource(originOf(c), object))
  })

  door.delete(`${root}/b/:bucket/o/:object`, write, async (c) => {
    const generation = readNumber(c, 'generation')
    await storage.delete(c.req.param('bucket'), c.req.param('object'), { ...readPreconditions(c), generation })
    return c.body(null, 204)
  })

  door.post(`${root}/b/:bucket/o/:object/compose`, write, async (c) => {
    const { sourceObjects, destination } = (await readResource(c)) as {
      sourceObjects?: { name: string; generation?: string }[]
      destination?: Record<string, unknown>
    }
    const sources = (sourceObjects ?? []).map(({ name, generation }) => ({ name, generation: generation ? Number(generation) : undefined }))
    const object = await storage.compose(sources, {
      bucket: c.req.param('bucket'),
      name: c.req.param('object'),
      facts: readFacts(destination ?? {}),
      preconditions: readPreconditions(c),
      createdBy: requirePermission(c, 'buckets.write').subject,
    })
    return c.json(objectResource(originOf(c), object))
  })

  const copy = async (c: DoorContext) => {
    const { bucket = '', source = '', toBucket = '', to = '' } = c.req.param() as Record<string, string>
    requirePermission(c, 'buckets.read')
    return storage.copy(
      { bucket, name: source, generation: readNumber(c, 'sourceGeneration') },
      {
        bucket: toBucket,
        name: to,
        facts: readFacts(await readResource(c)),
        preconditions: readPreconditions(c),
        createdBy: requirePermission(c, 'buckets.write').subject,
      },
    )
  }

  door.post(`${root}/b/:bucket/o/:source/copyTo/b/:toBucket/o/:to`, write, async (c) => c.json(objectResource(originOf(c), await copy(c))))

  // One call always finishes: nothing here is so large that a rewrite needs a token to go on.
  door.post(`${root}/b/:bucket/o/:source/rewriteTo/b/:toBucket/o/:to`, write, async (c) => {
    const object = await copy(c)
    const resource = objectResource(originOf(c), object)
    return c.json({
      kind: 'storage#rewriteResponse',
      done: true,
      objectSize: String(object.size),
      totalBytesRewritten: String(object.size),
      resource,
    })
  })

  async function sendObject(c: DoorContext, object: StoredObject): Promise<Response> {
    // A client that cannot inflate gets the plain bytes, as Cloud Storage gives them; ranges then make no sense.
    const inflate = object.contentEncoding === 'gzip' && !/gzip/.test(c.req.header('accept-encoding') ?? '')
    const range = inflate ? null : readRange(c.req.header('range'), object.size)
    if (range === 'unsatisfiable') return outOfRange(object.size)
    const stream = c.req.method === 'HEAD' ? null : toWeb(await storage.read(object, range ?? undefined))
    const headers: Record<string, string> = {
      'X-Goog-Generation': String(object.generation),
      'X-Goog-Metageneration': String(object.metageneration),
      'X-Goog-Stored-Content-Length': String(object.size),
      'X-Goog-Stored-Content-Encoding': object.contentEncoding ?? 'identity',
      'X-Goog-Hash': `crc32c=${object.crc32c},md5=${object.md5Hash}`,
      ETag: etag(object.generation, object.metageneration),
      'Last-Modified': new Date(object.updated).toUTCString(),
      ...(object.contentEncoding && !inflate && { 'Content-Encoding': object.contentEncoding }),
      ...(object.contentDisposition && { 'Content-Disposition': object.contentDisposition }),
      ...(object.cacheControl && { 'Cache-Control': object.cacheControl }),
    }
    if (inflate) {
      const plain = stream?.pipeThrough(new DecompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>) ?? null
      return new Response(plain, { headers: { ...headers, ...safely(object.contentType) } })
    }
    return sendBytes(stream, object.contentType, object.size, range, headers)
  }

  async function sendFile(c: DoorContext, path: string, size: number): Promise<Response> {
    const readable = Math.min(size, (await stat(path)).size)
    const range = readRange(c.req.header('range'), readable)
    if (range === 'unsatisfiable') return outOfRange(readable)
    const span = range ?? { start: 0, end: readable - 1 }
    const stream = readable === 0 || c.req.method === 'HEAD' ? null : toWeb(createReadStream(path, span))
    return sendBytes(stream, 'text/plain; charset=utf-8', readable, range, { 'Cache-Control': 'no-store' })
  }
}

function sendBytes(
  stream: ReadableStream<Uint8Array> | null,
  contentType: string,
  size: number,
  range: Span | null,
  headers: Record<string, string>,
): Response {
  const length = range ? range.end - range.start + 1 : size
  return new Response(stream, {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      ...safely(contentType),
      'Accept-Ranges': 'bytes',
      'Content-Length': String(length),
      ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` }),
    },
  })
}

/** Objects are written by others and answered from the origin of our own pages: no script in them may run there. */
const safely = (contentType: string): Record<string, string> => ({
  'Content-Type': contentType,
  'Content-Security-Policy': 'sandbox',
  'X-Content-Type-Options': 'nosniff',
})

const toWeb = (stream: Readable) => Readable.toWeb(stream) as ReadableStream<Uint8Array>

/** A reader of a growing log asks for what is behind its end, so this is an everyday answer and no error. */
const outOfRange = (size: number) => new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${size}` } })

/** True when a "not match" precondition does match: a reader then has the object already. Other preconditions throw. */
function isUnchanged(object: StoredObject, preconditions: Preconditions): boolean {
  try {
    checkPreconditions(object, preconditions)
    return false
  } catch (error) {
    if (error instanceof AppError && error.facts.reason === 'notModified') return true
    throw error
  }
}

function virtualObject(bucket: string, name: string, size: number): StoredObject {
  const now = new Date(0).toISOString()
  return {
    ...{ bucket, name, size, generation: 1, metageneration: 1, dataId: '', md5Hash: '', crc32c: '', createdBy: 'system' },
    ...{ contentType: 'text/plain; charset=utf-8', contentEncoding: null, contentDisposition: null, cacheControl: 'no-store' },
    ...{ metadata: {}, timeCreated: now, updated: now },
  }
}
