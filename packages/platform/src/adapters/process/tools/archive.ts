/** Packs a folder as a gzipped tar stream, without what its ignore file names. */
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import type { Ignores } from './ignore.ts'

export interface ArchivedFile {
  /** Below the folder, with `/`. */
  readonly name: string
  readonly path: string
}

/** Every file and link of `directory` that is not ignored, in the order of their names. */
export async function filesOf(directory: string, ignores: Ignores, below = ''): Promise<ArchivedFile[]> {
  const entries = (await readdir(join(directory, below), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const found: ArchivedFile[] = []
  for (const entry of entries) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (ignores(name, entry.isDirectory())) continue
    if (entry.isDirectory()) found.push(...(await filesOf(directory, ignores, name)))
    else if (entry.isFile() || entry.isSymbolicLink()) found.push({ name, path: join(directory, name) })
  }
  return found
}

/** The stream ends with an error when a file cannot be read. */
export function archive(files: readonly ArchivedFile[]): Readable {
  const tar = pack()
  const zipped = createGzip({ level: 6 })
  tar.pipe(zipped)
  const writing = async () => {
    for (const { name, path } of files) {
      const { mode, size, mtime } = await lstat(path)
      const isLink = (mode & 0o170000) === 0o120000
      if (isLink) tar.entry({ name, type: 'symlink', linkname: await readlink(path), mtime })
      else await pipeline(createReadStream(path, { end: Math.max(0, size - 1) }), tar.entry({ name, size, mode: mode & 0o777, mtime }))
    }
    tar.finalize()
  }
  writing().catch((error: Error) => zipped.destroy(error))
  return zipped
}
