/** The image registry: what can be done with blobs, manifests and tags. */
import type { Readable } from 'node:stream'
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { newId } from '../core/id.ts'
import { interruptible, Newest } from '../core/newest.ts'
import type { Blob, BlobData, BlobStore } from './blob.ts'
import { algorithmOf, checkRepositoryName, checkTag, digestOf, isDigest } from './digest.ts'
import { type Manifest, type ManifestStore, readManifest, type TagStore } from './manifest.ts'

export interface RegistryOptions {
  readonly blobs: BlobStore
  readonly data: BlobData
  readonly manifests: ManifestStore
  readonly tags: TagStore
  readonly events: Events
  readonly clock: Clock
}

const MAX_PAGE = 1000

export class Registry {
  #blobs: BlobStore
  #data: BlobData
  #manifests: ManifestStore
  #tags: TagStore
  #events: Events
  #clock: Clock
  /** Uploads under way, by id, with their repository. They end with the process: clients then begin again. */
  #uploads = new Map<string, string>()
  /** A client goes on in a new request when an old one hangs; two that write at once would spoil the blob, even after its digest was checked. */
  #requests = new Newest()

  constructor({ blobs, data, manifests, tags, events, clock }: RegistryOptions) {
    this.#blobs = blobs
    this.#data = data
    this.#manifests = manifests
    this.#tags = tags
    this.#events = events
    this.#clock = clock
  }

  /** Throws `not_found` (BLOB_UNKNOWN) when this repository does not hold it. */
  async findBlob(repository: string, digest: string): Promise<Blob> {
    checkRepositoryName(repository)
    algorithmOf(digest)
    const blob = await this.#blobs.find(repository, digest)
    if (blob) return blob
    throw notFound('BLOB_UNKNOWN', `${repository} holds no blob ${digest}. Push it first.`)
  }

  readBlob(blob: Blob, range?: { start: number; end: number }): Promise<Readable> {
    return this.#data.read(blob.digest, range)
  }

  async beginUpload(repository: string): Promise<string> {
    checkRepositoryName(repository)
    const uploadId = newId()
    this.#uploads.set(uploadId, repository)
    return uploadId
  }

  /** How many bytes have arrived. */
  async uploaded(repository: string, uploadId: string): Promise<number> {
    this.#checkUpload(repository, uploadId)
    return this.#data.uploaded(uploadId)
  }

