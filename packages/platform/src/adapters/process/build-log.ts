/** Build logs as files that grow, kept in the build's bucket once they are complete. */

import { createWriteStream, mkdirSync, statSync, type WriteStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Build } from '../../builds/build.ts'
import type { BuildLog } from '../../builds/build-log.ts'
import { nullIfAbsent } from '../../core/absent.ts'
import { type Principal, principal } from '../../core/principal.ts'
import { Endpoint, refusal } from './tools/endpoint.ts'

export interface FileBuildLogOptions {
  /** The same as the driver's: the log is `ID/log.txt` in it. */
  readonly directory: string
  readonly endpoint: () => string
  readonly tokens: { issue(who: Principal, seconds: number): Promise<string> }
  readonly projectId: string
}

const CHUNK_BYTES = 64 * 1024
const UPLOAD_TOKEN_SECONDS = 300

export class FileBuildLog implements BuildLog {
  #options: FileBuildLogOptions
  /** Logs that are not yet objects of a bucket. */
  #open = new Map<string, WriteStream>()
  #followers = new Map<string, Set<() => void>>()

  constructor(options: FileBuildLogOptions) {
    this.#options = options
  }

  append(buildId: string, text: string): void {
    this.#stream(buildId).write(text, () => {
      for (const wake of this.#followers.get(buildId) ?? []) wake()
    })
  }

  async read(buildId: string, from: number): Promise<Uint8Array | null> {
    const file = await open(this.#path(buildId)).catch(nullIfAbsent)
    if (!file) return null
    try {
      const { size } = await file.stat()
      const buffer = Buffer.alloc(Math.max(0, size - from))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  async *follow(buildId: string, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let position = from
    while (true) {
      // Asked before the reading, so that what came before the end is read after it.
      const isOver = signal.aborted
      const bytes = (await this.read(buildId, position)) ?? new Uint8Array()
      position += bytes.length
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES)
      if (isOver) return
      if (bytes.length === 0) await this.#more(buildId, position, signal)
    }
  }

  async flush(buildId: string): Promise<void> {
    const stream = this.#open.get(buildId)
    if (stream) await new Promise<void>((resolve) => stream.write('', () => resolve()))
  }

  /** Throws when the bucket cannot be written; the log can then still be read here. */
  async close(build: Build): Promise<void> {
    const stream = this.#open.get(build.id)
    if (!stream) return
    await new Promise<void>((resolve) => stream.end(resolve))
    const [bucket = '', ...folders] = (build.logsBucket ?? `${this.#options.projectId}_cloudbuild`)
      .replace(/^gs:\/\//, '')
      .replace(/\/+$/, '')
      .split('/')
    await this.#upload(build, bucket, [...folders, `log-${build.id}.txt`].join('/'))
    this.#open.delete(build.id)
  }

  /** The file behind the object `log-ID.txt` of the project's log bucket while the build runs; for the storage door's `virtualObjects`. */
  virtualObject(bucket: string, name: string): { path: string; size: number } | null {
    const [, id = ''] = /^log-([0-9a-f-]{36})\.txt$/.exec(name) ?? []
    if (bucket !== `${this.#options.projectId}_cloudbuild` || !this.#open.has(id)) return null
    const path = this.#path(id)
    const size = statSync(path, { throwIfNoEntry: false })?.size
    return size === undefined ? null : { path, size }
  }

  async #upload(build: Build, bucket: string, name: string): Promise<void> {
    const { endpoint, tokens, projectId } = this.#options
    // The build is over, and its own token with it: the platform keeps the log.
    const token = await tokens.issue(principal('system', ['buckets.read', 'buckets.write']), UPLOAD_TOKEN_SECONDS)
    const storage = new Endpoint(endpoint(), token)
    const body = await readFile(this.#path(build.id))
    const send = () =>
      storage.fetch(`/upload/storage/v1/b/${encodeURIComponent(bucket)}/o?uploadType=media&name=${encodeURIComponent(name)}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      })
    let response = await send()
    if (response.status === 404) {
      await storage.fetch(`/storage/v1/b?project=${projectId}`, { method: 'POST', json: { name: bucket } })
      response = await send()
    }
    const text = await response.text()
    if (!response.ok) throw refusal(response.status, text, `Keeping gs://${bucket}/${name}`)
  }

  #more(buildId: string, position: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const followers = this.#followers.get(buildId) ?? new Set()
      const wake = () => {
        followers.delete(wake)
        if (followers.size === 0) this.#followers.delete(buildId)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#followers.set(buildId, followers.add(wake))
      signal.addEventListener('abort', wake, { once: true })
      // Something may have come between the reading and this.
      if (signal.aborted || (statSync(this.#path(buildId), { throwIfNoEntry: false })?.size ?? 0) > position) wake()
    })
  }

  #stream(buildId: string): WriteStream {
    const known = this.#open.get(buildId)
    if (known) return known
    mkdirSync(join(this.#options.directory, buildId), { recursive: true, mode: 0o700 })
    const stream = createWriteStream(this.#path(buildId), { flags: 'a', mode: 0o600 })
    stream.on('error', () => {})
    this.#open.set(buildId, stream)
    return stream
  }

  #path = (buildId: string): string => join(this.#options.directory, buildId, 'log.txt')
}
