/** Tokens: signed statements of who somebody is and what they may do, until when. JSON Web Tokens, HS256. */
import { createHash } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { newId } from '../core/id.ts'
import { PERMISSIONS, type Permission, type Principal, principal } from '../core/principal.ts'

const ISSUER = 'daggerboard'
/** How many verified tokens are remembered. */
const REMEMBERED = 1000

export interface TokenIssuer {
  /** A token for `who`, valid for `seconds`. */
  issue(who: Principal, seconds: number): Promise<string>
}

/** Tokens that were given back before their time. Times are in seconds since 1970. */
export interface RevokedTokenStore {
  /** Keeps `digest` at least until `expiresAt`, and may forget those that have expired before `now`. */
  add(digest: string, expiresAt: number, now: number): Promise<void>
  has(digest: string): Promise<boolean>
}

export class Tokens implements TokenIssuer {
  #key: Uint8Array
  #clock: Clock
  #revoked: RevokedTokenStore | null
  /** A caller sends the same token with every request, and a signature stays true until it expires: `exp` in seconds, by token, oldest first. */
  #verified = new Map<string, { readonly who: Principal; readonly exp: number }>()

  /** `key`: at least 32 bytes, kept in the platform's home. Without `revoked` every token lives until it expires. */
  constructor(key: Uint8Array, clock: Clock, revoked: RevokedTokenStore | null = null) {
    if (key.length < 32) throw new AppError('internal', `The signing key has ${key.length} bytes; it needs 32.`)
    this.#key = key
    this.#clock = clock
    this.#revoked = revoked
  }

  issue(who: Principal, seconds: number): Promise<string> {
    const now = this.#now()
    return new SignJWT({ permissions: [...who.permissions], ...(who.stamp !== undefined && { stamp: who.stamp }) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(who.subject)
      .setJti(newId())
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(this.#key)
  }

  /** The principal that a token speaks for; throws `unauthenticated` when it is forged, foreign or expired. */
  async verify(token: string): Promise<Principal> {
    const known = this.#verified.get(token)
    if (known && known.exp > this.#now()) return known.who
    const { who, exp } = await this.#read(token)
    if (await this.#revoked?.has(digestOf(token)))
      throw new AppError('unauthenticated', 'This token was given back. Ask for a new one with POST /auth/token.')
    this.#remember(token, who, exp)
    return who
  }

  /** Ends a token before its time, for good. One that is not valid is left as it is. */
  async revoke(token: string): Promise<void> {
    const read = await this.#read(token).catch(() => null)
    if (!read) return
    await this.#revoked?.add(digestOf(token), read.exp, this.#now())
    this.#verified.delete(token)
  }

  async #read(token: string): Promise<{ who: Principal; exp: number }> {
    try {
      const { payload } = await jwtVerify(token, this.#key, { issuer: ISSUER, algorithms: ['HS256'], currentDate: this.#clock.now() })
      const granted = new Set(payload.permissions as string[])
      const permissions = PERMISSIONS.filter((p: Permission) => granted.has(p))
      const who = principal(payload.sub ?? '', permissions)
      return { who: typeof payload.stamp === 'string' ? { ...who, stamp: payload.stamp } : who, exp: payload.exp ?? 0 }
    } catch (error) {
      const expired = (error as { code?: string }).code === 'ERR_JWT_EXPIRED'
      throw new AppError(
        'unauthenticated',
        expired
          ? 'This token has expired. Ask for a new one with POST /auth/token.'
          : 'This token is not valid here. Ask for one with POST /auth/token.',
      )
    }
  }

  #remember(token: string, who: Principal, exp: number): void {
    this.#verified.delete(token)
    this.#verified.set(token, { who, exp })
    const [oldest] = this.#verified.keys()
    if (this.#verified.size > REMEMBERED && oldest !== undefined) this.#verified.delete(oldest)
  }

  #now(): number {
    return Math.floor(this.#clock.now().getTime() / 1000)
  }
}

/** Of what was signed, not of the signature: that one can be spelled in several ways. */
const digestOf = (token: string): string =>
  createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('hex')
