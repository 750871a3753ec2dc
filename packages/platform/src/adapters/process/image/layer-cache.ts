/** Layers by what made them: an unchanged step gives its layer at once. Shared by all builds of the platform. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../../../core/id.ts'
import type { PackedLayer } from './layer.ts'

/** Beside the layer itself: the folders in it, which later steps ask for. */
export interface CachedLayer extends PackedLayer {
  readonly folders: readonly string[]
}

export class LayerCache {
  #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Where a layer's bytes are. */
  pathOf(digest: string): string {
    return join(this.#root, 'blobs', digest.replace(':', '/'))
  }

  async find(key: string): Promise<CachedLayer | null> {
    try {
      const layer: CachedLayer = JSON.parse(await readFile(join(this.#root, 'keys', key), 'utf8'))
      return existsSync(this.pathOf(layer.digest)) ? layer : null
    } catch {
      return null
    }
  }

  /** Keeps the layer that `make` writes to the file it is given. Two builds may do this at once: the last one wins, with the same bytes. */
  async keep(key: string, make: (file: string) => Promise<CachedLayer>): Promise<CachedLayer> {
    const temporary = join(this.#root, 'tmp', newId())
    for (const folder of ['tmp', 'keys', 'blobs/sha256']) await mkdir(join(this.#root, folder), { recursive: true })
    try {
      const layer = await make(temporary)
      await rename(temporary, this.pathOf(layer.digest))
      await writeFile(`${temporary}.key`, JSON.stringify(layer))
      await rename(`${temporary}.key`, join(this.#root, 'keys', key))
      return layer
    } finally {
      await rm(temporary, { force: true })
    }
  }
}
