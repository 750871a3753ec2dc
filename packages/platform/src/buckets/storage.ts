/** What can be done with the objects of buckets: write, read, list, copy, compose, patch and delete. */
import type { Readable } from 'node:stream'
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Buckets } from './bucket.ts'
import type { Checksums } from './checksum.ts'
import {
  type ByteRange,
  checkObjectName,
  checkPreconditions,
  type ObjectData,
  type ObjectFacts,
  type ObjectStore,
  type Preconditions,
  type StoredObject,
  type WrittenData,
} from './object.ts'

export interface WriteRequest {
  readonly bucket: string
  readonly name: string
  readonly facts?: Partial<ObjectFacts>
  readonly preconditions?: Preconditions
  /** Sums that the client promises; a difference is `invalid` and nothing is stored. */
  readonly expected?: Partial<Checksums>
  readonly createdBy: string
}

export interface ListRequest {
  readonly prefix?: string | undefined
  readonly delimiter?: string | undefined
  /** Names at or behind this one. */
  readonly startOffset?: string | undefined
  /** Names before this one. */
  readonly endOffset?: string | undefined
  readonly pageToken?: string | undefined
  readonly maxResults?: number | undefined
}

export interface ListPage {
  readonly items: StoredObject[]
  /** The "folders": names cut behind the first delimiter that follows the prefix. */
  readonly prefixes: string[]
  readonly nextPageToken: string | null
}

/** Something that can be read as an object although it is a growing file: the log of a running build. */
export type VirtualObjects = (bucket: string, name: string) => { path: string; size: number } | null

export interface StorageOptions {
  readonly buckets: Buckets
  readonly store: ObjectStore
  readonly data: ObjectData
  readonly clock: Clock
}

const MAX_PAGE = 1000
/** Behind every name that begins with what stands before it, in byte order. */
const LAST = '\u{10ffff}'

export const DEFAULT_FACTS: ObjectFacts = {
  contentType: 'application/octet-stream',
  contentEncoding: null,
  contentDisposition: null,
  cacheControl: null,
  metadata: {},
}

export class Storage {
  #buckets: Buckets
  #store: ObjectStore
  #data: ObjectData
  #clock: Clock
  #lastGeneration = 0

  constructor({ buckets, store, data, clock }: StorageOptions) {
    this.#buckets = buckets
    this.#store = store
    this.#data = data
    this.#clock = clock
  }

  /** Deletes data files that no object names: what a crash left between writing bytes and committing them. Run it before serving. */
  async sweep(): Promise<number> {
    return this.#data.sweep(await this.#store.dataIds())
  }

