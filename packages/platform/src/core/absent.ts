/** Tells "it is not there" from "it cannot be reached": a full table of open files, or a missing right, is no absence. */

const ABSENT = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']

/** For `.catch` behind a call of the file system: null where there is no such file; every other error is thrown on. */
export function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (ABSENT.includes(error.code ?? '')) return null
  throw error
}
