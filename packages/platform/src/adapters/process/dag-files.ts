/** Which files of a folder are DAG files: every `.ts` that is no test, no declaration, not hidden, not installed and not ignored. Links are followed. */
import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { messageOf } from '../../core/app-error.ts'
import type { Logger } from '../../core/logger.ts'
import { fileStamp } from './file-stamp.ts'
import { IGNORE_FILES, IgnoreFile, type IgnoreSyntax } from './ignore-file.ts'

export interface FoundFiles {
  /** Paths below the folder, with `/`, sorted. */
  readonly files: readonly string[]
  /** The folder and all that were looked into, as absolute paths. */
  readonly folders: readonly string[]
}

export class DagFiles {
  readonly #folder: string
  readonly #syntax: IgnoreSyntax
  readonly #logger: Logger
  /** By path; read again when the file has changed. */
  readonly #ignoreFiles = new Map<string, { readonly stamp: string; readonly rules: IgnoreFile }>()

  constructor(folder: string, syntax: IgnoreSyntax, logger: Logger) {
    this.#folder = folder
    this.#syntax = syntax
    this.#logger = logger
  }

  /** Throws when the folder itself cannot be read; what cannot be read below is left out. */
  async list(): Promise<FoundFiles> {
    const files: string[] = []
    const folders: string[] = []
    const visit = async (below: string, above: readonly IgnoreScope[], roots: readonly string[]): Promise<void> => {
      const path = join(this.#folder, below)
      const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
        if (below === '') throw error
        return [] as Dirent[]
      })
      folders.push(path)
      const scopes = [...above, ...(await this.#scopes(path, below, entries))]
      for (const entry of entries) {
        const target = entry.isSymbolicLink() ? await folderBehind(join(path, entry.name)) : null
        const isFolder = entry.isDirectory() || target !== null
        if (isFolder ? /^(node_modules|\..*)$/.test(entry.name) : !/(?<!\.(test|d))\.ts$/.test(entry.name)) continue
        const name = below === '' ? entry.name : `${below}/${entry.name}`
        if (isIgnored(name, isFolder, scopes)) continue
        if (!isFolder) files.push(name)
        else if (target === null) await visit(name, scopes, roots)
        else if (!roots.some((root) => overlap(root, target))) await visit(name, scopes, [...roots, target])
      }
    }
    await visit('', [], [await realpath(this.#folder)])
    return { files: files.sort(), folders }
  }

  async #scopes(path: string, below: string, entries: readonly Dirent[]): Promise<IgnoreScope[]> {
    const scopes: IgnoreScope[] = []
    for (const { name } of entries.filter((entry) => IGNORE_FILES.includes(entry.name))) {
      const rules = await this.#rules(join(path, name))
      if (rules) scopes.push({ skip: below === '' ? 0 : below.length + 1, rules })
    }
    return scopes
  }

  async #rules(path: string): Promise<IgnoreFile | null> {
    const stamp = fileStamp(path)
    const known = this.#ignoreFiles.get(path)
    if (known?.stamp === stamp) return known.rules
    try {
      const rules = new IgnoreFile(await readFile(path, 'utf8'), this.#syntax)
      for (const problem of rules.problems) this.#logger.warn(`${path}, ${problem}. The line ignores nothing.`)
      this.#ignoreFiles.set(path, { stamp, rules })
      return rules
    } catch (error) {
      this.#logger.warn(`${path} cannot be read, so it ignores nothing.`, { error: messageOf(error) })
      return null
    }
  }
}

/** Where a link to a folder leads; null for any other. */
async function folderBehind(link: string): Promise<string | null> {
  try {
    return (await stat(link)).isDirectory() ? await realpath(link) : null
  } catch {
    return null
  }
}

/** Whether one is within the other: such a link leads in a circle, or to what is looked through anyway. */
const overlap = (one: string, other: string): boolean =>
  `${one}${sep}`.startsWith(`${other}${sep}`) || `${other}${sep}`.startsWith(`${one}${sep}`)

interface IgnoreScope {
  /** How much of a path lies before the folder of the rules. */
  readonly skip: number
  readonly rules: IgnoreFile
}

/** The nearest rules that say something count. */
function isIgnored(name: string, isFolder: boolean, scopes: readonly IgnoreScope[]): boolean {
  for (let index = scopes.length - 1; index >= 0; index--) {
    const { skip, rules } = scopes[index] as IgnoreScope
    const verdict = rules.ignores(name.slice(skip), isFolder)
    if (verdict !== null) return verdict
  }
  return false
}
