/** A client of the OCI distribution protocol: what docker push, docker pull and the start of a revision need of it. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../../../core/app-error.ts'
import { type Descriptor, IMAGE_INDEX, IMAGE_MANIFEST } from '../../../images/manifest.ts'
import { type Endpoint, refusal } from '../tools/endpoint.ts'

const ACCEPT = [
  IMAGE_MANIFEST,
  IMAGE_INDEX,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

export interface FetchedManifest {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

export class RegistryClient {
  #endpoint: Endpoint

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /** The digest behind a tag or digest; throws `not_found`. */
  async resolve(repository: string, reference: string, signal?: AbortSignal): Promise<string> {
    const response = await this.#call(`/v2/${repository}/manifests/${reference}`, { method: 'HEAD', headers: { accept: ACCEPT }, signal })
    if (response.status === 404)
      throw new AppError('not_found', `Image "${repository}:${reference}" is not in the registry. Push it first, or check its name.`)
    await this.#check(response, `HEAD ${repository}:${reference}`)
    return response.headers.get('docker-content-digest') ?? ''
  }

  async manifest(repository: string, reference: string, signal?: AbortSignal): Promise<FetchedManifest> {
    const response = await this.#call(`/v2/${repository}/manifests/${reference}`, { headers: { accept: ACCEPT }, signal })
    await this.#check(response, `GET ${repository}:${reference}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    return { digest, mediaType: response.headers.get('content-type') ?? IMAGE_MANIFEST, bytes }
  }

  /** Downloads a blob to `path`, which appears only when its digest is the right one. */
  async download(repository: string, { digest }: Descriptor, path: string, signal?: AbortSignal): Promise<void> {
    const response = await this.#call(`/v2/${repository}/blobs/${digest}`, { signal })
    await this.#check(response, `GET ${digest}`)
    const temporary = `${path}.${process.pid}.tmp`
    const hash = createHash(digest.split(':')[0] ?? 'sha256')
    const summed = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        yield chunk
      }
    }
    const body = response.body ? Readable.fromWeb(response.body as import('node:stream/web').ReadableStream) : Readable.from([])
    try {
      await pipeline(body, summed, createWriteStream(temporary), { signal })
      const actual = hash.digest('hex')
      if (!digest.endsWith(`:${actual}`))
        throw new AppError('unavailable', `Blob ${digest} of ${repository} arrived with the digest ${actual}. Pull the image again.`)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  /** Uploads the file unless the registry has the blob. Answers whether it was sent. */
  async upload(repository: string, { digest, size }: Descriptor, path: string, signal?: AbortSignal): Promise<boolean> {
    const present = await this.#call(`/v2/${repository}/blobs/${digest}`, { method: 'HEAD', signal })
    if (present.status === 200) return false
    const mounted = await this.#call(`/v2/${repository}/blobs/uploads/?mount=${digest}`, { method: 'POST', signal })
    if (mounted.status === 201) return false
    await this.#check(mounted, `POST ${repository}/blobs/uploads/`)
    const location = mounted.headers.get('location') ?? ''
    const body = Readable.toWeb(createReadStream(path)) as ReadableStream
    const response = await this.#call(`${location}?digest=${digest}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      signal,
    })
    await this.#check(response, `PUT ${digest}`)
    return true
  }

  /** Answers the manifest's digest. */
  async pushManifest(repository: string, reference: string, mediaType: string, bytes: Buffer, signal?: AbortSignal): Promise<string> {
    const path = `/v2/${repository}/manifests/${reference}`
    const response = await this.#call(path, { method: 'PUT', body: new Uint8Array(bytes), headers: { 'content-type': mediaType }, signal })
    await this.#check(response, `PUT ${repository}:${reference}`)
    return response.headers.get('docker-content-digest') ?? ''
  }

  #call(path: string, { signal, ...options }: Parameters<Endpoint['fetch']>[1] & { signal?: AbortSignal | undefined } = {}) {
    return this.#endpoint.fetch(path, { ...options, ...(signal && { signal }) })
  }

  async #check(response: Response, request: string): Promise<void> {
    if (response.ok) return
    const text = await response.text()
    let message = text
    try {
      message = (JSON.parse(text) as { errors: { message: string }[] }).errors[0]?.message ?? text
    } catch {}
    throw refusal(response.status, JSON.stringify({ error: { message } }), request)
  }
}
