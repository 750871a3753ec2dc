/** Buckets: named containers of objects. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'

export interface Bucket {
  readonly name: string
  readonly project: string
  readonly location: string
  readonly storageClass: string
  readonly labels: Readonly<Record<string, string>>
  /** The subject of the principal that created it. */
  readonly createdBy: string
  readonly timeCreated: string
  readonly updated: string
  readonly metageneration: number
}

export interface BucketStore {
  find(name: string): Promise<Bucket | null>
  /** By name, in order. */
  list(project: string, prefix: string): Promise<Bucket[]>
  names(): Promise<string[]>
  /** Answers false, and changes nothing, when the name is taken. */
  create(bucket: Bucket): Promise<boolean>
  update(bucket: Bucket): Promise<void>
  /** Answers false, and changes nothing, while objects are in it. */
  delete(name: string): Promise<boolean>
}

export interface BucketRequest {
  readonly name: string
  readonly project: string
  readonly location?: string | undefined
  readonly storageClass?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly createdBy: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/

export class Buckets {
  #store: BucketStore
  #clock: Clock

  constructor({ store, clock }: { store: BucketStore; clock: Clock }) {
    this.#store = store
    this.#clock = clock
  }

  /** Throws `invalid` for a bad name and `conflict` for one that is taken. */
  async create({ name, project, location = 'US', storageClass = 'STANDARD', labels = {}, createdBy }: BucketRequest): Promise<Bucket> {
    if (!NAME.test(name ?? '') || name.includes('..'))
      throw new AppError(
        'invalid',
        `Bucket "${name}" cannot be created: a name has 3 to 222 lower-case letters, digits, dots, dashes or underscores and begins and ends with a letter or digit.`,
      )
    const now = this.#clock.now().toISOString()
    const bucket = { name, project, location, storageClass, labels, createdBy, timeCreated: now, updated: now, metageneration: 1 }
    if (!(await this.#store.create(bucket)))
      throw new AppError('conflict', `Bucket "${name}" exists already. Use it, or choose another name.`)
    return bucket
  }

  /** Throws `not_found`. */
  async find(name: string): Promise<Bucket> {
    const bucket = await this.#store.find(name)
    if (bucket) return bucket
    throw new AppError(
      'not_found',
      `There is no bucket "${name}".${didYouMean(name, await this.#store.names())} Create it, or check the name.`,
    )
  }

  list(project: string, prefix = ''): Promise<Bucket[]> {
    return this.#store.list(project, prefix)
  }

  /** The one bucket of that name, created when it is missing: for those that the platform itself needs. */
  async ensure(request: BucketRequest): Promise<Bucket> {
    return (await this.#store.find(request.name)) ?? this.create(request)
  }

  async patch(name: string, { labels, storageClass }: Partial<Pick<Bucket, 'labels' | 'storageClass'>>): Promise<Bucket> {
    const bucket = await this.find(name)
    const changed: Bucket = {
      ...bucket,
      labels: labels ?? bucket.labels,
      storageClass: storageClass ?? bucket.storageClass,
      updated: this.#clock.now().toISOString(),
      metageneration: bucket.metageneration + 1,
    }
    await this.#store.update(changed)
    return changed
  }

  /** Throws `conflict` while objects are in it. */
  async delete(name: string): Promise<void> {
    await this.find(name)
    if (!(await this.#store.delete(name)))
      throw new AppError('conflict', `Bucket "${name}" cannot be deleted: it is not empty. Delete its objects first.`)
  }
}
