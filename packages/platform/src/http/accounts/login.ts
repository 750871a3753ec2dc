/** The doors of the accounts: tokens for programs, a session for the browser. */
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import type { TokenIssuer } from '../../accounts/token.ts'
import { logIn, principalOf, type User, type UserStore } from '../../accounts/user.ts'
import { AppError } from '../../core/app-error.ts'
import { type Recorder, recorded } from '../airflow-record.ts'
import { createDoor, type Door, type DoorEnvironment } from '../door.ts'
import { readJson } from '../json-body.ts'
import { sessionCookieName } from '../session-cookie.ts'
import { addUserRoutes } from './users.ts'

const TOKEN_SECONDS = 24 * 3600

const Credentials = z.object({ name: z.string().optional(), username: z.string().optional(), password: z.string() })

export interface AccountsDoorOptions {
  readonly users: UserStore
  readonly tokens: TokenIssuer & { revoke(token: string): Promise<void> }
  /** Told to the browser, which asks for builds and services by it. */
  readonly project: string
  readonly recorder: Recorder
}

/** `POST /auth/token` (Airflow's), `POST /auth/login|logout` and `GET /auth/me` (the browser's), `/auth/users` (the admin's). */
export function accountsDoor({ users, tokens, project, recorder }: AccountsDoorOptions): Door {
  const door = createDoor()
  const login = recorded(recorder, 'login')

  const tokenFor = async (c: Context<DoorEnvironment>): Promise<{ user: User; token: string }> => {
    const { name, username, password } = await readJson(c.req.raw, Credentials)
    const user = await logIn(users, name ?? username ?? '', password)
    c.set('principal', principalOf(user))
    return { user, token: await tokens.issue(principalOf(user), TOKEN_SECONDS) }
  }

  for (const path of ['/auth/token', '/auth/token/cli'])
    door.post(path, login, async (c) =>
      c.json({ access_token: (await tokenFor(c)).token, token_type: 'bearer', expires_in: TOKEN_SECONDS }, 201),
    )

  door.post('/auth/login', login, async (c) => {
    const { user, token } = await tokenFor(c)
    setCookie(c, sessionCookieName(c.req.raw), token, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: TOKEN_SECONDS })
    return c.json({ name: user.name, role: user.role, project })
  })

  const endSession = async (c: Context<DoorEnvironment>): Promise<void> => {
    const session = getCookie(c, sessionCookieName(c.req.raw)) ?? c.req.header('authorization')?.replace(/^Bearer\s+/i, '')
    // Whoever has copied the token is out as well.
    if (session) await tokens.revoke(session)
    deleteCookie(c, sessionCookieName(c.req.raw), { path: '/' })
  }

  door.post('/auth/logout', async (c) => {
    await endSession(c)
    return c.body(null, 204)
  })

  door.get('/auth/me', async (c) => {
    const subject = c.get('principal')?.subject
    if (!subject) throw new AppError('unauthenticated', 'Nobody is logged in. POST /auth/login with name and password.')
    const user = await users.find(subject.replace(/^user:/, ''))
    return c.json({ name: user?.name ?? subject, role: user?.role ?? null, project })
  })

  // Where Airflow's pages send people: our page asks for the login itself.
  door.get('/api/v2/auth/login', (c) => c.redirect('/', 307))
  door.get('/api/v2/auth/logout', async (c) => {
    if (getCookie(c, sessionCookieName(c.req.raw))) await endSession(c)
    return c.redirect('/', 307)
  })

  addUserRoutes(door, users, recorder)
  return door
}
