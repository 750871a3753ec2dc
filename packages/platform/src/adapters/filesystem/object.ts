/** Bytes of objects in files named by generated ids: `data/ab/abcd…`, and `uploads/ID` for those that are still arriving. */

import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Checksum } from '../../buckets/checksum.ts'
import type { ByteRange, ObjectData, WrittenData } from '../../buckets/object.ts'
import type { UploadData } from '../../buckets/upload.ts'
import { nullIfAbsent } from '../../core/absent.ts'
import { newId } from '../../core/id.ts'

export class ObjectFiles implements ObjectData, UploadData {
  #data: string
  #uploads: string

  constructor(root: string) {
    this.#data = join(root, 'data')
    this.#uploads = join(root, 'uploads')
  }

  async write(content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenData> {
    const dataId = newId()
    const temporary = await this.#uploadPath(`${dataId}.tmp`)
    try {
      const checksum = new Checksum()
      await pipeline(content, summing(checksum), createWriteStream(temporary, { flush: true }), { signal })
      await rename(temporary, await this.#newPath(dataId))
      return { dataId, size: checksum.size, ...checksum.digest() }
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async read(dataId: string, range?: ByteRange): Promise<Readable> {
    if (range && range.end < range.start) return Readable.from([])
    const handle = await open(this.#path(dataId))
    return handle.createReadStream(range ? { start: range.start, end: range.end } : {})
  }

  async copy(dataId: string): Promise<string> {
    const id = newId()
    const path = await this.#newPath(id)
    // Data files never change, so two names for one file do; file systems without links get a copy.
    await link(this.#path(dataId), path).catch(() => copyFile(this.#path(dataId), path))
    return id
  }

  async delete(dataId: string): Promise<void> {
    await rm(this.#path(dataId), { force: true })
  }

  async sweep(kept: ReadonlySet<string>): Promise<number> {
    let swept = 0
    for (const folder of await readdir(this.#data).catch(() => []))
      for (const id of await readdir(join(this.#data, folder)))
        if (!kept.has(id)) {
          await rm(join(this.#data, folder, id))
          swept++
        }
    for (const name of await readdir(this.#uploads).catch(() => [])) if (name.endsWith('.tmp')) await rm(join(this.#uploads, name))
    return swept
  }

  async size(uploadId: string): Promise<number> {
    return (await stat(await this.#uploadPath(uploadId)).catch(nullIfAbsent))?.size ?? 0
  }

  async append(uploadId: string, offset: number, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number> {
    const path = await this.#uploadPath(uploadId)
    if ((await this.size(uploadId)) > offset) await truncate(path, offset)
    await pipeline(content, createWriteStream(path, { flags: 'a', flush: true }), { signal })
    return this.size(uploadId)
  }

  async finish(uploadId: string): Promise<WrittenData> {
    const path = await this.#uploadPath(uploadId)
    const checksum = new Checksum()
    if ((await this.size(uploadId)) === 0) await (await open(path, 'a')).close()
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) checksum.update(chunk)
    const dataId = newId()
    await rename(path, await this.#newPath(dataId))
    return { dataId, size: checksum.size, ...checksum.digest() }
  }

  async discard(uploadId: string): Promise<void> {
    await rm(await this.#uploadPath(uploadId), { force: true })
  }

  #path(dataId: string): string {
    return join(this.#data, dataId.slice(0, 2), dataId)
  }

  async #newPath(dataId: string): Promise<string> {
    await mkdir(join(this.#data, dataId.slice(0, 2)), { recursive: true })
    return this.#path(dataId)
  }

  async #uploadPath(name: string): Promise<string> {
    await mkdir(this.#uploads, { recursive: true })
    return join(this.#uploads, name)
  }
}

const summing = (checksum: Checksum) =>
  async function* (content: AsyncIterable<Uint8Array>) {
    for await (const chunk of content) {
      checksum.update(chunk)
      yield chunk
    }
  }
