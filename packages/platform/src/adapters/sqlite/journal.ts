/**
 * A file in which changes are durable before they are in the tables: one write of a known place, without a seek, where a commit of many
 * scattered rows takes several times as long. The file has two halves. Entries follow each other in one of them until
 * it is full, then in the other, which must be free by then: all that stands in it is in the tables for good.
 *
 * An entry is its length in bytes (uint32), the CRC-32 of what follows (uint32), its number (uint64), all little-endian, and the text in
 * UTF-8. Numbers go up, some are skipped; an entry whose check does not fit, or whose number is lower, ends the reading of its half: it was
 * torn, or is of an earlier round.
 */
import {
  close,
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { AppError } from '../../core/app-error.ts'

const HEAD_BYTES = 16
const DEFAULT_BYTES = 8 * 1024 * 1024
/** A disk that takes no longer is waited for: to hand the write to another thread and to hear of its end takes as long again. */
const SOON_MS = 1
const writeAt = promisify(write)
const sync = promisify(fdatasync)
/** Writes that return when they are on the disk, where the system has them. */
const DURABLE = (constants as Partial<Record<'O_DSYNC', number>>).O_DSYNC

export interface JournalEntry {
  readonly sequence: number
  readonly text: string
}

interface Half {
  readonly start: number
  readonly end: number
  /** Where the next entry goes. */
  position: number
  /** The number of its last entry; null while it is free. */
  last: number | null
}

export class Journal {
  readonly #path: string
  readonly #bytes: number
  #file: number | null = null
  #current: Half
  #other: Half
  #next = 1
  #isQuick = false

  /** Its file is created with all of its `bytes`, so that no write changes its size. */
  constructor(path: string, bytes = DEFAULT_BYTES) {
    this.#path = path
    this.#bytes = bytes
    const middle = Math.floor(bytes / 2)
    this.#current = { start: 0, end: middle, position: 0, last: null }
    this.#other = { start: middle, end: bytes, position: middle, last: null }
  }

  /** Opens the file and answers what came after entry `applied`, in order. Nothing may be appended before it is in the tables and {@link rewind} was called. */
  open(applied: number): JournalEntry[] {
    const entries = existsSync(this.#path) ? this.#entries().filter(({ sequence }) => sequence > applied) : []
    this.#next = (entries.at(-1)?.sequence ?? applied) + 1
    if (!existsSync(this.#path)) this.#create()
    this.#file = openSync(this.#path, constants.O_RDWR | (DURABLE ?? 0), 0o600)
    return entries
  }

  /** The number of the last entry of a half that is full: once that one is in the tables for good, {@link release} it. Null when there is none. */
  get full(): number | null {
    return this.#other.last
  }

  /** Whether the text can be appended now. */
  fits(text: string): boolean {
    const length = HEAD_BYTES + Buffer.byteLength(text)
    return hasRoom(this.#current, length) || (this.#other.last === null && hasRoom(this.#other, length))
  }

  /**
   * Answers the number of the entry once it is durable. One at a time. When it fails, the entry may be in the file all the same: the next
   * one takes its place, or {@link skip} its number.
   */
  async append(text: string): Promise<number> {
    if (this.#file === null) throw new AppError('internal', `The journal ${this.#path} is not open.`)
    const sequence = this.#next
    const entry = entryOf(sequence, text)
    if (!hasRoom(this.#current, entry.length)) this.#turnOver(entry.length)
    const half = this.#current
    if ((await this.write(this.#file, entry, half.position)) < entry.length)
      throw new AppError('unavailable', `The journal ${this.#path} has taken only a part of an entry. Is the disk full?`)
    half.position += entry.length
    half.last = sequence
    this.#next += 1
    return sequence
  }

  /** Answers a number that no entry will have: whatever has it or a lower one is out of date, once the tables say so. */
  skip(): number {
    return this.#next++
  }

  /** All entries up to `sequence` are in the tables for good. */
  release(sequence: number): void {
    const half = this.#other
    if (half.last === null || half.last > sequence) return
    half.last = null
    half.position = half.start
  }

  /** All entries are in the tables for good: the next one takes the place of the first. */
  rewind(): void {
    this.#resize()
    for (const half of [this.#current, this.#other]) {
      half.last = null
      half.position = half.start
    }
  }

  close(): void {
    if (this.#file !== null) close(this.#file)
    this.#file = null
  }

  /** Answers how much was written, when that is durable. While the disk is slow the platform does other things meanwhile. */
  protected async write(file: number, entry: Buffer, position: number): Promise<number> {
    const began = performance.now()
    const written =
      this.#isQuick && DURABLE !== undefined
        ? writeSync(file, entry, 0, entry.length, position)
        : (await writeAt(file, entry, 0, entry.length, position)).bytesWritten
    if (DURABLE === undefined) await sync(file)
    this.#isQuick = performance.now() - began <= SOON_MS
    return written
  }

  #turnOver(length: number): void {
    if (this.#other.last !== null || !hasRoom(this.#other, length)) throw new AppError('internal', `The journal ${this.#path} is full.`)
    const full = this.#current
    this.#current = this.#other
    this.#other = full
  }

  /** Of both halves, by number. Files of the first version are one: there an entry may reach over the middle. A file may be of another size than ours. */
  #entries(): JournalEntry[] {
    const file = readFileSync(this.#path)
    const found = new Map<number, JournalEntry>()
    for (const start of [0, Math.floor(file.length / 2)]) for (const entry of entriesOf(file, start)) found.set(entry.sequence, entry)
    return [...found.values()].sort((a, b) => a.sequence - b.sequence)
  }

  #create(): void {
    const file = openSync(this.#path, 'wx', 0o600)
    writeSync(file, Buffer.alloc(this.#bytes))
    fsyncSync(file)
    closeSync(file)
    syncFolder(dirname(this.#path))
  }

  /** Where its halves lie follows from its size. It differs when another version has made the file, or a platform that ended while it did. */
  #resize(): void {
    if (this.#file === null || fstatSync(this.#file).size === this.#bytes) return
    ftruncateSync(this.#file, this.#bytes)
    fsyncSync(this.#file)
  }
}

/** A file that is new outlives a loss of power only when its name does. */
function syncFolder(path: string): void {
  // Elsewhere a folder cannot be opened.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

const hasRoom = ({ position, end }: Half, length: number): boolean => position + length <= end

function entryOf(sequence: number, text: string): Buffer {
  const body = Buffer.from(text)
  const entry = Buffer.allocUnsafe(HEAD_BYTES + body.length)
  entry.writeUInt32LE(body.length, 0)
  entry.writeBigUInt64LE(BigInt(sequence), 8)
  body.copy(entry, HEAD_BYTES)
  entry.writeUInt32LE(crc32(entry.subarray(8)), 4)
  return entry
}

function* entriesOf(file: Buffer, start: number): Generator<JournalEntry> {
  let last = 0
  for (let at = start; at + HEAD_BYTES <= file.length; ) {
    const end = at + HEAD_BYTES + file.readUInt32LE(at)
    if (end === at + HEAD_BYTES || end > file.length || crc32(file.subarray(at + 8, end)) !== file.readUInt32LE(at + 4)) return
    const sequence = Number(file.readBigUInt64LE(at + 8))
    if (sequence <= last) return
    yield { sequence, text: file.toString('utf8', at + HEAD_BYTES, end) }
    last = sequence
    at = end
  }
}