  /** `offset` is where the sender believes to be; throws `conflict` (BLOB_UPLOAD_INVALID) when that is not the end of what has arrived. */
  appendUpload(
    repository: string,
    uploadId: string,
    offset: number | null,
    content: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<number> {
    const append = async (either: AbortSignal) => {
      const size = await this.uploaded(repository, uploadId)
      if (offset !== null && offset !== size)
        throw new AppError('conflict', `This chunk begins at ${offset}, but ${size} bytes have arrived. Send the chunks in order.`, {
          reason: 'BLOB_UPLOAD_INVALID',
          size,
        })
      return this.#data.append(uploadId, interruptible(content, either), either)
    }
    const overtaken = () =>
      new AppError('conflict', 'Another request has gone on with this upload. Ask it how far it is.', { reason: 'BLOB_UPLOAD_INVALID' })
    return this.#requests.take(uploadId, append, { signal, overtaken })
  }

  async finishUpload(repository: string, uploadId: string, digest: string): Promise<Blob> {
    this.#checkUpload(repository, uploadId)
    algorithmOf(digest)
    this.#uploads.delete(uploadId)
    const blob = await this.#data.finish(uploadId, digest)
    await this.#blobs.add(repository, blob)
    return blob
  }

  async cancelUpload(repository: string, uploadId: string): Promise<void> {
    this.#checkUpload(repository, uploadId)
    this.#uploads.delete(uploadId)
    await this.#data.discard(uploadId)
  }

  /** Makes a blob of another repository (`from`, or any) one of this; null when there is none. */
  async mountBlob(repository: string, digest: string, from: string | undefined): Promise<Blob | null> {
    checkRepositoryName(repository)
    algorithmOf(digest)
    const blob = from ? await this.#blobs.find(from, digest) : await this.#blobs.findAnywhere(digest)
    if (blob) await this.#blobs.add(repository, blob)
    return blob
  }

  async deleteBlob(repository: string, digest: string): Promise<void> {
    await this.findBlob(repository, digest)
    if (await this.#manifests.mentions(repository, digest))
      throw new AppError('conflict', `Blob ${digest} is part of an image of ${repository}. Delete the image's manifest first.`, {
        reason: 'UNSUPPORTED',
      })
    if (await this.#blobs.remove(repository, digest)) await this.#data.delete(digest)
  }

  /** By tag or by digest; throws `not_found` (MANIFEST_UNKNOWN, NAME_UNKNOWN). */
  async findManifest(repository: string, reference: string): Promise<Manifest> {
    checkRepositoryName(repository)
    const digest = isDigest(reference) ? reference : await this.#tags.find(repository, reference)
    const manifest = digest && (await this.#manifests.find(repository, digest))
    if (manifest) return manifest
    await this.#checkRepository(repository)
    throw notFound('MANIFEST_UNKNOWN', `${repository} has no image "${reference}". List its tags to see what it has.`)
  }

  /** `reference` is a tag or the digest of `bytes`; every blob and manifest that it names must be in the repository already. */
  async pushManifest(
    repository: string,
    reference: string,
    { bytes, contentType, tags = [], by }: { bytes: Uint8Array; contentType: string; tags?: readonly string[]; by: string },
  ): Promise<Manifest> {
    checkRepositoryName(repository)
    const byDigest = reference.includes(':')
    const digest = digestOf(bytes, byDigest ? algorithmOf(reference) : 'sha256')
    if (byDigest && digest !== reference)
      throw new AppError('invalid', `The manifest has the digest ${digest}, not ${reference}.`, { reason: 'DIGEST_INVALID' })
    const allTags = byDigest ? tags : [reference, ...tags]
    allTags.forEach(checkTag)
    const content = readManifest(bytes, contentType)
    await this.#checkParts(repository, content)
    const { mediaType, subject, artifactType, annotations, size } = content
    const createdAt = this.#clock.now().toISOString()
    const manifest = { repository, digest, mediaType, bytes, subject, artifactType, annotations, createdBy: by, createdAt }
    await this.#manifests.save(manifest, allTags)
    this.#events.emit('image.pushed', by, { repository, digest, tag: allTags[0] ?? null, bytes: size + bytes.length })
    return manifest
  }

  /** A digest deletes the manifest with its tags; a tag deletes only itself. */
  async deleteManifest(repository: string, reference: string): Promise<void> {
    checkRepositoryName(repository)
    const deleted = isDigest(reference)
      ? await this.#manifests.delete(repository, reference)
      : await this.#tags.delete(repository, reference)
    if (deleted) return
    await this.#checkRepository(repository)
    throw notFound('MANIFEST_UNKNOWN', `${repository} has no image "${reference}".`)
  }

  /** One more than `limit` is never answered; `hasMore` says that there is. */
  async listTags(repository: string, { last = '', limit = MAX_PAGE } = {}): Promise<{ tags: string[]; hasMore: boolean }> {
    checkRepositoryName(repository)
    await this.#checkRepository(repository)
    const tags = await this.#tags.list(repository, { last, limit: Math.min(limit, MAX_PAGE) + 1 })
    return { tags: tags.slice(0, limit), hasMore: tags.length > limit && limit > 0 }
  }

  async listRepositories({ last = '', limit = MAX_PAGE } = {}): Promise<{ repositories: string[]; hasMore: boolean }> {
    const repositories = await this.#tags.repositories({ last, limit: Math.min(limit, MAX_PAGE) + 1 })
    return { repositories: repositories.slice(0, limit), hasMore: repositories.length > limit && limit > 0 }
  }

  /** Manifests whose subject is `digest`; none is an answer, also where the subject is not known. */
  async referrers(repository: string, digest: string, artifactType?: string): Promise<Manifest[]> {
    checkRepositoryName(repository)
    algorithmOf(digest)
    const found = await this.#manifests.referrers(repository, digest)
    return artifactType ? found.filter((manifest) => manifest.artifactType === artifactType) : found
  }

  #checkUpload(repository: string, uploadId: string): void {
    checkRepositoryName(repository)
    if (this.#uploads.get(uploadId) !== repository)
      throw notFound('BLOB_UPLOAD_UNKNOWN', `${repository} has no upload "${uploadId}": it has ended. Begin a new one.`)
  }

  async #checkRepository(repository: string): Promise<void> {
    if (!(await this.#tags.exists(repository)))
      throw notFound('NAME_UNKNOWN', `There is no image repository "${repository}". Pushing an image makes one.`)
  }

  async #checkParts(repository: string, { blobs, manifests }: ReturnType<typeof readManifest>): Promise<void> {
    const problems: string[] = []
    for (const { digest, urls } of blobs)
      if (!urls?.length && !(await this.#blobs.find(repository, digest))) problems.push(`blob ${digest} is missing`)
    for (const { digest } of manifests)
      if (!(await this.#manifests.find(repository, digest))) problems.push(`manifest ${digest} is missing`)
    if (problems.length > 0)
      throw new AppError('invalid', `This manifest cannot be stored in ${repository} before its parts. Push them first:`, {
        problems,
        reason: 'MANIFEST_BLOB_UNKNOWN',
      })
  }
}

const notFound = (reason: string, message: string) => new AppError('not_found', message, { reason })
