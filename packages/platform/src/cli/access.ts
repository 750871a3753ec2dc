/** Which platform a command speaks to, and as whom. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { AppError } from '../core/app-error.ts'
import type { World } from './context.ts'
import type { Access } from './host.ts'

/**
 * `--endpoint` or `DAGGERBOARD_ENDPOINT`, else the platform that runs in the home folder. There, whoever may read the home's keys is its
 * owner and needs no password; elsewhere `DAGGERBOARD_TOKEN` or a login says who asks. A token made from the home's keys goes to that
 * platform alone. Throws `unavailable` when no platform runs, `unauthenticated` when nobody has logged in.
 */
export async function findAccess({ env, host }: Pick<World, 'env' | 'host'>, asked: string | null, home: string): Promise<Access> {
  const given = asked ?? (env.DAGGERBOARD_ENDPOINT || null)
  const endpoint = given === null ? null : readEndpoint(given)
  const token = env.DAGGERBOARD_TOKEN
  if (endpoint !== null && token) return { endpoint, token: async () => token }
  const saved = endpoint === null ? undefined : readLogins(env)[endpoint]
  if (endpoint !== null && saved !== undefined) return { endpoint, token: async () => saved }
  const local = await host.localAccess(home)
  if (local && (endpoint === null || endpoint === local.endpoint)) return token ? { ...local, token: async () => token } : local
  if (endpoint === null)
    throw new AppError(
      'unavailable',
      `No platform runs in ${home}. Start one with "daggerboard start" (or npm start), or name another with --endpoint or DAGGERBOARD_ENDPOINT.`,
    )
  throw new AppError(
    'unauthenticated',
    `${endpoint} does not know who you are. Log in with "daggerboard login --endpoint ${endpoint}", or set DAGGERBOARD_TOKEN.`,
  )
}

/** Without the slash at the end; throws `invalid` when it is not the address of a server. */
export function readEndpoint(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : null
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new AppError('invalid', `"${given}" is not the address of a platform. Give one such as http://127.0.0.1:8080.`)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

type Logins = Readonly<Record<string, string>>
type Environment = World['env']

const loginsFile = (env: Environment): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'daggerboard', 'logins.json')

/** Tokens by endpoint, of those who have logged in on this machine. */
export function readLogins(env: Environment): Logins {
  try {
    return JSON.parse(readFileSync(loginsFile(env), 'utf8')) as Logins
  } catch {
    return {}
  }
}

/** Keeps the token of an endpoint for this user alone, or forgets it. */
export function saveLogin(env: Environment, endpoint: string, token: string | null): void {
  const { [endpoint]: _, ...others } = readLogins(env)
  const file = loginsFile(env)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(token === null ? others : { ...others, [endpoint]: token }, null, 2), { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
}
