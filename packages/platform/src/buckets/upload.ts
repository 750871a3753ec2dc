/** Resumable uploads: sessions that take an object's bytes in several requests, and survive a restart of either side. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/id.ts'
import { interruptible, Newest } from '../core/newest.ts'
import type { Checksums } from './checksum.ts'
import type { ObjectFacts, Preconditions, StoredObject, WrittenData } from './object.ts'
import { DEFAULT_FACTS, type Storage, type WriteRequest } from './storage.ts'

export interface Upload {
  readonly id: string
  readonly bucket: string
  readonly name: string
  readonly facts: ObjectFacts
  readonly preconditions: Preconditions
  /** Sums that the client promised at the start; checked at the end. */
  readonly expected: Partial<Checksums>
  readonly createdBy: string
  readonly createdAt: string
  /** The generation that it became, once it is done: a client that missed the answer asks again. */
  readonly generation: number | null
}

export interface UploadStore {
  find(id: string): Promise<Upload | null>
  save(upload: Upload): Promise<void>
  delete(id: string): Promise<void>
  /** Those begun before `time`. */
  listOlderThan(time: string): Promise<Upload[]>
}

/** The bytes of uploads that are under way. */
export interface UploadData {
  /** How many bytes have arrived. */
  size(uploadId: string): Promise<number>
  /** Writes from `offset` on (dropping what stood behind it) and answers the new size. What arrived of a broken request stays. */
  append(uploadId: string, offset: number, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>
  /** Turns the bytes into an object's data. */
  finish(uploadId: string): Promise<WrittenData>
  discard(uploadId: string): Promise<void>
}

const KEEP_DAYS = 7

export interface UploadsOptions {
  readonly storage: Storage
  readonly store: UploadStore
  readonly data: UploadData
  readonly clock: Clock
}

/** One PUT to a session: which bytes it carries, and whether they are the last. */
export interface UploadPart {
  /** Where its first byte goes; null when it carries none and only asks how far the upload is. */
  readonly offset: number | null
  /** The size of the whole object, once the client knows it. */
  readonly total: number | null
  /** True when the object ends where this body ends. */
  readonly isLast: boolean
  readonly expected?: Partial<Checksums>
}

export class Uploads {
  #storage: Storage
  #store: UploadStore
  #data: UploadData
  #clock: Clock
  /** A client goes on in a new request when an old one hangs; two that write at once would spoil the bytes, even after the end. */
  #requests = new Newest()

  constructor({ storage, store, data, clock }: UploadsOptions) {
    this.#storage = storage
    this.#store = store
    this.#data = data
    this.#clock = clock
  }

  async begin(request: WriteRequest): Promise<Upload> {
    await this.#storage.checkWritable(request)
    const { bucket, name, facts, preconditions = {}, expected = {}, createdBy } = request
    const createdAt = this.#clock.now().toISOString()
    const upload = {
      id: newId(),
      bucket,
      name,
      facts: { ...DEFAULT_FACTS, ...facts },
      preconditions,
      expected,
      createdBy,
      createdAt,
      generation: null,
    }
    await this.#store.save(upload)
    return upload
  }

  /** Throws `not_found` for a session that never was, was cancelled, or is older than a week. */
  async find(id: string): Promise<Upload> {
    const upload = await this.#store.find(id)
    if (upload) return upload
    throw new AppError('not_found', `There is no upload "${id}": it was cancelled or is too old. Begin a new one.`)
  }

  /** Takes the bytes of `part`; answers the finished object, or how many bytes have arrived so far. */
  receive(id: string, part: UploadPart, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredObject | number> {
    const overtaken = () => new AppError('conflict', `Another request has gone on with upload "${id}". Ask it how far it is.`)
    return this.#requests.take(id, (either) => this.#receive(id, part, interruptible(content, either), either), { signal, overtaken })
  }

  async #receive(id: string, part: UploadPart, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<StoredObject | number> {
    const upload = await this.find(id)
    if (upload.generation !== null) return this.#storage.find(upload.bucket, upload.name)
    let size = await this.#data.size(id)
    if (part.offset !== null) {
      if (part.offset > size) return size
      size = await this.#data.append(id, part.offset, content, signal)
    }
    if (!(part.isLast || size === part.total)) return size
    if (part.total !== null && size !== part.total) return size
    const object = await this.#storage.commit(
      { ...upload, expected: { ...upload.expected, ...part.expected } },
      await this.#data.finish(id),
    )
    await this.#store.save({ ...upload, generation: object.generation })
    return object
  }

  async cancel(id: string): Promise<void> {
    await this.find(id)
    await this.#store.delete(id)
    await this.#data.discard(id)
  }

  /** Forgets sessions older than a week, as Cloud Storage does. */
  async sweep(): Promise<void> {
    const limit = new Date(this.#clock.now().getTime() - KEEP_DAYS * 86_400_000).toISOString()
    for (const { id } of await this.#store.listOlderThan(limit)) {
      await this.#store.delete(id)
      await this.#data.discard(id)
    }
  }
}
