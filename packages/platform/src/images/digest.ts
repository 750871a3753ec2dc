/** Digests, names and tags: the grammar of OCI references. */
import { createHash, type Hash } from 'node:crypto'
import { AppError } from '../core/app-error.ts'

const HEX_LENGTH = { sha256: 64, sha512: 128 } as const

export type Algorithm = keyof typeof HEX_LENGTH

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/

export const isDigest = (text: string): boolean => {
  const [algorithm, hex = ''] = text.split(':', 2)
  const length = HEX_LENGTH[algorithm as Algorithm]
  return length !== undefined && hex.length === length && /^[0-9a-f]+$/.test(hex)
}

/** The algorithm of a digest; throws `invalid` (DIGEST_INVALID) for what is none. */
export function algorithmOf(digest: string): Algorithm {
  if (isDigest(digest)) return digest.split(':', 1)[0] as Algorithm
  throw new AppError('invalid', `"${digest}" is not a digest. Write sha256: and 64 hexadecimal digits, or sha512: and 128.`, {
    reason: 'DIGEST_INVALID',
  })
}

export const hasher = (algorithm: Algorithm): Hash => createHash(algorithm)

export const digestOf = (bytes: Uint8Array, algorithm: Algorithm = 'sha256'): string =>
  `${algorithm}:${hasher(algorithm).update(bytes).digest('hex')}`

/** Throws `invalid` (NAME_INVALID). Names that begin with `projects/` would hide the services' API, which has the same root. */
export function checkRepositoryName(name: string): void {
  if (name.length > 255 || !NAME.test(name))
    throw new AppError('invalid', `"${name}" cannot name an image repository. Use lower-case letters, digits, ".", "_", "-" and "/".`, {
      reason: 'NAME_INVALID',
    })
  if (name === 'projects' || name.startsWith('projects/'))
    throw new AppError('invalid', `"${name}" cannot name an image repository: names that begin with "projects/" belong to the services.`, {
      reason: 'NAME_INVALID',
    })
}

/** Throws `invalid` (MANIFEST_INVALID, as the specification has no code for tags). */
export function checkTag(tag: string): void {
  if (!TAG.test(tag))
    throw new AppError('invalid', `"${tag}" cannot be a tag. Use up to 128 letters, digits, "_", "." and "-".`, {
      reason: 'MANIFEST_INVALID',
    })
}
