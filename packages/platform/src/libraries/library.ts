/** The platform's own libraries, which model projects install from it as npm packages. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Manifest } from './manifest.ts'

/** A library as it is served. */
export interface Library {
  readonly manifest: Manifest
  /** In the form of package.json and lock files: `sha512-BASE64`. */
  readonly integrity: string
  /** SHA-1 in hexadecimal, for old clients. */
  readonly shasum: string
  readonly fileCount: number
  readonly unpackedBytes: number
}

export interface LibraryStore {
  /** The names of all libraries, sorted. */
  names(): Promise<string[]>
  /** Builds it when its sources have changed since it was built last. Throws `unavailable` when they cannot be built. */
  find(name: string): Promise<Library | null>
  /** The tarball of `library`. */
  read(library: Library): Promise<Uint8Array>
  /** Ends the builds that go on. */
  stop(): Promise<void>
}

export class Libraries {
  #store: LibraryStore

  constructor({ store }: { readonly store: LibraryStore }) {
    this.#store = store
  }

  /** Throws `not_found`. */
  async get(name: string): Promise<Library> {
    const library = await this.#store.find(name)
    if (library) return library
    const names = await this.#store.names()
    throw new AppError(
      'not_found',
      `This registry has no package "${name}". It serves ${names.join(', ')}; all else is at registry.npmjs.org.${didYouMean(name, names)}`,
    )
  }

  /** What npm asks first: all versions of `name`, with the addresses of their tarballs below `registry`. */
  async packument(name: string, registry: string): Promise<object> {
    const library = await this.get(name)
    const { version } = library.manifest
    return { _id: name, name, 'dist-tags': { latest: version }, versions: { [version]: versionOf(library, registry) } }
  }

  /** The tarball `file`, such as `boost-0.1.0.tgz`, of `name`. Throws `not_found` when it has another version. */
  async tarball(name: string, file: string): Promise<{ content: Uint8Array; integrity: string }> {
    const library = await this.get(name)
    if (file !== tarballName(library))
      throw new AppError(
        'not_found',
        `The package "${name}" has no tarball "${file}". It is served in version ${library.manifest.version} only.`,
      )
    return { content: await this.#store.read(library), integrity: library.integrity }
  }

  /** Builds all libraries, so that the first install need not wait for them. */
  async prepare(signal: AbortSignal): Promise<void> {
    for (const name of await this.#store.names()) {
      signal.throwIfAborted()
      await this.#store.find(name)
    }
  }

  stop(): Promise<void> {
    return this.#store.stop()
  }
}

/** One version as npm's registry describes it. */
const versionOf = (library: Library, registry: string): object => {
  const { manifest, integrity, shasum, fileCount, unpackedBytes } = library
  const tarball = `${registry}/${manifest.name}/-/${tarballName(library)}`
  return {
    ...manifest,
    _id: `${manifest.name}@${manifest.version}`,
    dist: { tarball, integrity, shasum, fileCount, unpackedSize: unpackedBytes },
  }
}

const tarballName = ({ manifest: { name, version } }: Library): string => `${name.slice(name.indexOf('/') + 1)}-${version}.tgz`
