/** The doors of the accounts: tokens for programs, a session for the browser. */
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import type { TokenIssuer } from '../../accounts/token.ts'
import { logIn, principalOf, type User, type UserStore } from '../../accounts/user.ts'
import { AppError } from '../../core/app-error.ts'
import { createDoor, type Door } from '../door.ts'
import { readJson } from '../json-body.ts'
import { sessionCookieName } from '../session-cookie.ts'

const TOKEN_SECONDS = 24 * 3600

const Credentials = z.object({ name: z.string().optional(), username: z.string().optional(), password: z.string() })

export interface AccountsDoorOptions {
  readonly users: UserStore
  readonly tokens: TokenIssuer & { revoke(token: string): Promise<void> }
  /** Told to the browser, which asks for builds and services by it. */
  readonly project: string
}

/** `POST /auth/token` (Airflow's), `POST /auth/login|logout` and `GET /auth/me` (the browser's). */
export function accountsDoor({ users, tokens, project }: AccountsDoorOptions): Door {
  const door = createDoor()

  const tokenFor = async (request: Request): Promise<{ user: User; token: string }> => {
    const { name, username, password } = await readJson(request, Credentials)
    const user = await logIn(users, name ?? username ?? '', password)
    return { user, token: await tokens.issue(principalOf(user), TOKEN_SECONDS) }
  }

  door.post('/auth/token', async (c) =>
    c.json({ access_token: (await tokenFor(c.req.raw)).token, token_type: 'bearer', expires_in: TOKEN_SECONDS }, 201),
  )

  door.post('/auth/login', async (c) => {
    const { user, token } = await tokenFor(c.req.raw)
    setCookie(c, sessionCookieName(c.req.raw), token, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: TOKEN_SECONDS })
    return c.json({ name: user.name, role: user.role, project })
  })

  door.post('/auth/logout', async (c) => {
    const session = getCookie(c, sessionCookieName(c.req.raw)) ?? c.req.header('authorization')?.replace(/^Bearer\s+/i, '')
    // Whoever has copied the token is out as well.
    if (session) await tokens.revoke(session)
    deleteCookie(c, sessionCookieName(c.req.raw), { path: '/' })
    return c.body(null, 204)
  })

  door.get('/auth/me', async (c) => {
    const subject = c.get('principal')?.subject
    if (!subject) throw new AppError('unauthenticated', 'Nobody is logged in. POST /auth/login with name and password.')
    const user = await users.find(subject.replace(/^user:/, ''))
    return c.json({ name: user?.name ?? subject, role: user?.role ?? null, project })
  })

  return door
}
