/** A dataset in a file, written as a whole or not at all. */
import { access, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PipelineError } from '../pipeline-error.ts'
import type { Dataset } from './dataset.ts'

/** How a value of one type becomes bytes and back. `encode` throws for a value of another kind. */
export interface Format {
  readonly type: string
  decode(bytes: Buffer, source: string): unknown
  encode(value: unknown): string | Uint8Array
}

export interface FileDatasetOptions {
  readonly format: Format
  /** The file in the project, for messages. */
  readonly filepath: string
  /** The same file as the system knows it. */
  readonly path: string
  /**
   * For a versioned dataset the version that this run saves: the file is then `PATH/VERSION/NAME`, as in Kedro, and the newest is loaded.
   */
  readonly version?: string
}

export class FileDataset implements Dataset {
  readonly #options: FileDatasetOptions

  constructor(options: FileDatasetOptions) {
    this.#options = options
  }

  async load(): Promise<unknown> {
    const { format, filepath } = this.#options
    const file = await this.#newest()
    try {
      return format.decode(await readFile(file), filepath)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new PipelineError(`there is no file ${filepath} yet. Run the nodes that give it, or put it there.`, { cause: error })
    }
  }

  async save(value: unknown): Promise<void> {
    const { format, path, version } = this.#options
    const content = format.encode(value)
    const file = version === undefined ? path : this.#versioned(version)
    await mkdir(dirname(file), { recursive: true })
    const draft = join(dirname(file), `.${basename(file)}.${process.pid}`)
    await writeFile(draft, content)
    await rename(draft, file)
  }

  async exists(): Promise<boolean> {
    return access(await this.#newest()).then(
      () => true,
      () => false,
    )
  }

  describe(): string {
    const { format, filepath, version } = this.#options
    return `${format.type} ${filepath}${version === undefined ? '' : ' (versioned)'}`
  }

  async #newest(): Promise<string> {
    const { path, version } = this.#options
    if (version === undefined) return path
    const versions = await readdir(path).catch(() => [])
    return this.#versioned(versions.sort().at(-1) ?? version)
  }

  #versioned(version: string): string {
    const { path } = this.#options
    return join(path, version, basename(path))
  }
}
