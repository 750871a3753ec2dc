/** The way into a platform for the owner of its home: who can read the key that signs its tokens needs no password. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokens } from '../accounts/token.ts'
import { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { principal, ROLE_PERMISSIONS } from '../core/principal.ts'
import { endpointOfRunning } from './home.ts'

/** Short, and made anew as long as the command runs. */
const TOKEN_SECONDS = 300

/** Where the platform of a home is, with tokens of its admin; null when none runs there. Throws `forbidden` when its keys cannot be read. */
export async function localAccess(home: string): Promise<{ readonly endpoint: string; token(): Promise<string> } | null> {
  const endpoint = reading(home, () => endpointOfRunning(home))
  if (endpoint === null) return null
  const key = reading(home, () => Buffer.from(readFileSync(join(home, 'keys', 'token.key'), 'utf8').trim(), 'hex'))
  const tokens = new Tokens(key, systemClock)
  const admin = principal('user:admin', ROLE_PERMISSIONS.admin)
  let kept: { readonly token: string; readonly until: number } | null = null
  return {
    endpoint,
    async token() {
      if (!kept || kept.until < Date.now())
        kept = { token: await tokens.issue(admin, TOKEN_SECONDS), until: Date.now() + TOKEN_SECONDS * 500 }
      return kept.token
    },
  }
}

function reading<T>(home: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const message = `The platform's home ${home} is not yours to read. Run the command as its owner, or log in: daggerboard login --endpoint http://127.0.0.1:PORT`
    const { code, errcode } = cause as { code?: string; errcode?: number }
    throw code === 'EACCES' || code === 'EPERM' || errcode === SQLITE_CANTOPEN || errcode === SQLITE_READONLY
      ? new AppError('forbidden', message, { cause })
      : cause
  }
}

const SQLITE_READONLY = 8
const SQLITE_CANTOPEN = 14
