/** Errors of the store itself, as against those of what it was given. */
import { errorCode } from '../../core/app-error.ts'

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
