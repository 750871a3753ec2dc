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

/** The stamps at one time: a file that many import is looked at once. */
export class StampsOfNow {
  readonly #found = new Map<string, string>()

  of(path: string): string {
    const known = this.#found.get(path)
    if (known !== undefined) return known
    const stamp = fileStamp(path)
    this.#found.set(path, stamp)
    return stamp
  }

  areOther(stamps: FileStamps): boolean {
    for (const path in stamps) if (this.of(path) !== stamps[path]) return true
    return false
  }
}
