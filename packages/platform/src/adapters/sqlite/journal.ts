/**
 * A file in which changes are durable before they are in the tables: one write of a known place, without a seek and off the main thread,
 * where a commit of many scattered rows takes several times as long. Its entries follow each other from the beginning of the file; once
 * all of them are in the tables it begins there again.
 *
 * An entry is its length in bytes (uint32), the CRC-32 of what follows (uint32), its number (uint64), all little-endian, and the text in
 * UTF-8. Numbers go up, some are skipped; an entry whose check does not fit, or whose number is lower, ends the reading: it was torn, or is of an
 * earlier round.
 */
import { close, closeSync, constants, existsSync, fdatasync, fsyncSync, openSync, readFileSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { AppError } from '../../core/app-error.ts'

const HEAD_BYTES = 16
const DEFAULT_BYTES = 8 * 1024 * 1024
const writeAt = promisify(write)
const sync = promisify(fdatasync)
/** Writes that return when they are on the disk, where the system has them. */
const DURABLE = (constants as Partial<Record<'O_DSYNC', number>>).O_DSYNC

export interface JournalEntry {
  readonly sequence: number
  readonly text: string
}

export class Journal {
  readonly #path: string
  readonly #bytes: number
  #file: number | null = null
  #position = 0
  #next = 1

  /** Its file is created with all of its `bytes`, so that no write changes its size. */
  constructor(path: string, bytes = DEFAULT_BYTES) {
    this.#path = path
    this.#bytes = bytes
  }

  /** Opens the file and answers what came after entry `applied`, in order. Nothing may be appended before it is in the tables and {@link rewind} was called. */
  open(applied: number): JournalEntry[] {
    const entries = existsSync(this.#path) ? [...entriesOf(readFileSync(this.#path))].filter(({ sequence }) => sequence > applied) : []
    this.#next = (entries.at(-1)?.sequence ?? applied) + 1
    if (!existsSync(this.#path)) this.#create()
    this.#file = openSync(this.#path, constants.O_RDWR | (DURABLE ?? 0), 0o600)
    return entries
  }

  /** Whether more than half of the file is in use. */
  get isLong(): boolean {
    return this.#position > this.#bytes / 2
  }

  /** Whether the text can be appended before the next {@link rewind}. */
  fits(text: string): boolean {
    return this.#position + HEAD_BYTES + Buffer.byteLength(text) <= this.#bytes
  }

  /**
   * Answers the number of the entry once it is durable. One at a time. When it fails, the entry may be in the file all the same: the next
   * one takes its place, or {@link skip} its number.
   */
  async append(text: string): Promise<number> {
    if (this.#file === null) throw new AppError('internal', `The journal ${this.#path} is not open.`)
    const sequence = this.#next
    const entry = entryOf(sequence, text)
    const { bytesWritten } = await writeAt(this.#file, entry, 0, entry.length, this.#position)
    if (bytesWritten < entry.length)
      throw new AppError('unavailable', `The journal ${this.#path} has taken only a part of an entry. Is the disk full?`)
    if (DURABLE === undefined) await sync(this.#file)
    this.#position += entry.length
    this.#next += 1
    return sequence
  }

  /** Answers a number that no entry will have: whatever has it or a lower one is out of date, once the tables say so. */
  skip(): number {
    return this.#next++
  }

  /** All entries are in the tables: the next one takes the place of the first. */
  rewind(): void {
    this.#position = 0
  }

  close(): void {
    if (this.#file !== null) close(this.#file)
    this.#file = null
  }

  #create(): void {
    const file = openSync(this.#path, 'wx', 0o600)
    writeSync(file, Buffer.alloc(this.#bytes))
    fsyncSync(file)
    closeSync(file)
  }
}

function entryOf(sequence: number, text: string): Buffer {
  const body = Buffer.from(text)
  const entry = Buffer.allocUnsafe(HEAD_BYTES + body.length)
  entry.writeUInt32LE(body.length, 0)
  entry.writeBigUInt64LE(BigInt(sequence), 8)
  body.copy(entry, HEAD_BYTES)
  entry.writeUInt32LE(crc32(entry.subarray(8)), 4)
  return entry
}

function* entriesOf(file: Buffer): Generator<JournalEntry> {
  let last = 0
  for (let at = 0; at + HEAD_BYTES <= file.length; ) {
    const end = at + HEAD_BYTES + file.readUInt32LE(at)
    if (end === at + HEAD_BYTES || end > file.length || crc32(file.subarray(at + 8, end)) !== file.readUInt32LE(at + 4)) return
    const sequence = Number(file.readBigUInt64LE(at + 8))
    if (sequence <= last) return
    yield { sequence, text: file.toString('utf8', at + HEAD_BYTES, end) }
    last = sequence
    at = end
  }
}
