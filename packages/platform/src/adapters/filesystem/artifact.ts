/** Artifacts as files under one folder. A file appears whole: it is written elsewhere under a name of its own, then renamed. */

import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { nullIfAbsent } from '../../core/absent.ts'
import { AppError } from '../../core/app-error.ts'
import { newId } from '../../core/id.ts'
import { type ArtifactContent, type ArtifactEntry, type ArtifactStore, checkArtifactPath } from '../../models/artifact.ts'

export class FilesystemArtifactStore implements ArtifactStore {
  #files: string
  #incoming: string
  #emptied: Promise<void> | null = null

  /** Everything is kept under `folder`, which is made when the first artifact comes. */
  constructor({ folder }: { readonly folder: string }) {
    this.#files = join(folder, 'files')
    this.#incoming = join(folder, 'incoming')
  }

  async write(path: string, content: ReadableStream<Uint8Array> | null, signal?: AbortSignal): Promise<void> {
    const target = this.#place(path)
    const incoming = join(this.#incoming, newId())
    await this.#emptyIncoming()
    try {
      await save(incoming, content, signal)
      await mkdir(dirname(target), { recursive: true })
      await rename(incoming, target)
      await sync(dirname(target))
    } catch (error) {
      await rm(incoming, { force: true })
      throw isPathConflict(error)
        ? new AppError(
            'invalid',
            `The artifact "${path}" cannot be written: a folder has its name, or a file has the name of one of its folders.`,
            {
              cause: error,
            },
          )
        : error
    }
  }

  async read(path: string): Promise<ArtifactContent> {
    // Opened before it is measured: another upload may put a file of another size in its place.
    const file = await open(this.#place(path)).catch(nullIfAbsent)
    const found = await file?.stat()
    if (file && found?.isFile()) return { bytes: found.size, stream: Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array> }
    await file?.close()
    throw new AppError('not_found', `There is no artifact "${path}". List its folder to see which there are.`)
  }

  async list(path: string): Promise<ArtifactEntry[]> {
    const folder = path === '' ? this.#files : this.#place(path)
    const entries = await readdir(folder, { withFileTypes: true }).catch(nullIfAbsent)
    const listed = (entries ?? []).map(async (entry): Promise<ArtifactEntry> => {
      const bytes = entry.isDirectory() ? null : (await stat(join(folder, entry.name))).size
      return { path: entry.name, isFolder: entry.isDirectory(), bytes }
    })
    return (await Promise.all(listed)).sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async delete(path: string): Promise<void> {
    await rm(this.#place(path), { recursive: true, force: true })
  }

  /** Once, before the first write: what a crash left half-written there belongs to nobody. */
  #emptyIncoming(): Promise<void> {
    this.#emptied ??= rm(this.#incoming, { recursive: true, force: true }).then(async () => {
      await mkdir(this.#incoming, { recursive: true })
    })
    return this.#emptied
  }

  #place(path: string): string {
    return join(this.#files, checkArtifactPath(path))
  }
}

/** Writes `content` to a new file, down to the disk. */
async function save(path: string, content: ReadableStream<Uint8Array> | null, signal?: AbortSignal): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of content ?? []) {
      signal?.throwIfAborted()
      await file.writeFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes a rename in `folder` outlive a power cut. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const isPathConflict = (error: unknown): boolean =>
  ['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')
