/** Objects of a bucket over the JSON API of Cloud Storage: the platform's own buckets, or Google's. */
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import type { ObjectFolder } from '../../clusters/engine.ts'
import { AppError, messageOf } from '../../core/app-error.ts'

export interface GcsObjectFolderOptions {
  /** Such as `http://127.0.0.1:8080`; asked for each request, because the port is known late. */
  endpoint(): string
  /** A token for the one in whose name this folder was opened. */
  token(): Promise<string>
}

export class GcsObjectFolder implements ObjectFolder {
  #options: GcsObjectFolderOptions

  constructor(options: GcsObjectFolderOptions) {
    this.#options = options
  }

  async download(uri: string, file: string, signal: AbortSignal): Promise<void> {
    const response = await this.#request('read', uri, `/storage/v1/${objectPath(uri)}?alt=media`, { signal })
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(file), { signal })
  }

  async upload(uri: string, file: string, contentType: string, signal: AbortSignal): Promise<{ bytes: number; md5Hash: string }> {
    const { bucket, name } = split(uri)
    const { size } = await stat(file)
    const response = await this.#request(
      'write',
      uri,
      `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?uploadType=media&name=${encodeURIComponent(name)}`,
      {
        method: 'POST',
        headers: { 'Content-Type': contentType, 'Content-Length': String(size) },
        body: Readable.toWeb(createReadStream(file)) as unknown as RequestInit['body'],
        duplex: 'half',
        signal,
      },
    )
    const stored = (await response.json()) as { size: string; md5Hash: string }
    return { bytes: Number(stored.size), md5Hash: stored.md5Hash }
  }

  async list(prefix: string, signal: AbortSignal): Promise<string[]> {
    const { bucket, name } = split(prefix)
    const uris: string[] = []
    let pageToken = ''
    do {
      const query = new URLSearchParams({ prefix: name, fields: 'items(name),nextPageToken', ...(pageToken ? { pageToken } : {}) })
      const response = await this.#request('list', prefix, `/storage/v1/b/${encodeURIComponent(bucket)}/o?${query}`, { signal })
      const page = (await response.json()) as { items?: { name: string }[]; nextPageToken?: string }
      for (const item of page.items ?? []) uris.push(`gs://${bucket}/${item.name}`)
      pageToken = page.nextPageToken ?? ''
    } while (pageToken)
    return uris
  }

  async delete(uri: string, signal: AbortSignal): Promise<void> {
    await this.#request('delete', uri, `/storage/v1/${objectPath(uri)}`, { method: 'DELETE', signal }).catch((error) => {
      if (!(error instanceof AppError) || error.code !== 'not_found') throw error
    })
  }

  async #request(verb: string, uri: string, path: string, init: RequestInit & { duplex?: 'half'; signal: AbortSignal }): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), Authorization: `Bearer ${await this.#options.token()}` }
    let response: Response
    try {
      response = await fetch(this.#options.endpoint() + path, { ...init, headers })
    } catch (error) {
      init.signal.throwIfAborted()
      throw new AppError('unavailable', `Cannot ${verb} "${uri}": the buckets do not answer (${messageOf(error)}). Try again.`, {
        cause: error,
      })
    }
    if (response.ok) return response
    const why =
      ((await response.json().catch(() => null)) as { error?: { message?: string } } | null)?.error?.message ?? response.statusText
    throw new AppError(codeOf(response.status), `Cannot ${verb} "${uri}": ${why}`)
  }
}

const codeOf = (status: number) =>
  status === 404
    ? 'not_found'
    : status === 401
      ? 'unauthenticated'
      : status === 403
        ? 'forbidden'
        : status < 500
          ? 'invalid'
          : 'unavailable'

function split(uri: string): { bucket: string; name: string } {
  const [, bucket, name] = /^gs:\/\/([^/]+)\/(.*)$/s.exec(uri) ?? []
  if (!bucket || name === undefined) throw new AppError('invalid', `"${uri}" does not name an object. Write gs://BUCKET/NAME.`)
  return { bucket, name }
}

function objectPath(uri: string): string {
  const { bucket, name } = split(uri)
  return `b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}`
}
