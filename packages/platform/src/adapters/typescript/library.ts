/** Libraries built from the TypeScript of this repository's workspaces, once for each state of their sources. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Library, LibraryStore } from '../../libraries/library.ts'
import { binPaths, type Manifest, servedManifest } from '../../libraries/manifest.ts'
import { compile, TYPESCRIPT_VERSION } from './compile.ts'
import { type PackedFile, tarball } from './tarball.ts'

/** Part of every hash: a change of how libraries are built builds them anew. */
const FORMAT = '1'
const TARBALL = 'package.tgz'

export interface TypescriptLibraryOptions {
  /** The folder that holds the workspaces: `packages`. */
  readonly workspaces: string
  /** Where what is built is kept, a folder for each hash of sources. */
  readonly folder: string
}

interface Workspace {
  readonly folder: string
  readonly manifest: Manifest
}

export class TypescriptLibraryStore implements LibraryStore {
  #workspaces: string
  #folder: string
  #builds = new Map<string, Promise<Library>>()
  #hashes = new WeakMap<Library, string>()
  #stopping = new AbortController()

  constructor({ workspaces, folder }: TypescriptLibraryOptions) {
    this.#workspaces = workspaces
    this.#folder = folder
  }

  async names(): Promise<string[]> {
    return (await this.#served()).map(({ manifest }) => manifest.name).sort()
  }

  async find(name: string): Promise<Library | null> {
    const workspace = (await this.#served()).find(({ manifest }) => manifest.name === name)
    if (!workspace) return null
    const sources = await readSources(workspace)
    const hash = hashOf(workspace, sources)
    const known = this.#builds.get(hash)
    if (known) return known
    const build = this.#keptOrBuilt(hash, workspace, sources)
    this.#builds.set(hash, build)
    // What failed is tried again by the next request.
    build.catch(() => this.#builds.delete(hash))
    return build
  }

  read(library: Library): Promise<Uint8Array> {
    return readFile(join(this.#folder, this.#hashes.get(library) as string, TARBALL))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.allSettled(this.#builds.values())
  }

  /** Workspaces that are meant to be installed: not private, and not the platform itself, which has no scope. */
  async #served(): Promise<Workspace[]> {
    const entries = await readdir(this.#workspaces, { withFileTypes: true })
    const found = entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }): Promise<Workspace | null> => {
        const folder = join(this.#workspaces, name)
        const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null)
        const manifest = text === null ? null : (JSON.parse(text) as Manifest)
        return manifest && manifest.private !== true && manifest.name.startsWith('@') ? { folder, manifest } : null
      })
    return (await Promise.all(found)).filter((workspace) => workspace !== null)
  }

  async #keptOrBuilt(hash: string, workspace: Workspace, sources: readonly Source[]): Promise<Library> {
    const place = join(this.#folder, hash)
    const kept = await readFile(join(place, 'library.json'), 'utf8').catch(() => null)
    const library = kept === null ? await this.#build(place, workspace, sources) : (JSON.parse(kept) as Library)
    this.#hashes.set(library, hash)
    return library
  }

  /** Builds beside `place` and moves the result there whole. */
  async #build(place: string, workspace: Workspace, sources: readonly Source[]): Promise<Library> {
    await mkdir(this.#folder, { recursive: true })
    const working = await mkdtemp(join(this.#folder, '.building-'))
    try {
      const rootDir = join(workspace.folder, 'src')
      const outDir = join(working, 'dist')
      const isTypescript = ({ path }: Source) => path.endsWith('.ts')
      const files = sources.filter(isTypescript).map(({ path }) => join(rootDir, path))
      await compile({ files, rootDir, outDir, configFolder: working, signal: this.#stopping.signal })
      const manifest = servedManifest(workspace.manifest)
      const others = sources.filter((source) => !isTypescript(source)).map(({ path, content }) => ({ path: `dist/${path}`, content }))
      const built = (await readTree(outDir)).map(({ path, content }) => ({ path: `dist/${path}`, content }))
      const described = [{ path: 'package.json', content: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) }]
      const executables = new Set(binPaths(manifest))
      const packed = [...described, ...built, ...others].map((file): PackedFile => ({ ...file, isExecutable: executables.has(file.path) }))
      const content = await tarball(packed)
      const library: Library = {
        manifest,
        integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
        shasum: createHash('sha1').update(content).digest('hex'),
        fileCount: packed.length,
        unpackedBytes: packed.reduce((sum, file) => sum + file.content.byteLength, 0),
      }
      const result = join(working, 'result')
      await mkdir(result)
      await writeFile(join(result, TARBALL), content)
      await writeFile(join(result, 'library.json'), JSON.stringify(library))
      await rename(result, place).catch((error: NodeJS.ErrnoException) => {
        // Another platform with this home was faster, with the same bytes.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
      return library
    } finally {
      await rm(working, { recursive: true, force: true })
    }
  }
}

interface Source {
  /** Relative to the folder that was read, with `/`. */
  readonly path: string
  readonly content: Buffer
}

/** What of a workspace is built: its sources without their tests. */
async function readSources({ folder }: Workspace): Promise<Source[]> {
  const isTest = (path: string) => /\.test\.ts$/.test(path)
  return (await readTree(join(folder, 'src'))).filter(({ path }) => !isTest(path))
}

/** All files below `folder`, in the order of their paths. */
async function readTree(folder: string): Promise<Source[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = files.map(async (file) => ({ path: relative(folder, file).split(sep).join('/'), content: await readFile(file) }))
  return (await Promise.all(read)).sort((a, b) => (a.path < b.path ? -1 : 1))
}

function hashOf({ manifest }: Workspace, sources: readonly Source[]): string {
  const hash = createHash('sha256').update(JSON.stringify([FORMAT, TYPESCRIPT_VERSION, manifest]))
  for (const { path, content } of sources) hash.update(`\0${path}\0${content.byteLength}\0`).update(content)
  return hash.digest('hex').slice(0, 32)
}
