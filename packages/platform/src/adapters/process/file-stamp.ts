/** Notices that a file has changed. */
import { statSync } from 'node:fs'

/** Another text whenever the file is another; empty when there is none. */
export function fileStamp(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? `${found.mtimeMs} ${found.size} ${found.ino}` : ''
}

/** Path → stamp. */
export type FileStamps = Readonly<Record<string, string>>

export const hasChanged = (stamps: FileStamps): boolean => Object.entries(stamps).some(([path, stamp]) => fileStamp(path) !== stamp)
