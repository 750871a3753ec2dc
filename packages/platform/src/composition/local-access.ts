/** The way into a platform for the owner of its home: who can read the key that signs its tokens needs no password. */
import { Tokens } from '../accounts/token.ts'
import { AppError } from '../core/app-error.ts'
import { systemClock } from '../core/clock.ts'
import { type Permission, principal, ROLE_PERMISSIONS } from '../core/principal.ts'
import { runningIn } from './home.ts'

/** Short, and made anew as long as the command runs. */
const TOKEN_SECONDS = 300

/**
 * Where the platform of a home is, with tokens of its admin, or for less; null when none runs there. Throws `forbidden` when its keys cannot be
 * read, or are not of who has published the address.
 */
export async function localAccess(
  home: string,
  permissions: readonly Permission[] = ROLE_PERMISSIONS.admin,
): Promise<{ readonly endpoint: string; token(): Promise<string> } | null> {
  const running = reading(home, () => runningIn(home))
  if (running === null) return null
  const { endpoint } = running
  const tokens = new Tokens(running.signingKey, systemClock)
  const admin = principal('user:admin', permissions)
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
    throw code === 'EACCES' || code === 'EPERM' || code === 'ELOOP' || errcode === SQLITE_CANTOPEN || errcode === SQLITE_READONLY
      ? new AppError('forbidden', message, { cause })
      : cause
  }
}

const SQLITE_READONLY = 8
const SQLITE_CANTOPEN = 14
