/** Which workers have read a file that has changed since. */
import { fileStamp } from './file-stamp.ts'
import type { WorkerProcess } from './worker-process.ts'

/** How long what is known of a file's age counts. */
const LOOK_AGAIN_MS = 200

export class WorkerAge {
  #stamps = new Map<string, string>()
  #lookedAt = 0
  /** Those that are known to be young, since the last look at the files. */
  #young = new WeakSet<WorkerProcess>()

  /** Files may have changed. */
  lookAgain(): void {
    this.#lookedAt = 0
  }

  isOld(worker: WorkerProcess): boolean {
    const now = performance.now()
    if (now - this.#lookedAt > LOOK_AGAIN_MS || this.#lookedAt === 0) {
      this.#stamps = new Map()
      this.#lookedAt = now
      this.#young = new WeakSet()
    }
    if (this.#young.has(worker)) return false
    this.#young.add(worker)
    for (const [path, stamp] of worker.stamps) {
      let current = this.#stamps.get(path)
      if (current === undefined) {
        current = fileStamp(path)
        this.#stamps.set(path, current)
      }
      if (current !== stamp) return true
    }
    return false
  }
}
