/** Objects of buckets as plain files, one directory per bucket: for benches and tests that need no server. */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { ObjectFolder } from '../../clusters/engine.ts'
import { AppError } from '../../core/app-error.ts'

export class FilesystemObjectFolder implements ObjectFolder {
  #root: string

  constructor(root: string) {
    this.#root = root
  }

  async download(uri: string, file: string): Promise<void> {
    await copyFile(this.#path(uri), file).catch((error) => {
      throw new AppError('not_found', `Cannot read "${uri}": there is no such object. Check its name.`, { cause: error })
    })
  }

  async upload(uri: string, file: string): Promise<{ bytes: number; md5Hash: string }> {
    const path = this.#path(uri)
    await mkdir(dirname(path), { recursive: true })
    await copyFile(file, path)
    const content = await readFile(path)
    return { bytes: content.length, md5Hash: createHash('md5').update(content).digest('base64') }
  }

  async list(prefix: string): Promise<string[]> {
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true }).catch(() => [])
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => `gs://${relative(this.#root, join(entry.parentPath, entry.name))}`)
      .filter((uri) => uri.startsWith(prefix))
      .sort()
  }

  async delete(uri: string): Promise<void> {
    await rm(this.#path(uri), { force: true })
  }

  #path(uri: string): string {
    const path = uri.replace(/^gs:\/\//, '')
    if (path.split('/').some((part) => part === '..' || part === '')) throw new AppError('invalid', `"${uri}" does not name an object.`)
    return join(this.#root, path)
  }
}
