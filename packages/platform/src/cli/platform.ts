/** Commands about the platform as a whole: start it, look at it, log in. */
import { AppError } from '../core/app-error.ts'
import { readEndpoint, readLogins, saveLogin } from './access.ts'
import { PlatformClient } from './client.ts'
import { command, flag, text, wholeNumber, withDefault } from './command.ts'
import { ask, askSecret, readPiped } from './confirm.ts'
import type { Context } from './context.ts'

/** Throws with everything that is wrong with them. */
const soundSettings = ({ inspected }: Context) => {
  if (inspected.problems.length === 0) return inspected.settings
  throw new AppError('invalid', 'The settings cannot be used.', { problems: inspected.problems })
}

const start = command({
  name: 'start',
  aliases: ['standalone'],
  summary: 'Run the platform, until Ctrl-C',
  isLocal: true,
  run: (context) => context.host.start(soundSettings(context)),
})

const demo = command({
  name: 'demo',
  summary: 'Run the platform with a week of generated shop events and one whole refresh',
  isLocal: true,
  options: {
    exit: flag('stop after the refresh, with status 0 only if all of it succeeded'),
    json: flag('make the last line of the output one JSON object'),
    size: withDefault(wholeNumber('N', 'how many events', 0), 1_000_000),
    seed: withDefault(wholeNumber('N', 'the seed of the generated events', 0), 1),
    rows: text('FILE', 'events replayed from a file of transform rows instead'),
    events: text('FILE', 'events of a real file besides, or instead with --size 0'),
  },
  run: (context, { exit, json, size, seed, rows, events }) =>
    context.host.demo(soundSettings(context), { exit, json, size, seed, rows, events }),
})

const version = command({
  name: 'version',
  summary: 'Print the version',
  isLocal: true,
  run: async ({ out, host }) => out.done(host.version, { version: host.version }),
})

const health = command({
  name: 'health',
  summary: 'Say how the platform is; status 1 if a part of it is ill',
  async run({ client, out }) {
    const parts = await client.get<Readonly<Record<string, Readonly<Record<string, string | null>>>>>('/api/v2/monitor/health')
    const rows = Object.entries(parts).map(([part, { status, ...rest }]) => ({
      part,
      status: status ?? 'not there',
      heartbeat: Object.values(rest).find((value) => typeof value === 'string') ?? null,
    }))
    if (out.isData) out.data(parts)
    else out.rows(rows, ['part', 'status', 'heartbeat'])
    return rows.some((row) => row.status === 'unhealthy') ? 1 : 0
  },
})

const info = command({
  name: 'info',
  summary: 'Say what is needed to understand a problem: versions, folders, the address of the platform',
  isLocal: true,
  async run({ out, host, inspected, env }) {
    const { settings, problems } = inspected
    const running = await host.localAccess(settings.home).catch((error: Error) => ({ endpoint: error.message }))
    out.record({
      version: host.version,
      node: process.version,
      system: `${process.platform} ${process.arch}`,
      home: settings.home,
      dags_folder: settings.dagsFolder,
      settings_file: settings.origin.file,
      settings_problems: problems.length,
      default_timezone: settings.defaultTimezone,
      platform_in_home: running?.endpoint ?? 'does not run',
      endpoint: env.DAGGERBOARD_ENDPOINT ?? null,
      logged_in_at: Object.keys(readLogins(env)),
    })
  },
})

const rotateFernetKey = command({
  name: 'rotate-fernet-key',
  summary: 'Encrypt all secrets that are kept anew with the newest of the Fernet keys',
  details:
    'Set core.fernet_key to NEW,OLD first. A platform that runs in the home does it itself, with the keys that it was started with: restart it before. When this is done, NEW alone is enough.',
  isLocal: true,
  async run(context) {
    const settings = soundSettings(context)
    const running = await context.host.localAccess(settings.home)
    const counts = running
      ? await new PlatformClient({ endpoint: running.endpoint, token: () => running.token() }).post<Record<string, number>>(
          '/api/v1/fernetKey/rotate',
          {},
        )
      : await context.host.rotateKeys(settings)
    const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
    context.out.done(`Encrypted anew: ${told.join(', ')}. The older keys can go.`, counts)
  },
})

