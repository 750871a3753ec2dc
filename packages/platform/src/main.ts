/** `daggerboard start` and `daggerboard demo`: reads settings and arguments, and starts the platform. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { PlatformClient } from './cli/client.ts'
import { runDemo } from './cli/demo.ts'
import { Terminal } from './cli/terminal.ts'
import { consoleLogger } from './composition/console-logger.ts'
import { fillWarehouse } from './composition/demo-data.ts'
import { type Platform, startPlatform, VERSION } from './composition/platform.ts'
import { AppError, didYouMean, messageOf, publicMessage } from './core/app-error.ts'
import { readSettings } from './settings.ts'

const COMMANDS = ['start', 'demo', 'version'] as const

const USAGE = `Daggerboard ${VERSION}

  start                      the platform alone, until Ctrl-C
  demo [--size N] [--seed N] the platform, a week of generated shop events (default 1,000,000), and one refresh
       [--rows FILE]         events replayed from a file of transform rows instead
       [--events FILE]       events of a real file besides, or instead with --size 0
       [--exit]              stop after the refresh, with status 0 only if all of it succeeded
       [--json]              make the last line of the output one JSON object
  version
  help, or --help after any of them
`

const DEMO_OPTIONS = {
  exit: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  size: { type: 'string', default: '1000000' },
  seed: { type: 'string', default: '1' },
  rows: { type: 'string' },
  events: { type: 'string' },
} as const

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // Who asks a second time does not want to wait.
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort()
  })

async function start(args: string[]): Promise<number> {
  readOptions(args, {})
  const platform = await startPlatform({ settings: readSettings(process.env), logger: consoleLogger })
  greet(platform, new Terminal(process.stdout))
  await untilInterrupted()
  await platform.stop()
  return 0
}

async function demo(args: string[]): Promise<number> {
  const values = readOptions(args, DEMO_OPTIONS)
  const terminal = new Terminal(values.json ? process.stderr : process.stdout)
  const began = Date.now()
  const platform = await startPlatform({ settings: readSettings(process.env), logger: consoleLogger })
  let isOk = false
  try {
    terminal.event(`The platform is up at ${platform.endpoint}`)
    if (platform.newPassword) greetAdmin(platform.newPassword, terminal)
    const { signal } = interrupted
    const data = await fillWarehouse({
      warehouse: platform.warehouse,
      terminal,
      signal,
      size: Number(values.size),
      seed: Number(values.seed),
      rows: values.rows,
      events: values.events,
    })
    const client = new PlatformClient({ endpoint: platform.endpoint, token: await platform.adminToken() })
    const { reason, ...result } = await runDemo({ client, terminal, signal, ...data })
    isOk = result.ok
    if (values.json)
      process.stdout.write(`${JSON.stringify({ ...result, seconds: (Date.now() - began) / 1000, endpoint: platform.endpoint, reason })}\n`)
    terminal.line()
    greet({ ...platform, newPassword: null }, terminal)
    if (result.service) terminal.line(`  Service   ${result.service.url}   (POST /predict; a token: POST ${platform.endpoint}/auth/token)`)
    if (!values.exit) await untilInterrupted()
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
  } finally {
    await platform.stop()
  }
  return isOk || !values.exit ? 0 : 1
}

function greet({ endpoint, newPassword }: Pick<Platform, 'endpoint' | 'newPassword'>, terminal: Terminal): void {
  terminal.line(`  Web       ${endpoint}/`)
  terminal.line(
    `  API       ${endpoint}/api/v2   (Airflow)   ${endpoint}/api/2.0/mlflow   (MLflow)   ${endpoint}/v1, /v2   (Google Cloud, images)`,
  )
  if (newPassword) greetAdmin(newPassword, terminal)
}

function greetAdmin(password: string, terminal: Terminal): void {
  terminal.line(`  Login     admin / ${password}   (shown this once; DAGGERBOARD_ADMIN_PASSWORD sets another)`)
}

const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    if (interrupted.signal.aborted) resolve()
    interrupted.signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Throws `invalid` for an option that the command does not have. */
function readOptions<const Options extends ParseArgsOptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options }).values
  } catch (cause) {
    throw new AppError('invalid', `${messageOf(cause)}. Without arguments all commands and options are shown.`, { cause })
  }
}

async function main([command = '', ...args]: string[]): Promise<number> {
  const asksForHelp = args.some((arg) => arg === '--help' || arg === '-h')
  if (asksForHelp || ['', 'help', '--help', '-h'].includes(command)) {
    process.stdout.write(USAGE)
    return command === '' ? 2 : 0
  }
  if (command === 'start') return start(args)
  if (command === 'demo') return demo(args)
  if (command === 'version') {
    process.stdout.write(`${VERSION}\n`)
    return 0
  }
  throw new AppError(
    'invalid',
    `There is no command "${command}".${didYouMean(command, COMMANDS)} Without arguments all of them are shown.`,
  )
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isOfUse = error instanceof AppError && error.code !== 'internal'
  process.stderr.write(`${isOfUse ? publicMessage(error) : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 1
}
// Nothing may keep a stopped platform alive: what it owned has ended, and what is left are idle connections.
process.exit()
