/** Layers by what made them: an unchanged step gives its layer at once. Shared by all builds of the platform, and bounded. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../../../core/id.ts'
import type { PackedLayer } from './layer.ts'

/** Beside the layer itself: the folders in it, which later steps ask for. */
export interface CachedLayer extends PackedLayer {
  readonly folders: readonly string[]
}

const LAYER_CACHE_BYTES = 2_000_000_000
/** A build that has found a layer may ask for it until it ends: what was used so lately stays, even above the limit. */
const IN_USE_MS = 2 * 3_600_000

export class LayerCache {
  #root: string
  #limitBytes: number

  /** Beyond `limitBytes`, the layers that were used least recently go. */
  constructor(root: string, { limitBytes = LAYER_CACHE_BYTES }: { readonly limitBytes?: number } = {}) {
    this.#root = root
    this.#limitBytes = limitBytes
  }

  /** Where a layer's bytes are. */
  pathOf(digest: string): string {
    return join(this.#root, 'blobs', digest.replace(':', '/'))
  }

  async find(key: string): Promise<CachedLayer | null> {
    try {
      const layer: CachedLayer = JSON.parse(await readFile(join(this.#root, 'keys', key), 'utf8'))
      // The time of its file is that of its last use.
      const now = new Date()
      await utimes(this.pathOf(layer.digest), now, now)
      return layer
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
      await this.#prune()
      return layer
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async #prune(): Promise<void> {
    const folder = join(this.#root, 'blobs', 'sha256')
    const layers = await Promise.all((await readdir(folder)).map((name) => usedFile(join(folder, name))))
    let bytes = layers.reduce((sum, layer) => sum + layer.size, 0)
    if (bytes <= this.#limitBytes) return
    const unused = layers.filter(({ usedAt }) => usedAt < Date.now() - IN_USE_MS).sort((a, b) => a.usedAt - b.usedAt)
    for (const { path, size } of unused) {
      if (bytes <= this.#limitBytes) break
      await rm(path, { force: true })
      bytes -= size
    }
    await this.#forgetLost()
  }

  /** Removes the keys of layers that are gone, and what killed builds left half written. */
  async #forgetLost(): Promise<void> {
    for (const key of await readdir(join(this.#root, 'keys'))) {
      const path = join(this.#root, 'keys', key)
      const layer: CachedLayer | null = await readFile(path, 'utf8').then(JSON.parse, () => null)
      if (layer && !existsSync(this.pathOf(layer.digest))) await rm(path, { force: true })
    }
    for (const name of await readdir(join(this.#root, 'tmp'))) {
      const { path, usedAt } = await usedFile(join(this.#root, 'tmp', name))
      if (usedAt < Date.now() - IN_USE_MS) await rm(path, { force: true })
    }
  }
}

/** Another build may have removed the file meanwhile; it then counts as nothing. */
async function usedFile(path: string): Promise<{ path: string; size: number; usedAt: number }> {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: Number.POSITIVE_INFINITY }))
  return { path, size, usedAt: mtimeMs }
}
