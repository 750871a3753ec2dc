/** Objects: immutable bytes under a name, with the facts that Cloud Storage keeps about them. */
import type { Readable } from 'node:stream'
import { AppError } from '../core/app-error.ts'
import type { Checksums } from './checksum.ts'

export interface StoredObject extends Checksums, ObjectFacts {
  readonly bucket: string
  readonly name: string
  /** Microseconds of the write: rises with every replacement. */
  readonly generation: number
  /** Rises with every change of the facts alone. */
  readonly metageneration: number
  readonly size: number
  /** Which data file holds the bytes. */
  readonly dataId: string
  readonly createdBy: string
  readonly timeCreated: string
  readonly updated: string
}

/** What the writer may say about an object. */
export interface ObjectFacts {
  readonly contentType: string
  readonly contentEncoding: string | null
  readonly contentDisposition: string | null
  readonly cacheControl: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/** The byte range of a read: `end` is the last byte, inclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface ObjectStore {
  find(bucket: string, name: string): Promise<StoredObject | null>
  /** At most `limit` objects whose name begins with `prefix` and is in [`from`, `before`), by name in byte order. */
  list(bucket: string, query: { prefix: string; from: string; before?: string | undefined; limit: number }): Promise<StoredObject[]>
  /** Creates or replaces, after `check` has seen the current one in the same transaction. Answers the one replaced. */
  save(object: StoredObject, check?: (current: StoredObject | null) => void): Promise<StoredObject | null>
  /** Deletes after `check`; answers what was deleted, or null. */
  delete(bucket: string, name: string, check?: (current: StoredObject | null) => void): Promise<StoredObject | null>
  dataIds(): Promise<Set<string>>
}

export interface WrittenData extends Checksums {
  readonly dataId: string
  readonly size: number
}

/** Where the bytes are. */
export interface ObjectData {
  /** Streams to a new data file; what is cut short leaves nothing behind. */
  write(content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenData>
  /** Opens the file before it answers, so that a deletion meanwhile does not hurt the reader. */
  read(dataId: string, range?: ByteRange): Promise<Readable>
  /** The same bytes under another id. */
  copy(dataId: string): Promise<string>
  delete(dataId: string): Promise<void>
  /** Deletes every data file that `kept` does not name. */
  sweep(kept: ReadonlySet<string>): Promise<number>
}

/** `ifGenerationMatch: 0` means that the object must not exist yet. */
export interface Preconditions {
  readonly ifGenerationMatch?: number | undefined
  readonly ifGenerationNotMatch?: number | undefined
  readonly ifMetagenerationMatch?: number | undefined
  readonly ifMetagenerationNotMatch?: number | undefined
}

/** Throws `conflict` with the reason `conditionNotMet` (or `notModified`, when a "not match" does match) if `current` is not what the caller expects. */
export function checkPreconditions(current: StoredObject | null, conditions: Preconditions): void {
  const generation = current?.generation ?? 0
  const metageneration = current?.metageneration ?? 0
  const refuse = (what: string, reason: string) => {
    throw new AppError('conflict', `The precondition ${what} does not hold: the object is at generation ${generation}. Read it again.`, {
      reason,
    })
  }
  const { ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } = conditions
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== generation)
    refuse(`ifGenerationMatch=${ifGenerationMatch}`, 'conditionNotMet')
  if (ifMetagenerationMatch !== undefined && ifMetagenerationMatch !== metageneration)
    refuse(`ifMetagenerationMatch=${ifMetagenerationMatch}`, 'conditionNotMet')
  if (ifGenerationNotMatch !== undefined && ifGenerationNotMatch === generation)
    refuse(`ifGenerationNotMatch=${ifGenerationNotMatch}`, 'notModified')
  if (ifMetagenerationNotMatch !== undefined && ifMetagenerationNotMatch === metageneration)
    refuse(`ifMetagenerationNotMatch=${ifMetagenerationNotMatch}`, 'notModified')
}

/** Cloud Storage's rules for names; throws `invalid`. */
export function checkObjectName(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes < 1 || bytes > 1024 || /[\r\n\0]/.test(name) || name === '.' || name === '..' || name.startsWith('.well-known/acme-challenge/'))
    throw new AppError(
      'invalid',
      `An object cannot be named ${JSON.stringify(name.slice(0, 100))}: a name has 1 to 1024 bytes, no line breaks, and is not "." or "..".`,
    )
}
