/** Hears when something changes in one of some folders. A watch for each folder, never for each file: systems have few of them. */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { messageOf } from '../../core/app-error.ts'
import type { Logger } from '../../core/logger.ts'

export class FolderWatch {
  readonly #onChange: (name: string) => void
  readonly #logger: Logger
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>()
  /** Kept beside those of `set`. */
  #added: ReadonlySet<string> = new Set()
  #isClosed = false
  #hasComplained = false

  constructor(onChange: (name: string) => void, logger: Logger) {
    this.#onChange = onChange
    this.#logger = logger
  }

  /** Watches these, and those of `add`, and no others. */
  set(folders: readonly string[]): void {
    const wanted = new Set([...folders, ...this.#added])
    for (const [folder, { watcher, inode }] of this.#watchers) {
      // Another folder may have come in its place: a branch was switched, a link was turned.
      if (wanted.has(folder) && inode === inodeOf(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of wanted) this.#open(folder)
  }

  add(folders: ReadonlySet<string>): void {
    this.#added = folders
    for (const folder of folders) this.#open(folder)
  }

  close(): void {
    this.#isClosed = true
    for (const { watcher } of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #open(folder: string): void {
    if (this.#isClosed || this.#watchers.has(folder)) return
    try {
      const inode = inodeOf(folder)
      const watcher = watch(folder, (_, name) => this.#onChange(name ?? ''))
      watcher.on('error', (error) => {
        watcher.close()
        this.#watchers.delete(folder)
        this.#complain(folder, error)
      })
      this.#watchers.set(folder, { watcher, inode })
    } catch (error) {
      this.#complain(folder, error)
    }
  }

  /** Once: looking through the folder now and then goes on. */
  #complain(folder: string, error: unknown): void {
    if (this.#hasComplained) return
    this.#hasComplained = true
    this.#logger.warn(`The folder ${folder} cannot be watched: what changes in it is seen at the next look through the DAGs folder.`, {
      error: messageOf(error),
    })
  }
}

const inodeOf = (folder: string): number => statSync(folder, { throwIfNoEntry: false })?.ino ?? 0
