/** Layers: files as a gzipped tar archive, and back. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { AppError } from '../../../core/app-error.ts'
import { atMost, UnpackedFolder } from '../unpacked-folder.ts'

/** One file of a layer. `path` is inside the image, without a slash at its beginning. */
export interface LayerEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly size: number
  /** Where the bytes of a file are. */
  readonly source?: string
  /** Where a symbolic link leads. */
  readonly linkname?: string
}

export interface PackedLayer {
  readonly digest: string
  /** The digest before compression, which the image's configuration names. */
  readonly diffId: string
  readonly size: number
}

const WHITEOUT = '.wh.'
const EPOCH = new Date(0)
/** Unpacked. */
const LARGEST_LAYER = 16 * 1024 ** 3

/** The name that says in a layer that `path` of the layers below is gone. */
export const whiteoutOf = (path: string): string => join(dirname(path), `${WHITEOUT}${basename(path)}`)

/** Writes the entries, in their order, to `file`. The same entries give the same bytes: no times, no owners. */
export async function packLayer(entries: readonly LayerEntry[], file: string, signal?: AbortSignal): Promise<PackedLayer> {
  const archive = pack()
  const [plain, packed] = [createHash('sha256'), createHash('sha256')]
  let size = 0
  const written = pipeline(
    archive as unknown as Readable,
    tap((chunk) => void plain.update(chunk)),
    // Quick rather than small: layers travel over loopback.
    createGzip({ level: 1 }),
    tap((chunk) => {
      packed.update(chunk)
      size += chunk.length
    }),
    createWriteStream(file),
    { signal },
  )
  const filled = (async () => {
    for (const entry of entries) {
      const name = entry.type === 'directory' ? `${entry.path}/` : entry.path
      const header = { name, type: entry.type, mode: entry.mode & 0o7777, mtime: EPOCH, uid: 0, gid: 0, size: 0 }
      if (entry.type === 'file' && entry.source && entry.size > 0)
        await pipeline(createReadStream(entry.source), archive.entry({ ...header, size: entry.size }), { signal })
      else if (entry.type === 'file') archive.entry(header, '')
      else archive.entry(entry.linkname === undefined ? header : { ...header, linkname: entry.linkname })
    }
    archive.finalize()
  })()
  await Promise.all([written, filled])
  return { digest: hex(packed), diffId: hex(plain), size }
}

/** Unpacks the layer over what `root` holds. Whatever its entries say, nothing outside of `root` is written. */
export async function unpackLayer(file: string, root: string, signal?: AbortSignal): Promise<void> {
  const folder = await UnpackedFolder.open(root, outside)
  const archive = extract()
  const read = pipeline(createReadStream(file), createGunzip(), atMost(LARGEST_LAYER, tooLarge), archive, { signal })
  const unpacked = (async () => {
    for await (const entry of archive) {
      const { name, type, mode = 0o644, linkname = '' } = entry.header
      const path = await folder.place(name)
      const isFile = type === 'file' || type === 'contiguous-file'
      if (path === folder.root) entry.resume()
      else if (basename(name).startsWith(WHITEOUT)) await removeWhitedOut(folder, path)
      else if (type === 'directory') await mkdir(path, { recursive: true, mode })
      else if (type === 'link') await folder.linkTo(name, linkname)
      else {
        await folder.clear(path)
        // A link in an image is read from the image's own root, so it may be absolute; nothing is ever written through it.
        if (type === 'symlink') await symlink(linkname, path)
        else if (isFile) await pipeline(entry, createWriteStream(path, { mode }))
      }
      if (!isFile) entry.resume()
    }
  })()
  await Promise.all([read, unpacked])
}

async function removeWhitedOut(unpacked: UnpackedFolder, path: string): Promise<void> {
  const folder = dirname(path)
  const name = basename(path).slice(WHITEOUT.length)
  const gone = name === '.wh..opq' ? await readdir(folder) : [name]
  for (const each of gone) if (each !== '' && each !== '.' && each !== '..') await unpacked.clear(join(folder, each))
}

const outside = (name: string) =>
  new AppError('invalid', `The image cannot be unpacked: its entry "${name}" leads out of the image. Do not trust this image.`)

const tooLarge = () =>
  new AppError('invalid', `The image cannot be unpacked: one of its layers has more than ${LARGEST_LAYER / 1024 ** 3} GiB.`)

const hex = (hash: Hash): string => `sha256:${hash.digest('hex')}`

const tap = (see: (chunk: Buffer) => void) =>
  async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      see(chunk)
      yield chunk
    }
  }
