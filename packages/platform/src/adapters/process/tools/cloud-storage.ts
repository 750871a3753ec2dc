/** The client of Cloud Storage's JSON API that the tools share: objects by their `gs://` addresses. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../../../core/app-error.ts'
import { type Endpoint, refusal } from './endpoint.ts'

export interface ObjectAddress {
  readonly bucket: string
  readonly name: string
}

export interface StoredFile {
  readonly name: string
  readonly size: string
  readonly md5Hash?: string
  readonly updated?: string
}

export const isAddress = (text: string): boolean => text.startsWith('gs://')

/** Throws `invalid` when `text` names no bucket. */
export function parseAddress(text: string): ObjectAddress {
  const [, bucket, name = ''] = /^gs:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? []
  if (!bucket) throw new AppError('invalid', `"${text}" is not an address of Cloud Storage. Write gs://BUCKET/OBJECT.`)
  return { bucket, name }
}

export const formatAddress = ({ bucket, name }: ObjectAddress): string => `gs://${bucket}/${name}`

const objectPath = ({ bucket, name }: ObjectAddress): string => `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}`

export class CloudStorage {
  #endpoint: Endpoint
  #signal: AbortSignal

  constructor(endpoint: Endpoint, signal: AbortSignal) {
    this.#endpoint = endpoint
    this.#signal = signal
  }

  /** All objects whose names begin with `prefix`; with a delimiter also the "folders" directly below. */
  async list(bucket: string, prefix: string, delimiter?: string): Promise<{ objects: StoredFile[]; prefixes: string[] }> {
    const objects: StoredFile[] = []
    const prefixes: string[] = []
    let pageToken: string | undefined
    do {
      const query = new URLSearchParams({ prefix, ...(delimiter ? { delimiter } : {}), ...(pageToken ? { pageToken } : {}) })
      const page = await this.#endpoint.json<{ items?: StoredFile[]; prefixes?: string[]; nextPageToken?: string }>(
        `/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`,
        { signal: this.#signal },
      )
      objects.push(...(page.items ?? []))
      prefixes.push(...(page.prefixes ?? []))
      pageToken = page.nextPageToken
    } while (pageToken)
    return { objects, prefixes }
  }

  async listBuckets(project: string): Promise<string[]> {
    const { items = [] } = await this.#endpoint.json<{ items?: { name: string }[] }>(`/storage/v1/b?project=${encodeURIComponent(project)}`)
    return items.map(({ name }) => name)
  }

  /** The bytes from `from` on; null when there are none yet, or there is no such object yet. */
  async read(address: ObjectAddress, from = 0): Promise<Buffer | null> {
    const response = await this.#endpoint.fetch(`${objectPath(address)}?alt=media`, {
      signal: this.#signal,
      headers: { range: `bytes=${from}-` },
    })
    if (response.status === 416 || response.status === 404) {
      await response.body?.cancel()
      return null
    }
    if (!response.ok) throw refusal(response.status, await response.text(), `Reading ${formatAddress(address)}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    return response.status === 206 ? bytes : bytes.subarray(from)
  }

  async download(address: ObjectAddress, path: string): Promise<void> {
    const body = await this.open(address)
    await mkdir(dirname(path), { recursive: true })
    await pipeline(body, createWriteStream(path), { signal: this.#signal })
  }

  async open(address: ObjectAddress): Promise<Readable> {
    const response = await this.#endpoint.fetch(`${objectPath(address)}?alt=media`, { signal: this.#signal })
    if (!response.ok || !response.body) throw refusal(response.status, await response.text(), `Reading ${formatAddress(address)}`)
    return Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  }

  async uploadFile(path: string, address: ObjectAddress, contentType?: string): Promise<void> {
    const { size } = await stat(path)
    await this.upload(size === 0 ? Readable.from([]) : createReadStream(path), address, contentType)
  }

  async upload(
    body: Readable,
    { bucket, name }: ObjectAddress,
    contentType = 'application/octet-stream',
  ): Promise<{ generation?: string }> {
    return this.#endpoint.json(`/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?uploadType=media&name=${encodeURIComponent(name)}`, {
      method: 'POST',
      body: Readable.toWeb(body) as ReadableStream<Uint8Array>,
      headers: { 'content-type': contentType },
      signal: this.#signal,
    })
  }

  async copy(from: ObjectAddress, to: ObjectAddress): Promise<void> {
    const target = `b/${encodeURIComponent(to.bucket)}/o/${encodeURIComponent(to.name)}`
    await this.#endpoint.json(`${objectPath(from)}/copyTo/${target}`, { method: 'POST', json: {}, signal: this.#signal })
  }

  async delete(address: ObjectAddress): Promise<void> {
    await this.#endpoint.json(objectPath(address), { method: 'DELETE', signal: this.#signal })
  }

  /** Makes the bucket unless it is there. */
  async ensureBucket(project: string, bucket: string): Promise<void> {
    const found = await this.#endpoint.fetch(`/storage/v1/b/${encodeURIComponent(bucket)}`, { signal: this.#signal })
    await found.body?.cancel()
    if (found.status !== 404) return
    const made = await this.#endpoint.fetch(`/storage/v1/b?project=${encodeURIComponent(project)}`, {
      method: 'POST',
      json: { name: bucket },
    })
    const text = await made.text()
    // Somebody else may have made it in between.
    if (!made.ok && made.status !== 409) throw refusal(made.status, text, `Making the bucket ${bucket}`)
  }
}
