/** Names of images: `gcr.io/PROJECT/NAME:TAG`, which here all mean the platform's own registry. */
import { AppError } from '../../../core/app-error.ts'
import { checkRepositoryName, checkTag, isDigest } from '../../../images/digest.ts'

export interface ImageReference {
  readonly host: string
  /** The name in the registry: `PROJECT/NAME`. */
  readonly repository: string
  readonly tag: string
  /** Takes precedence over the tag. */
  readonly digest: string | null
}

/** Google's registries, and this machine's; the platform stands in for all of them. */
const OURS = /^(?:(?:[a-z]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev|localhost(?::\d+)?|127\.0\.0\.1(?::\d+)?)$/

/** Reads a reference; a name without a registry belongs to Docker Hub, as docker has it. Throws `invalid`. */
export function readReference(text: string): ImageReference {
  const [name = '', digest] = text.split('@', 2)
  if (digest !== undefined && !isDigest(digest)) throw new AppError('invalid', `"${digest}" in the image name "${text}" is not a digest.`)
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const hasHost = /[.:]/.test(first) || first === 'localhost'
  const host = hasHost ? first : 'docker.io'
  const path = hasHost ? name.slice(slash + 1) : name
  const colon = path.lastIndexOf(':')
  const repository = colon < 0 ? path : path.slice(0, colon)
  const tag = colon < 0 ? 'latest' : path.slice(colon + 1)
  checkRepositoryName(repository)
  checkTag(tag)
  return { host, repository, tag, digest: digest ?? null }
}

/** The reference, if it is one of the platform's registry; throws `invalid` for Docker Hub and other registries. */
export function ownReference(text: string): ImageReference {
  const reference = readReference(text)
  if (OURS.test(reference.host)) return reference
  throw new AppError(
    'invalid',
    `Image "${text}" is in the registry ${reference.host}, which the process driver does not reach. Use gcr.io/PROJECT/NAME, or the container driver.`,
  )
}

export const nameOf = ({ host, repository }: ImageReference): string => `${host}/${repository}`
