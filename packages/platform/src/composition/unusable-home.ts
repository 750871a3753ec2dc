/** What the system says when a home folder cannot be used, in a sentence that says which one and what to do. */
import { resolve, sep } from 'node:path'
import { AppError } from '../core/app-error.ts'

/** Of `node:sqlite`'s errors: the primary codes of https://sqlite.org/rescode.html. */
const SQLITE = { readOnly: 8, damaged: 11, full: 13, cannotOpen: 14, noDatabase: 26 }

/** `error` itself when it is not about the home folder at `home`. */
export function refusalOf(error: unknown, home: string): unknown {
  if (!(error instanceof Error)) return error
  const { code = '', path, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number }
  const said = error.cause instanceof Error ? error.cause.message : error.message
  const isOfHome = path !== undefined && isIn(resolve(path), resolve(home))
  const sqlite = errcode === undefined ? null : errcode & 0xff
  const refused = (why: string) => new AppError('unavailable', `The home folder ${home} cannot be used: ${why}`, { cause: error })
  if (code === 'ENOSPC' || code === 'EDQUOT' || sqlite === SQLITE.full) return refused('its disk is full. Make room, and start again.')
  if (sqlite === SQLITE.damaged || sqlite === SQLITE.noDatabase)
    return refused(`one of its databases is damaged (${said}). Bring it back from a copy, or set DAGGERBOARD_HOME to another folder.`)
  if (isOfHome && (code === 'ENOTDIR' || code === 'EEXIST'))
    return refused('it, or what it lies in, is not a folder. Set DAGGERBOARD_HOME to another one.')
  const isKept = isOfHome && ['EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(code)
  if (isKept || sqlite === SQLITE.readOnly || sqlite === SQLITE.cannotOpen)
    return refused(`it cannot be written to (${said}). Make it yours, or set DAGGERBOARD_HOME to a folder that is.`)
  return error
}

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep)
