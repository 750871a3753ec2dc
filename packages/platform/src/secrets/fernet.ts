/** Fernet, the format in which secrets are kept: AES-128-CBC and HMAC-SHA256 (https://github.com/fernet/spec), as Airflow keeps its own. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'

const VERSION = 0x80
const HEADER_BYTES = 1 + 8 + 16
const MAC_BYTES = 32

/** A new key: 32 random bytes in URL-safe base64. */
export const newFernetKey = (): string => randomBytes(32).toString('base64url').concat('=')

/** Encrypts with the first key; decrypts with whichever key made the token. Put a new key in front of the old one to rotate. */
export class Fernet {
  readonly #keys: readonly Buffer[]
  readonly #clock: Clock

  /** `keys`: one or more keys, separated by commas, newest first. Throws `invalid` when one is not 32 bytes of URL-safe base64. */
  constructor(keys: string, clock: Clock) {
    this.#keys = keys.split(',').map((text, index) => {
      const key = Buffer.from(text.trim(), 'base64url')
      if (key.length === 32) return key
      throw new AppError(
        'invalid',
        `Fernet key ${index + 1} has ${key.length} bytes, not 32. Make one with: openssl rand -base64 32 | tr '+/' '-_'`,
      )
    })
    this.#clock = clock
  }

  /** Whether there are keys behind the newest one: what they made can be rotated. */
  get hasOlderKeys(): boolean {
    return this.#keys.length > 1
  }

  encrypt(text: string, iv: Buffer = randomBytes(16)): string {
    return this.#seal(text, Math.floor(this.#clock.now().getTime() / 1000), iv)
  }

  /** The text behind `token`; throws `invalid` when no key made it or when it was changed. */
  decrypt(token: string): string {
    return this.#open(token).text
  }

  /** `token` as the newest key makes it, with the time at which it was made first. Throws as `decrypt` does. */
  rotate(token: string): string {
    const { text, seconds } = this.#open(token)
    return this.#seal(text, seconds, randomBytes(16))
  }

  #seal(text: string, seconds: number, iv: Buffer): string {
    const [key] = this.#keys as [Buffer]
    const header = Buffer.alloc(9)
    header[0] = VERSION
    header.writeBigUInt64BE(BigInt(seconds), 1)
    const cipher = createCipheriv('aes-128-cbc', key.subarray(16), iv)
    const body = Buffer.concat([header, iv, cipher.update(text, 'utf8'), cipher.final()])
    return base64url(Buffer.concat([body, mac(key, body)]))
  }

  #open(token: string): { readonly text: string; readonly seconds: number } {
    const bytes = Buffer.from(BASE64URL.test(token) ? token : '', 'base64url')
    const body = bytes.subarray(0, -MAC_BYTES)
    const key = this.#keys.find(
      (candidate) => bytes.length > HEADER_BYTES + MAC_BYTES && timingSafeEqual(mac(candidate, body), bytes.subarray(-MAC_BYTES)),
    )
    if (!key || body[0] !== VERSION)
      throw new AppError(
        'invalid',
        'A secret cannot be decrypted: none of the Fernet keys made it. Put the key that did at the end of the list.',
      )
    try {
      const decipher = createDecipheriv('aes-128-cbc', key.subarray(16), body.subarray(9, HEADER_BYTES))
      const text = Buffer.concat([decipher.update(body.subarray(HEADER_BYTES)), decipher.final()]).toString('utf8')
      return { text, seconds: Number(body.readBigUInt64BE(1)) }
    } catch (cause) {
      throw new AppError('invalid', 'A secret cannot be decrypted: what its key signed is not in the form of Fernet.', { cause })
    }
  }
}

/** Does `work` on a secret; an error says whose secret it was. */
export function named<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    throw new AppError(cause.code, `The ${name}: ${cause.message}`, { cause })
  }
}

/** Encrypts all that is kept anew: what each keeper does, by its name. A keeper adds what no key can read to `problems`, and answers how many it has. */
export type Rotations = Readonly<Record<string, (problems: string[]) => number>>

/**
 * Does `rotations` within one transaction: all of them or nothing. Answers how many each has. Throws `invalid` with the names of all that
 * none of the keys can read.
 */
export function rotateAll<Of extends Rotations>(
  transaction: <T>(work: () => T) => T,
  rotations: Of,
): { readonly [Name in keyof Of]: number } {
  return transaction(() => {
    const problems: string[] = []
    const counts = Object.entries(rotations).map(([name, rotate]) => [name, rotate(problems)])
    if (problems.length > 0) throw new AppError('invalid', 'The Fernet keys cannot be rotated, and nothing was changed:', { problems })
    return Object.fromEntries(counts)
  })
}

/** Does `work` on a secret; when no key can read it, adds that to `problems` instead, so that all of them are told at once. */
export function rotated(problems: string[], name: string, work: () => void): void {
  try {
    named(name, work)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    problems.push(error.message)
  }
}

const BASE64URL = /^[\w-]+={0,2}$/

const mac = (key: Buffer, body: Buffer): Buffer => createHmac('sha256', key.subarray(0, 16)).update(body).digest()

/** URL-safe base64 with padding, as the specification wants it. */
const base64url = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
