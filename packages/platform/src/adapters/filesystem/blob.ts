/** Bytes of blobs in files named by their digest: `sha256/ab/abcd…`, and `uploads/ID` for those that are still arriving. */

import type { Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { nullIfAbsent } from '../../core/absent.ts'
import { AppError } from '../../core/app-error.ts'
import type { Blob, BlobData } from '../../images/blob.ts'
import { algorithmOf, hasher } from '../../images/digest.ts'

export class BlobFiles implements BlobData {
  #root: string
  /** The sums of uploads so far: nearly all digests are SHA-256, and so need no second reading. */
  #sums = new Map<string, { hash: Hash; size: number }>()

  constructor(root: string) {
    this.#root = root
  }

  /** Drops uploads that the last process left behind. Run it before serving. */
  async sweep(): Promise<void> {
    await rm(join(this.#root, 'uploads'), { recursive: true, force: true })
  }

  async uploaded(uploadId: string): Promise<number> {
    return (await stat(this.#uploadPath(uploadId)).catch(nullIfAbsent))?.size ?? 0
  }

  async append(uploadId: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number> {
    const path = this.#uploadPath(uploadId)
    await mkdir(dirname(path), { recursive: true })
    const sum = this.#sums.get(uploadId) ?? { hash: hasher('sha256'), size: 0 }
    this.#sums.set(uploadId, sum)
    const summed = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        sum.hash.update(chunk)
        sum.size += chunk.length
        yield chunk
      }
    }
    await pipeline(content, summed, createWriteStream(path, { flags: 'a', flush: true }), { signal })
    return this.uploaded(uploadId)
  }

  async finish(uploadId: string, digest: string): Promise<Blob> {
    const path = this.#uploadPath(uploadId)
    const size = await this.uploaded(uploadId)
    if (size === 0) {
      await mkdir(dirname(path), { recursive: true })
      await (await open(path, 'a')).close()
    }
    const actual = await this.#digest(uploadId, path, size, digest)
    this.#sums.delete(uploadId)
    if (actual !== digest) {
      await rm(path, { force: true })
      throw new AppError('invalid', `The bytes that were sent have the digest ${actual}, not ${digest}. Send them again.`, {
        reason: 'DIGEST_INVALID',
      })
    }
    await mkdir(dirname(this.#path(digest)), { recursive: true })
    await rename(path, this.#path(digest))
    return { digest, size }
  }

  async discard(uploadId: string): Promise<void> {
    this.#sums.delete(uploadId)
    await rm(this.#uploadPath(uploadId), { force: true })
  }

  async read(digest: string, range?: { start: number; end: number }): Promise<Readable> {
    const handle = await open(this.#path(digest))
    return handle.createReadStream(range ?? {})
  }

  async delete(digest: string): Promise<void> {
    await rm(this.#path(digest), { force: true })
  }

  async #digest(uploadId: string, path: string, size: number, wanted: string): Promise<string> {
    const algorithm = algorithmOf(wanted)
    const sum = this.#sums.get(uploadId)
    if (sum && algorithm === 'sha256' && sum.size === size) return `sha256:${sum.hash.digest('hex')}`
    const hash = hasher(algorithm)
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
    return `${algorithm}:${hash.digest('hex')}`
  }

  #path(digest: string): string {
    const algorithm = algorithmOf(digest)
    const hex = digest.slice(algorithm.length + 1)
    return join(this.#root, algorithm, hex.slice(0, 2), hex)
  }

  #uploadPath(uploadId: string): string {
    return join(this.#root, 'uploads', uploadId)
  }
}
