/** A folder that an archive from somebody else is unpacked into: whatever its entries say, nothing outside of it is written, and it cannot fill the disk. */
import { link, lstat, mkdir, realpath, rm, symlink } from 'node:fs/promises'
import { dirname, posix, resolve, sep } from 'node:path'
import { Transform } from 'node:stream'

export class UnpackedFolder {
  readonly root: string
  readonly #refusal: (name: string) => Error
  /** Folders that are known to be inside. */
  #inside = new Set<string>()

  private constructor(root: string, refusal: (name: string) => Error) {
    this.root = root
    this.#refusal = refusal
  }

  /** `refusal` makes the error for an entry that leads out. */
  static async open(path: string, refusal: (name: string) => Error): Promise<UnpackedFolder> {
    await mkdir(path, { recursive: true })
    return new UnpackedFolder(await realpath(path), refusal)
  }

  /** Where the entry `name` belongs; the folders above it are there then. Throws the refusal when they, or it, lie outside. */
  async place(name: string): Promise<string> {
    const path = resolve(this.root, `./${name}`)
    if (!this.#holds(path)) throw this.#refusal(name)
    if (path !== this.root) await this.#enter(dirname(path), name)
    return path
  }

  /** Takes away what is there, so that no write goes through a link that an earlier entry has made. */
  async clear(path: string): Promise<void> {
    const found = await lstat(path).catch(() => null)
    if (!found) return
    await rm(path, { recursive: true, force: true })
    // A folder that is gone may become a link.
    if (!found.isFile()) this.#inside.clear()
  }

  /** Makes a symbolic link that does not lead out of the folder. */
  async linkInside(name: string, target: string): Promise<void> {
    const path = await this.place(name)
    // Without detours: `a/../..` leads somewhere else when `a` is a link itself.
    const direct = posix.normalize(target)
    if (posix.isAbsolute(direct) || !this.#holds(resolve(await realpath(dirname(path)), direct))) throw this.#refusal(name)
    await this.clear(path)
    await symlink(direct, path)
  }

  /** A second name for a file that was unpacked before. */
  async linkTo(name: string, target: string): Promise<void> {
    const [path, existing] = [await this.place(name), await this.place(target)]
    await this.clear(path)
    await link(existing, path)
  }

  /** From the root downwards, so that no folder is made behind a link that leads out. */
  async #enter(folder: string, name: string): Promise<void> {
    if (folder === this.root || this.#inside.has(folder)) return
    await this.#enter(dirname(folder), name)
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    const real = await realpath(folder).catch(() => null)
    if (real === null || !this.#holds(real)) throw this.#refusal(name)
    this.#inside.add(folder)
  }

  #holds = (path: string): boolean => path === this.root || path.startsWith(this.root + sep)
}

/** Passes bytes on until there are more than `limit`, and then fails: a small archive can unpack to any size. */
export function atMost(limit: number, error: () => Error): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > limit) done(error())
      else done(null, chunk)
    },
  })
}