const endpoint = text('URL', 'address of the platform (default: DAGGERBOARD_ENDPOINT, or http://127.0.0.1:8080)')

const endpointOf = ({ env, inspected }: Context, given: string | undefined): string =>
  readEndpoint(given || env.DAGGERBOARD_ENDPOINT || `http://127.0.0.1:${inspected.settings.port || 8080}`)

const login = command({
  name: 'login',
  summary: 'Say who you are, for the commands that follow; lasts a day',
  details: 'Needed only for a platform whose home folder is not yours. The token is kept in ~/.config/daggerboard, for you alone.',
  isLocal: true,
  options: {
    endpoint,
    username: text('NAME', 'your name; else it is asked for', { short: '-u' }),
    passwordStdin: flag('the password is piped in'),
  },
  async run(context, { endpoint: given, username, passwordStdin }) {
    const { stdin, env, out, terminal } = context
    const address = endpointOf(context, given)
    const { protocol, hostname } = new URL(address)
    if (protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
      terminal.line(`${address} is not encrypted: whoever is on the way can read the password.`)
    const name = username ?? (await ask(context, 'Name: ', 'login --username NAME'))
    const password = passwordStdin
      ? await readPiped(stdin, 'login --password-stdin')
      : await askSecret(context, 'Password: ', 'login --password-stdin')
    const client = new PlatformClient({ endpoint: address, token: '' })
    const { access_token: token } = await client.post<{ access_token: string }>('/auth/token', { username: name, password })
    saveLogin(env, address, token)
    out.done(`You are ${name} at ${address}.`, { endpoint: address, name })
  },
})

const changePassword = command({
  name: 'change-password',
  summary: 'Change your own password; all your other logins end',
  options: { passwordStdin: flag('the old and the new password are piped in, a line each') },
  async run(context, { passwordStdin }) {
    const { client, stdin, env, out, endpoint: given } = context
    const [before, password] = passwordStdin
      ? (await readPiped(stdin, 'change-password --password-stdin')).split(/\r?\n/)
      : await askPasswords(context)
    if (!before || !password) throw new AppError('invalid', 'Pipe two lines in: the old password and the new one.', { exitStatus: 2 })
    const { name, access_token: token } = await client.patch<{ name: string; access_token: string }>('/auth/me', {
      old_password: before,
      password,
    })
    if ((given ?? env.DAGGERBOARD_ENDPOINT) && readLogins(env)[client.endpoint] !== undefined) saveLogin(env, client.endpoint, token)
    out.done(`The password of ${name} is changed.`, { name })
  },
})

async function askPasswords(context: Context): Promise<[string, string]> {
  const before = await askSecret(context, 'Old password: ', 'change-password --password-stdin')
  const given = await askSecret(context, 'New password: ', 'change-password --password-stdin')
  if (given !== (await askSecret(context, 'Once more: ', 'change-password --password-stdin')))
    throw new AppError('invalid', 'The two are not the same. Nothing was changed.')
  return [before, given]
}

const logout = command({
  name: 'logout',
  summary: 'End the login, here and on the platform',
  isLocal: true,
  options: { endpoint },
  async run(context, { endpoint: given }) {
    const address = endpointOf(context, given)
    const token = readLogins(context.env)[address]
    if (token === undefined) throw new AppError('not_found', `You have not logged in at ${address}.`)
    saveLogin(context.env, address, null)
    await new PlatformClient({ endpoint: address, token }).post('/auth/logout', {})
    context.out.done(`You are nobody at ${address} now.`, { endpoint: address })
  },
})

export const platform = [start, demo, version, health, info, login, logout, changePassword, rotateFernetKey]
