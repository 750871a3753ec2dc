/** Files that become layers: those of a build's context, and those that a RUN has changed. */
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { AppError } from '../../../core/app-error.ts'
import { globPattern, isGlob } from './glob.ts'
import { type LayerEntry, whiteoutOf } from './layer.ts'

/** Everything below `root`, folders before what is in them, in the order of their names. `skip` leaves a path and all below it out. */
export function listFiles(root: string, skip: (path: string, isDirectory: boolean) => boolean = () => false, below = ''): LayerEntry[] {
  const entries = readdirSync(join(root, below), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = posix.join(below, entry.name)
    if (skip(path, entry.isDirectory())) return []
    const found = entryOf(root, path)
    if (!found) return []
    return found.type === 'directory' ? [found, ...listFiles(root, skip, path)] : [found]
  })
}

/** Null for sockets, pipes and devices, which no image holds. */
function entryOf(root: string, path: string): LayerEntry | null {
  const source = join(root, path)
  const stat = lstatSync(source)
  const { mode, size } = stat
  if (stat.isDirectory()) return { path, type: 'directory', mode, size: 0 }
  if (stat.isSymbolicLink()) return { path, type: 'symlink', mode: 0o777, size: 0, linkname: readlinkSync(source) }
  return stat.isFile() ? { path, type: 'file', mode, size, source } : null
}

export interface CopyRequest {
  readonly sources: readonly string[]
  /** Absolute, in the image; with a slash at its end it is a folder. */
  readonly target: string
  /** Whether the image already has a folder there. */
  readonly isFolder: boolean
  readonly mode: number | null
}

/** The entries that a COPY makes of the context. Throws `invalid` for sources that are missing or lead out of it. */
export function copiedFiles(context: readonly LayerEntry[], { sources, target, isFolder, mode }: CopyRequest, place: string): LayerEntry[] {
  const isInto = target.endsWith('/') || isFolder || sources.length > 1
  const inside = target.replace(/^\/+|\/+$/g, '')
  const copied = new Map<string, LayerEntry>()
  const put = (entry: LayerEntry, path: string) =>
    copied.set(path, { ...entry, path, mode: entry.type === 'file' ? (mode ?? entry.mode) : entry.mode })
  for (const source of sources) {
    const name = posix.normalize(source).replace(/^\/+|\/+$/g, '')
    if (name === '..' || name.startsWith('../'))
      throw new AppError('invalid', `${place}: "${source}" leads out of the folder that is built.`)
    const isWhole = name === '.' || name === ''
    const matches = isWhole ? [] : context.filter((entry) => (isGlob(name) ? globPattern(name).test(entry.path) : entry.path === name))
    if (!isWhole && matches.length === 0)
      throw new AppError('invalid', `${place}: "${source}" is not in the folder that is built, or .dockerignore leaves it out.`)
    if (isWhole) for (const entry of context) put(entry, posix.join(inside, entry.path))
    for (const match of matches) {
      // A folder gives what is in it; a file gives itself.
      const below = context.filter((entry) => entry.path.startsWith(`${match.path}/`))
      if (match.type === 'directory') for (const entry of below) put(entry, posix.join(inside, entry.path.slice(match.path.length + 1)))
      else put(match, isInto || matches.length > 1 ? posix.join(inside, basename(match.path)) : inside)
    }
  }
  return withFolders([...copied.values()])
}

/** Adds the folders that lead to the entries, where they are missing, and puts all in order. */
export function withFolders(entries: readonly LayerEntry[]): LayerEntry[] {
  const all = new Map(entries.map((entry) => [entry.path, entry]))
  for (const { path } of entries)
    for (let folder = posix.dirname(path); folder !== '.' && folder !== '/' && !all.has(folder); folder = posix.dirname(folder))
      all.set(folder, { path: folder, type: 'directory', mode: 0o755, size: 0 })
  return [...all.values()].filter(({ path }) => path !== '').sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A sum over names, modes and bytes: equal where the layers would be equal. */
export async function contentSum(entries: readonly LayerEntry[]): Promise<string> {
  const sum = createHash('sha256')
  for (const { path, type, mode, size, linkname = '', source } of entries) {
    sum.update(JSON.stringify([path, type, mode & 0o7777, size, linkname]))
    if (type === 'file' && source) for await (const chunk of createReadStream(source)) sum.update(chunk)
  }
  return sum.digest('hex')
}

/** What tells a file from itself after a change. */
export function snapshot(root: string): Map<string, string> {
  return new Map(
    listFiles(root).map(({ path }) => {
      const { mode, size, mtimeMs, ctimeMs, ino } = lstatSync(join(root, path))
      const isDirectory = (mode & 0o170000) === 0o040000
      // A folder's own times change with what is in it, which is told anyway.
      return [path, isDirectory ? `d${mode}` : `${mode} ${size} ${mtimeMs} ${ctimeMs} ${ino}`]
    }),
  )
}

/** The entries that lead from `before` to what is below `root` now, with whiteouts for what has gone. */
export function changedFiles(root: string, before: ReadonlyMap<string, string>): LayerEntry[] {
  const after = snapshot(root)
  const changed = listFiles(root).filter(({ path }) => after.get(path) !== before.get(path))
  const gone = [...before.keys()].filter((path) => !after.has(path) && (posix.dirname(path) === '.' || after.has(posix.dirname(path))))
  const whiteouts = gone.map((path): LayerEntry => ({ path: whiteoutOf(path), type: 'file', mode: 0o644, size: 0 }))
  return withFolders([...changed, ...whiteouts])
}
