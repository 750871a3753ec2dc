/** The images of a build: an OCI image layout in a folder. */
import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { newId } from '../../../core/id.ts'
import { digestOf } from '../../../images/digest.ts'
import type { Descriptor } from '../../../images/manifest.ts'

const REFERENCE = 'org.opencontainers.image.ref.name'

interface Index {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly manifests: Descriptor[]
}

export class ImageLayout {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  pathOf(digest: string): string {
    return join(this.root, 'blobs', digest.replace(':', '/'))
  }

  async addBlob(bytes: Buffer, mediaType: string): Promise<Descriptor> {
    const digest = digestOf(bytes)
    await mkdir(dirname(this.pathOf(digest)), { recursive: true })
    await writeFile(this.pathOf(digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }

  /** Takes a file of that digest in, without copying it where the file system can. */
  async addFile(digest: string, file: string): Promise<void> {
    const path = this.pathOf(digest)
    if (existsSync(path)) return
    await mkdir(dirname(path), { recursive: true })
    await link(file, path).catch(() => copyFile(file, path))
  }

  /** Lets `reference` (`gcr.io/p/n:tag`) name the manifest. */
  async tag(reference: string, manifest: Descriptor): Promise<void> {
    const index = await this.#index()
    const others = index.manifests.filter((known) => known.annotations?.[REFERENCE] !== reference)
    const { mediaType, digest, size } = manifest
    const manifests = [...others, { mediaType, digest, size, annotations: { [REFERENCE]: reference } }]
    const temporary = join(this.root, `index.${newId()}`)
    await writeFile(join(this.root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    await writeFile(temporary, JSON.stringify({ ...index, manifests }))
    await rename(temporary, join(this.root, 'index.json'))
  }

  async find(reference: string): Promise<Descriptor | null> {
    return (await this.#index()).manifests.find((known) => known.annotations?.[REFERENCE] === reference) ?? null
  }

  async list(): Promise<{ reference: string; descriptor: Descriptor }[]> {
    return (await this.#index()).manifests.map((descriptor) => ({ reference: descriptor.annotations?.[REFERENCE] ?? '<none>', descriptor }))
  }

  async read(descriptor: Descriptor): Promise<Buffer> {
    return readFile(this.pathOf(descriptor.digest))
  }

  async #index(): Promise<Index> {
    await mkdir(this.root, { recursive: true })
    try {
      return JSON.parse(await readFile(join(this.root, 'index.json'), 'utf8'))
    } catch {
      return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }
    }
  }
}