  /** Streams `content` to the disk and then, in one step, makes it the object. */
  async write(request: WriteRequest, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredObject> {
    await this.checkWritable(request)
    return this.commit(request, await this.#data.write(content, signal))
  }

  /** Throws early what `commit` would throw late, before bytes travel for nothing. */
  async checkWritable({ bucket, name, preconditions }: WriteRequest): Promise<void> {
    checkObjectName(name)
    await this.#buckets.find(bucket)
    if (preconditions) checkPreconditions(await this.#store.find(bucket, name), preconditions)
  }

  /** Makes data that is on the disk the object; deletes the data again when that fails. */
  async commit({ bucket, name, facts, preconditions, expected, createdBy }: WriteRequest, written: WrittenData): Promise<StoredObject> {
    const now = this.#clock.now()
    this.#lastGeneration = Math.max(now.getTime() * 1000, this.#lastGeneration + 1)
    const object: StoredObject = {
      ...DEFAULT_FACTS,
      ...facts,
      ...written,
      bucket,
      name,
      createdBy,
      generation: this.#lastGeneration,
      metageneration: 1,
      timeCreated: now.toISOString(),
      updated: now.toISOString(),
    }
    let replaced: StoredObject | null
    try {
      checkSums(bucket, name, written, expected)
      replaced = await this.#store.save(object, (current) => checkPreconditions(current, preconditions ?? {}))
    } catch (error) {
      await this.#data.delete(written.dataId)
      throw error
    }
    // Outside: from here on the new data is the object's, whatever becomes of the old.
    if (replaced) await this.#data.delete(replaced.dataId)
    return object
  }

  /** Throws `not_found`, also when `generation` is given and another one is live. */
  async find(bucket: string, name: string, generation?: number): Promise<StoredObject> {
    const object = await this.#store.find(bucket, name)
    if (object && (generation === undefined || object.generation === generation)) return object
    await this.#buckets.find(bucket)
    const which = generation === undefined ? '' : ` at generation ${generation}`
    throw new AppError('not_found', `No such object: ${bucket}/${name}${which}. List the bucket to see what it holds.`)
  }

  read(object: StoredObject, range?: ByteRange): Promise<Readable> {
    return this.#data.read(object.dataId, range)
  }

  async list(
    bucket: string,
    { prefix = '', delimiter, startOffset = '', endOffset, pageToken, maxResults }: ListRequest = {},
  ): Promise<ListPage> {
    await this.#buckets.find(bucket)
    const limit = Math.min(Math.max(maxResults ?? MAX_PAGE, 1), MAX_PAGE)
    const items: StoredObject[] = []
    const prefixes: string[] = []
    let from = pageToken ? readPageToken(pageToken) : startOffset
    for (;;) {
      const batch = await this.#store.list(bucket, { prefix, from, before: endOffset, limit: limit + 1 })
      let folder: string | undefined
      for (const { name, ...facts } of batch) {
        if (folder && name.startsWith(folder)) continue
        if (items.length + prefixes.length === limit) return { items, prefixes, nextPageToken: writePageToken(name) }
        const cut = delimiter ? name.indexOf(delimiter, prefix.length) : -1
        folder = cut < 0 ? undefined : name.slice(0, cut + (delimiter ?? '').length)
        if (folder) prefixes.push(folder)
        else items.push({ name, ...facts })
      }
      if (batch.length <= limit) return { items, prefixes, nextPageToken: null }
      from = folder ? folder + LAST : `${batch.at(-1)?.name}\0`
    }
  }

  /** Changes facts, not bytes. */
  async patch(bucket: string, name: string, facts: Partial<ObjectFacts>, preconditions: Preconditions = {}): Promise<StoredObject> {
    const object = await this.find(bucket, name)
    const changed = { ...object, ...facts, metageneration: object.metageneration + 1, updated: this.#clock.now().toISOString() }
    await this.#store.save(changed, (current) => {
      checkPreconditions(current, { ...preconditions, ifGenerationMatch: preconditions.ifGenerationMatch ?? object.generation })
    })
    return changed
  }

  async copy(source: { bucket: string; name: string; generation?: number | undefined }, request: WriteRequest): Promise<StoredObject> {
    const from = await this.find(source.bucket, source.name, source.generation)
    await this.checkWritable(request)
    const { contentType, contentEncoding, contentDisposition, cacheControl, metadata } = from
    const facts = { contentType, contentEncoding, contentDisposition, cacheControl, metadata, ...request.facts }
    return this.commit({ ...request, facts }, { ...from, dataId: await this.#data.copy(from.dataId) })
  }

  /** One object of the bytes of up to 32 others of the same bucket, in order. */
  async compose(sources: readonly { name: string; generation?: number | undefined }[], request: WriteRequest): Promise<StoredObject> {
    if (sources.length < 1 || sources.length > 32)
      throw new AppError(
        'invalid',
        `${request.bucket}/${request.name} cannot be composed of ${sources.length} objects: give 1 to 32 as sourceObjects.`,
      )
    const parts = await Promise.all(sources.map(({ name, generation }) => this.find(request.bucket, name, generation)))
    const data = this.#data
    const facts = { contentType: parts[0]?.contentType ?? DEFAULT_FACTS.contentType, ...request.facts }
    return this.write(
      { ...request, facts },
      (async function* () {
        for (const part of parts) yield* await data.read(part.dataId)
      })(),
    )
  }

  async delete(
    bucket: string,
    name: string,
    { generation, ...preconditions }: Preconditions & { generation?: number | undefined } = {},
  ): Promise<void> {
    await this.find(bucket, name, generation)
    const deleted = await this.#store.delete(bucket, name, (current) => {
      checkPreconditions(current, preconditions)
      // Somebody may have replaced it since it was found.
      if (generation !== undefined) checkPreconditions(current, { ifGenerationMatch: generation })
    })
    if (deleted) await this.#data.delete(deleted.dataId)
  }
}

function checkSums(bucket: string, name: string, actual: Checksums, expected: Partial<Checksums> = {}): void {
  for (const sum of ['md5Hash', 'crc32c'] as const) {
    if (expected[sum] && expected[sum] !== actual[sum])
      throw new AppError(
        'invalid',
        `${bucket}/${name} was not stored: its ${sum} is ${actual[sum]}, but the client promised ${expected[sum]}. Send it again.`,
      )
  }
}

const writePageToken = (name: string): string => Buffer.from(name).toString('base64url')
const readPageToken = (token: string): string => Buffer.from(token, 'base64url').toString()
