/** The doors of the accounts: tokens for programs, a session for the browser. */
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import type { TokenIssuer } from '../../accounts/token.ts'
import { changeUsers, hashPassword, logIn, passwordMatches, principalOf, type User, type UserStore } from '../../accounts/user.ts'
import { AppError } from '../../core/app-error.ts'
import { readBody } from '../airflow-body.ts'
import { only, type Recorder, recorded } from '../airflow-record.ts'
import { createDoor, type Door, type DoorEnvironment } from '../door.ts'
import { readJson } from '../json-body.ts'
import { sessionCookieName } from '../session-cookie.ts'
import { addUserRoutes, newPassword } from './users.ts'

const TOKEN_SECONDS = 24 * 3600

const OwnPassword = z.strictObject({ old_password: z.string().max(1000), password: newPassword })
const Credentials = z.object({ name: z.string().optional(), username: z.string().optional(), password: z.string() })

export interface AccountsDoorOptions {
  readonly users: UserStore
  readonly tokens: TokenIssuer & { revoke(token: string): Promise<void> }
  /** Told to the browser, which asks for builds and services by it. */
  readonly project: string
  readonly recorder: Recorder
}

/** `POST /auth/token` (Airflow's), `POST /auth/login|logout` and `GET|PATCH /auth/me` (a person's own), `/auth/users` (the admin's). */
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
    startSession(c, token)
    return c.json({ name: user.name, role: user.role, project })
  })

  const startSession = (c: Context<DoorEnvironment>, token: string): void =>
    setCookie(c, sessionCookieName(c.req.raw), token, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge: TOKEN_SECONDS })

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

  // Every token of that person ends with the old password; whoever changes it gets one for the new.
  door.patch('/auth/me', recorded(recorder, 'change_own_password', { shown: only() }), async (c) => {
    const name = c.get('principal')?.subject.replace(/^user:/, '')
    const user = name === undefined ? null : await users.find(name)
    if (!user)
      throw new AppError(name === undefined ? 'unauthenticated' : 'forbidden', 'Only a person who has logged in has a password to change.')
    const { old_password: before, password: given } = await readBody(c.req.raw, OwnPassword)
    if (!(await passwordMatches(before, user.passwordHash)))
      throw new AppError('invalid', 'The old password is wrong. Nothing was changed.')
    const passwordHash = await hashPassword(given)
    const changed = await changeUsers(async () => {
      // Passwords take their time, and an admin may have been quicker.
      const now = await users.find(user.name)
      if (now?.passwordHash !== user.passwordHash)
        throw new AppError('forbidden', 'Your account was changed or deleted meanwhile. Nothing was changed.')
      await users.save({ ...now, passwordHash })
      return { ...now, passwordHash }
    })
    const token = await tokens.issue(principalOf(changed), TOKEN_SECONDS)
    const shown = { name: changed.name, role: changed.role, project }
    const isBrowser = getCookie(c, sessionCookieName(c.req.raw)) !== undefined && c.req.header('authorization') === undefined
    if (!isBrowser) return c.json({ ...shown, access_token: token, token_type: 'bearer', expires_in: TOKEN_SECONDS })
    startSession(c, token)
    return c.json(shown)
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
