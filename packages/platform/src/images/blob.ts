/** Blobs: layers and configurations, kept once for all repositories that hold them. */
import type { Readable } from 'node:stream'

export interface Blob {
  readonly digest: string
  readonly size: number
}

/** The bytes of blobs. */
export interface BlobData {
  /** How many bytes of an upload have arrived. */
  uploaded(uploadId: string): Promise<number>
  /** Writes behind what has arrived, and answers the new size. */
  append(uploadId: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>
  /** Ends an upload as the blob `digest`; throws `invalid` (DIGEST_INVALID), and forgets the upload, when its bytes have another one. */
  finish(uploadId: string, digest: string): Promise<Blob>
  discard(uploadId: string): Promise<void>
  /** `end` is inclusive. */
  read(digest: string, range?: { start: number; end: number }): Promise<Readable>
  delete(digest: string): Promise<void>
}

/** Which repository holds which blob. */
export interface BlobStore {
  find(repository: string, digest: string): Promise<Blob | null>
  /** A blob of that digest in any repository. */
  findAnywhere(digest: string): Promise<Blob | null>
  add(repository: string, blob: Blob): Promise<void>
  /** Answers true when no repository holds the blob any more. */
  remove(repository: string, digest: string): Promise<boolean>
}
