/** Finds out who is asking: a bearer token, user and password (git, docker), or the session cookie of the browser. */
import type { MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { errorCode, messageOf } from '../core/app-error.ts'
import type { Principal } from '../core/principal.ts'
import type { DoorEnvironment } from './door.ts'
import { sessionCookieName } from './session-cookie.ts'

/** What the door needs of the accounts room. Both throw `unauthenticated` when the credentials do not count. */
export interface Authenticator {
  byToken(token: string): Promise<Principal>
  byPassword(name: string, password: string): Promise<Principal>
}

/** Puts the principal (or null, and why) on the request. It refuses nothing: each route says what it needs with `permit`. */
export const authentication =
  (authenticator: Authenticator): MiddlewareHandler<DoorEnvironment> =>
  async (c, next) => {
    const ask = () => identify(authenticator, c.req.raw, getCookie(c, sessionCookieName(c.req.raw)))
    c.set('principal', null)
    c.set('authenticationProblem', null)
    c.set('askAgain', ask)
    try {
      c.set('principal', await ask())
    } catch (error) {
      // That nobody can find out who is asking is no fault of who is asking.
      if (errorCode(error) !== 'unauthenticated') throw error
      c.set('authenticationProblem', messageOf(error))
    }
    await next()
  }

async function identify(authenticator: Authenticator, request: Request, session: string | undefined): Promise<Principal | null> {
  const header = request.headers.get('authorization')
  const [scheme, credentials] = header?.split(/\s+/, 2) ?? []
  if (scheme?.toLowerCase() === 'bearer' && credentials) return authenticator.byToken(credentials)
  if (scheme?.toLowerCase() === 'basic' && credentials) {
    const [name = '', ...rest] = Buffer.from(credentials, 'base64').toString('utf8').split(':')
    const password = rest.join(':')
    // git and docker can only send a password, so a token may stand in its place: JWTs have two dots and begin like this.
    return password.startsWith('eyJ') ? authenticator.byToken(password) : authenticator.byPassword(name, password)
  }
  if (session && isOwnOrigin(request)) return authenticator.byToken(session)
  return null
}

/** A cookie counts for a change only if our own page sent the request. */
function isOwnOrigin(request: Request): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true
  const origin = request.headers.get('origin')
  return origin !== null && URL.canParse(origin) && new URL(origin).host === request.headers.get('host')
}
