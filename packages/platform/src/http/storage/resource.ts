/** Buckets and objects as Cloud Storage words them in JSON, and the questions that requests put. */
import type { Context } from 'hono'
import type { Bucket } from '../../buckets/bucket.ts'
import type { Checksums } from '../../buckets/checksum.ts'
import type { ObjectFacts, Preconditions, StoredObject } from '../../buckets/object.ts'
import { AppError } from '../../core/app-error.ts'
import { readObject } from '../body.ts'
import type { DoorEnvironment } from '../door.ts'

export type DoorContext = Context<DoorEnvironment>

export const originOf = (c: DoorContext): string => new URL(c.req.url).origin

export const bucketResource = (origin: string, bucket: Bucket): object => ({
  kind: 'storage#bucket',
  id: bucket.name,
  name: bucket.name,
  selfLink: `${origin}/storage/v1/b/${bucket.name}`,
  projectNumber: '1',
  location: bucket.location,
  locationType: 'region',
  storageClass: bucket.storageClass,
  labels: bucket.labels,
  timeCreated: bucket.timeCreated,
  updated: bucket.updated,
  metageneration: String(bucket.metageneration),
  etag: etag(bucket.metageneration),
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true } },
})

export function objectResource(origin: string, object: StoredObject): object {
  const path = `${encodeURIComponent(object.bucket)}/o/${encodeURIComponent(object.name)}`
  const { contentEncoding, contentDisposition, cacheControl } = object
  return {
    kind: 'storage#object',
    id: `${object.bucket}/${object.name}/${object.generation}`,
    selfLink: `${origin}/storage/v1/b/${path}`,
    mediaLink: `${origin}/download/storage/v1/b/${path}?generation=${object.generation}&alt=media`,
    bucket: object.bucket,
    name: object.name,
    generation: String(object.generation),
    metageneration: String(object.metageneration),
    contentType: object.contentType,
    ...(contentEncoding && { contentEncoding }),
    ...(contentDisposition && { contentDisposition }),
    ...(cacheControl && { cacheControl }),
    ...(Object.keys(object.metadata).length > 0 && { metadata: object.metadata }),
    storageClass: 'STANDARD',
    size: String(object.size),
    md5Hash: object.md5Hash,
    crc32c: object.crc32c,
    etag: etag(object.generation, object.metageneration),
    timeCreated: object.timeCreated,
    updated: object.updated,
    timeStorageClassUpdated: object.timeCreated,
    timeFinalized: object.timeCreated,
    owner: { entity: object.createdBy },
  }
}

export const etag = (...parts: number[]): string => Buffer.from(parts.join('/')).toString('base64')

export const readPreconditions = (c: DoorContext): Preconditions => ({
  ifGenerationMatch: readNumber(c, 'ifGenerationMatch'),
  ifGenerationNotMatch: readNumber(c, 'ifGenerationNotMatch'),
  ifMetagenerationMatch: readNumber(c, 'ifMetagenerationMatch'),
  ifMetagenerationNotMatch: readNumber(c, 'ifMetagenerationNotMatch'),
})

/** A whole number of the query; throws `invalid` for anything else. */
export function readNumber(c: DoorContext, name: string): number | undefined {
  const text = c.req.query(name)
  if (text === undefined || text === '') return undefined
  if (/^\d{1,16}$/.test(text)) return Number(text)
  throw new AppError('invalid', `${name} must be a whole number, not ${JSON.stringify(text)}.`)
}

/** The facts that a JSON resource states; what it leaves out is left out. Null takes a fact away. */
export function readFacts(resource: Record<string, unknown>): Partial<ObjectFacts> {
  const facts: Record<string, unknown> = {}
  const problems: string[] = []
  for (const field of ['contentType', 'contentEncoding', 'contentDisposition', 'cacheControl'] as const) {
    const value = resource[field]
    if (value === undefined) continue
    // They are sent as headers again, which take nothing else.
    if (value !== null && (typeof value !== 'string' || !/^[\t\x20-\x7e\xa0-\xff]*$/.test(value)))
      problems.push(`${field} must be one line of Latin text; write other letters as filename*=UTF-8''…`)
    facts[field] = value ?? (field === 'contentType' ? 'application/octet-stream' : null)
  }
  if (resource.metadata !== undefined) {
    const entries = Object.entries((resource.metadata ?? {}) as Record<string, unknown>).filter(([, value]) => value !== null)
    if (entries.some(([, value]) => typeof value !== 'string')) problems.push('the values of metadata must be texts')
    facts.metadata = Object.fromEntries(entries)
  }
  if (problems.length > 0) throw new AppError('invalid', 'The facts of this object cannot be kept:', { problems })
  return facts as Partial<ObjectFacts>
}

/** The sums that a client promises: in the resource, or in `X-Goog-Hash: crc32c=…,md5=…`. */
export function readExpected(c: DoorContext, resource: Record<string, unknown> = {}): Partial<Checksums> {
  const header = c.req.header('x-goog-hash') ?? ''
  const md5Hash = /md5=([\w+/]+=*)/.exec(header)?.[1] ?? resource.md5Hash
  const crc32c = /crc32c=([\w+/]+=*)/.exec(header)?.[1] ?? resource.crc32c
  return { ...(typeof md5Hash === 'string' && { md5Hash }), ...(typeof crc32c === 'string' && { crc32c }) }
}

/** The JSON body of the request; an empty one counts as `{}`. */
export const readResource = (c: DoorContext): Promise<Record<string, unknown>> => readObject(c.req.raw)
