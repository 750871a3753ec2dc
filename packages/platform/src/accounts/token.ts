/** Tokens: signed statements of who somebody is and what they may do, until when. JSON Web Tokens, HS256. */
import { jwtVerify, SignJWT } from 'jose'
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import { PERMISSIONS, type Permission, type Principal, principal } from '../core/principal.ts'

const ISSUER = 'daggerboard'
/** How many verified tokens are remembered. */
const REMEMBERED = 1000

export interface TokenIssuer {
  /** A token for `who`, valid for `seconds`. */
  issue(who: Principal, seconds: number): Promise<string>
}

export class Tokens implements TokenIssuer {
  #key: Uint8Array
  #clock: Clock
  /** A caller sends the same token with every request, and a signature stays true until it expires: `exp` in seconds, by token, oldest first. */
  #verified = new Map<string, { readonly who: Principal; readonly exp: number }>()

  /** `key`: at least 32 bytes, kept in the platform's home. */
  constructor(key: Uint8Array, clock: Clock) {
    if (key.length < 32) throw new AppError('internal', `The signing key has ${key.length} bytes; it needs 32.`)
    this.#key = key
    this.#clock = clock
  }

  issue(who: Principal, seconds: number): Promise<string> {
    const now = Math.floor(this.#clock.now().getTime() / 1000)
    return new SignJWT({ permissions: [...who.permissions] })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(who.subject)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(this.#key)
  }

  /** The principal that a token speaks for; throws `unauthenticated` when it is forged, foreign or expired. */
  async verify(token: string): Promise<Principal> {
    const known = this.#verified.get(token)
    if (known && known.exp > Math.floor(this.#clock.now().getTime() / 1000)) return known.who
    try {
      const { payload } = await jwtVerify(token, this.#key, { issuer: ISSUER, algorithms: ['HS256'], currentDate: this.#clock.now() })
      const granted = new Set(payload.permissions as string[])
      const who = principal(
        payload.sub ?? '',
        PERMISSIONS.filter((p: Permission) => granted.has(p)),
      )
      this.#remember(token, who, payload.exp ?? 0)
      return who
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
}
