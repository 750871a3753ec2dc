/** The data catalog: which dataset is kept where. Names that it does not know live in memory for one run. */
import { isAbsolute, join, normalize } from 'node:path'
import { isSettings, parameterAt, parameterPaths, type Settings } from './configuration.ts'
import type { Dataset } from './datasets/dataset.ts'
import { FileDataset } from './datasets/file.ts'
import { FORMATS, type FormatOptions } from './datasets/formats.ts'
import { MemoryDataset } from './datasets/memory.ts'
import { isParameter } from './node.ts'
import { didYouMean, PipelineError } from './pipeline-error.ts'

export interface DataCatalogOptions {
  readonly datasets?: Readonly<Record<string, Dataset>>
  readonly parameters?: Settings
}

export class DataCatalog {
  readonly #datasets: Map<string, Dataset>
  readonly #parameters: Settings

  constructor({ datasets = {}, parameters = {} }: DataCatalogOptions = {}) {
    this.#datasets = new Map(Object.entries(datasets))
    this.#parameters = parameters
  }

  /** Names of datasets, not of parameters. */
  get names(): string[] {
    return [...this.#datasets.keys()]
  }

  /** `dataset` may be `params:a.b` or `parameters` as well. */
  has(dataset: string): boolean {
    if (!isParameter(dataset)) return this.#datasets.has(dataset)
    return dataset === 'parameters' || parameterAt(this.#parameters, dataset.slice('params:'.length)) !== undefined
  }

  /** Throws when it does not exist, or cannot be loaded. */
  async load(dataset: string): Promise<unknown> {
    const kept = this.#datasets.get(dataset)
    if (kept) return named(dataset, 'loaded', () => kept.load())
    if (!this.has(dataset)) throw new PipelineError(this.complaint(dataset))
    if (dataset === 'parameters') return this.#parameters
    return parameterAt(this.#parameters, dataset.slice('params:'.length))
  }

  /** A dataset that the catalog does not know is kept in memory. */
  async save(dataset: string, value: unknown): Promise<void> {
    const kept = this.#datasets.get(dataset) ?? new MemoryDataset()
    this.#datasets.set(dataset, kept)
    await named(dataset, 'saved', () => kept.save(value))
  }

  async exists(dataset: string): Promise<boolean> {
    return (await this.#datasets.get(dataset)?.exists()) ?? false
  }

  /** Forgets `dataset` if it is only in memory. */
  release(dataset: string): void {
    if (this.#datasets.get(dataset) instanceof MemoryDataset) this.#datasets.delete(dataset)
  }

  /** Why `dataset` cannot be used, for messages. */
  complaint(dataset: string): string {
    if (!isParameter(dataset))
      return `there is no dataset "${dataset}" in the catalog, and no node gives it.${didYouMean(dataset, this.names)}`
    const path = dataset.slice('params:'.length)
    return `there is no parameter "${path}".${didYouMean(path, parameterPaths(this.#parameters))}`
  }
}

export interface CatalogFileOptions {
  /** The project's folder; every `filepath` is relative to it. */
  readonly root: string
  readonly parameters?: Settings
  /** The version that this run gives to what it saves in versioned datasets. */
  readonly version: string
}

const ENTRY_KEYS = ['type', 'filepath', 'versioned', 'separator', 'types']

/** The catalog that `entries` (of `catalog.yml`) describe. Throws one error with all that is wrong in them. */
export function catalogOf(entries: Settings, { root, parameters = {}, version }: CatalogFileOptions): DataCatalog {
  const problems: string[] = []
  const datasets: Record<string, Dataset> = {}
  for (const [name, entry] of Object.entries(entries)) {
    if (name.startsWith('_')) continue
    const complain = (problem: string) => problems.push(`dataset "${name}" ${problem}`)
    if (!isSettings(entry)) {
      complain('must say its `type` and, for a file, its `filepath`')
      continue
    }
    for (const key of Object.keys(entry)) {
      if (!ENTRY_KEYS.includes(key)) complain(`has an unknown key "${key}".${didYouMean(key, ENTRY_KEYS)}`)
    }
    const type = String(entry.type)
    if (type === 'memory.Memory') {
      datasets[name] = new MemoryDataset()
      continue
    }
    const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined
    if (!format) {
      const types = [...Object.keys(FORMATS), 'memory.Memory']
      complain(`has the unknown type "${type}".${didYouMean(type, types)} Types are: ${types.join(', ')}.`)
      continue
    }
    const { filepath } = entry
    if (typeof filepath !== 'string' || filepath === '') complain('has no `filepath`')
    else if (isAbsolute(filepath) || normalize(filepath).startsWith('..')) {
      complain(`has the filepath "${filepath}", which leaves the project. Name a file inside it, such as data/03_primary/${name}.csv.`)
    } else {
      const isVersioned = entry.versioned === true
      const path = join(root, filepath)
      datasets[name] = new FileDataset({ format: format(entry as FormatOptions), filepath, path, ...(isVersioned && { version }) })
    }
  }
  PipelineError.throwIfAny('The catalog is wrong', problems)
  return new DataCatalog({ datasets, parameters })
}

async function named<T>(dataset: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new PipelineError(`Dataset "${dataset}" cannot be ${verb}: ${(error as Error).message}`, { cause: error })
  }
}
