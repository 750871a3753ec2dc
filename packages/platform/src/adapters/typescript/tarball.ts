/** Packs files as npm does, and always into the same bytes. */
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

export interface PackedFile {
  /** In the package, with `/`. */
  readonly path: string
  readonly content: Uint8Array
  readonly isExecutable: boolean
}

/** The time that npm gives to every file, so that equal contents are equal tarballs. */
const TIME = new Date('1985-10-26T08:15:00.000Z')

export async function tarball(files: readonly PackedFile[]): Promise<Buffer> {
  const archive = pack()
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  for (const { path, content, isExecutable } of sorted)
    archive.entry({ name: `package/${path}`, mtime: TIME, mode: isExecutable ? 0o755 : 0o644, uid: 0, gid: 0 }, Buffer.from(content))
  archive.finalize()
  return gzipSync(await buffer(archive), { level: 9 })
}
