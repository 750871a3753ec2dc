/** The log of a revision: a file that its process writes itself, and that grows no further than it may. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { copyFile, rename, rm, stat, truncate } from 'node:fs/promises'
import type { Clock } from '../../core/clock.ts'

/** Of the file that is written; the one before it may be a little larger. */
const LOG_BYTES = 10_000_000
const CHECK_MS = 10_000

export class RevisionLog {
  readonly path: string
  #limitBytes: number

  constructor(path: string, limitBytes = LOG_BYTES) {
    this.path = path
    this.#limitBytes = limitBytes
  }

  /** Gives `use` the file to write to, after a line that says what begins. */
  open<T>(headline: string, use: (file: number) => T): T {
    // Only appending: the process goes on at the beginning of the file when it has been emptied.
    const file = openSync(this.path, 'a')
    try {
      writeSync(file, `${headline}\n`)
      return use(file)
    } finally {
      closeSync(file)
    }
  }

  /** Keeps the file within its limit until `signal` aborts. */
  async watch(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.rotate().catch(() => {})
      await clock.sleep(CHECK_MS, signal)
    }
  }

  /** Moves what is written so far to `PATH.1`, in the place of what was there, once it is more than the limit. */
  async rotate(): Promise<void> {
    const { size } = await stat(this.path)
    if (size <= this.#limitBytes) return
    // The process holds the file open, so it is emptied rather than renamed. A line written in between is lost.
    await copyFile(this.path, `${this.path}.tmp`)
    await truncate(this.path)
    await rename(`${this.path}.tmp`, `${this.path}.1`)
  }

  async remove(): Promise<void> {
    for (const path of [this.path, `${this.path}.1`, `${this.path}.tmp`]) await rm(path, { force: true })
  }
}
