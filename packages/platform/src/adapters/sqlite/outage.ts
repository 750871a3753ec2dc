/** Errors of the store itself, as against those of what it was given. */
import { basename } from 'node:path'
import { AppError, errorCode } from '../../core/app-error.ts'

/**
 * Primary result codes of SQLite: error (a table that is not there), busy, locked, out of memory, read-only, interrupted, I/O, corrupt,
 * full, cannot open, protocol, schema, not a database.
 */
const OF_STORE: ReadonlySet<number> = new Set([1, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 17, 26])

/** True for what SQLite or the system says of the file, the disk or the connection; false for what it says of a row or a value. */
export function isOutage(error: unknown): boolean {
  if (errorCode(error) === 'unavailable') return true
  if (!(error instanceof Error)) return false
  const { code, errcode, syscall } = error as Error & { code?: string; errcode?: number; syscall?: string }
  // A connection that is closed, or a call of the system that has failed.
  return code === 'ERR_INVALID_STATE' || syscall !== undefined || (errcode !== undefined && OF_STORE.has(errcode & 0xff))
}

const WRITABLE = "Let the platform write to its home again: look at the folder's rights and at its disk."

/** Of those that pass, once somebody has seen to it: what to do. By primary result code. */
const REMEDIES: ReadonlyMap<number, string> = new Map([
  [5, 'Another process holds it. Try again.'],
  [6, 'Another process holds it. Try again.'],
  [7, 'The platform needs more memory. Try again.'],
  [8, WRITABLE],
  [10, "Look at the disk of the platform's home."],
  [13, "Make room on the disk of the platform's home."],
  [14, WRITABLE],
])

/**
 * `unavailable`, with a sentence for whoever asked, in place of an error of SQLite that passes, and with its `errcode`; any other error as it
 * is. `path` is that of the file.
 */
export function outageOf(error: unknown, path: string): unknown {
  const { errcode } = error as { errcode?: number }
  const remedy = errcode === undefined || error instanceof AppError ? undefined : REMEDIES.get(errcode & 0xff)
  if (remedy === undefined || !(error instanceof Error)) return error
  const told = new AppError('unavailable', `${basename(path)} cannot be used just now: ${error.message}. ${remedy}`, { cause: error })
  return Object.assign(told, { errcode })
}
