/** Notices that a file has changed. */
import { statSync } from 'node:fs'

/** Another text whenever the file is another; empty when there is none. */
export function fileStamp(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    // The change time as well: a file that gets its rights back has not been written.
    return found ? `${found.mtimeMs} ${found.ctimeMs} ${found.size} ${found.ino}` : ''
  } catch {
    return 'out of reach'
  }
}

/** Path → stamp. */
export type FileStamps = Readonly<Record<string, string>>

export const hasChanged = (stamps: FileStamps): boolean => Object.entries(stamps).some(([path, stamp]) => fileStamp(path) !== stamp)
