/** Manifests: what an image or an index is made of. Their bytes are kept exactly as they were sent. */
import { AppError } from '../core/app-error.ts'
import { isDigest } from './digest.ts'

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly artifactType?: string
}

export interface Manifest {
  readonly repository: string
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Uint8Array
  /** The digest of the manifest that this one is about: a signature, a provenance. */
  readonly subject: string | null
  readonly artifactType: string | null
  readonly annotations: Readonly<Record<string, string>>
  readonly createdBy: string
  readonly createdAt: string
}

export interface ManifestStore {
  find(repository: string, digest: string): Promise<Manifest | null>
  /** With its tags, in one step; a tag that stood elsewhere moves. */
  save(manifest: Manifest, tags: readonly string[]): Promise<void>
  /** With the tags that stand at it. Answers false when there is none. */
  delete(repository: string, digest: string): Promise<boolean>
  referrers(repository: string, subject: string): Promise<Manifest[]>
  /** True when a manifest of the repository names the digest. */
  mentions(repository: string, digest: string): Promise<boolean>
}

/** Tags are names that move. */
export interface TagStore {
  find(repository: string, tag: string): Promise<string | null>
  /** Those behind `last`, in order. */
  list(repository: string, query: { last: string; limit: number }): Promise<string[]>
  delete(repository: string, tag: string): Promise<boolean>
  /** The repositories that hold anything, behind `last`, in order. */
  repositories(query: { last: string; limit: number }): Promise<string[]>
  exists(repository: string): Promise<boolean>
}

/** What a manifest names, read from its bytes. */
export interface ManifestContent {
  readonly mediaType: string
  readonly blobs: readonly Descriptor[]
  readonly manifests: readonly Descriptor[]
  readonly subject: string | null
  readonly artifactType: string | null
  readonly annotations: Readonly<Record<string, string>>
  /** Bytes of the config and the layers together. */
  readonly size: number
}

export const IMAGE_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const IMAGE_INDEX = 'application/vnd.oci.image.index.v1+json'

interface ManifestJson {
  schemaVersion?: number
  mediaType?: string
  config?: Descriptor
  layers?: Descriptor[]
  manifests?: Descriptor[]
  subject?: Descriptor
  artifactType?: string
  annotations?: Record<string, string>
}

/** Reads and checks a manifest; throws `invalid` (MANIFEST_INVALID) with all that is wrong. */
export function readManifest(bytes: Uint8Array, contentType: string): ManifestContent {
  const json = parse(bytes)
  const problems: string[] = []
  if (json.schemaVersion !== 2) problems.push(`schemaVersion is ${json.schemaVersion}, not 2`)
  if (json.mediaType && json.mediaType !== contentType) problems.push(`it says ${json.mediaType}, the request says ${contentType}`)
  const isIndex = Array.isArray(json.manifests)
  if (!isIndex && !json.config) problems.push('it has neither config and layers nor manifests')
  const lists = { config: json.config ? [json.config] : [], layers: json.layers ?? [], manifests: json.manifests ?? [] }
  for (const [field, descriptors] of Object.entries(lists))
    for (const [i, descriptor] of descriptors.entries())
      if (!isDigest(descriptor?.digest ?? '') || !Number.isSafeInteger(descriptor.size) || descriptor.size < 0)
        problems.push(`${field}[${i}] has no valid digest and size`)
  if (json.subject && !isDigest(json.subject.digest ?? '')) problems.push('subject has no valid digest')
  if (problems.length > 0) throw new AppError('invalid', 'This manifest cannot be stored:', { problems, reason: 'MANIFEST_INVALID' })
  const blobs = isIndex ? [] : [...lists.config, ...lists.layers]
  return {
    mediaType: contentType,
    blobs,
    manifests: lists.manifests,
    subject: json.subject?.digest ?? null,
    artifactType: json.artifactType ?? json.config?.mediaType ?? null,
    annotations: json.annotations ?? {},
    size: blobs.reduce((sum, { size }) => sum + size, 0),
  }
}

function parse(bytes: Uint8Array): ManifestJson {
  try {
    const json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (json !== null && typeof json === 'object' && !Array.isArray(json)) return json
  } catch {}
  throw new AppError('invalid', 'This manifest cannot be stored: it is not a JSON object.', { reason: 'MANIFEST_INVALID' })
}
