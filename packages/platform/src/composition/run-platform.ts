/** `daggerboard start` and `daggerboard demo`: a platform in this process, until the user has had enough. */
import { PlatformClient } from '../cli/client.ts'
import { runDemo } from '../cli/demo.ts'
import type { DemoArguments } from '../cli/host.ts'
import { Terminal } from '../cli/terminal.ts'
import type { Settings } from '../settings.ts'
import { consoleLogger } from './console-logger.ts'
import { fillWarehouse } from './demo-data.ts'
import { type Platform, startPlatform } from './platform.ts'
import { boundHeap } from './resident-set.ts'

/** Runs the platform until `signal` aborts; answers the exit status. */
export async function runPlatform(settings: Settings, signal: AbortSignal): Promise<number> {
  const platform = await startPlatform({ settings, logger: consoleLogger })
  await boundHeap()
  greet(platform, new Terminal(process.stdout))
  await untilAborted(signal)
  await platform.stop()
  return 0
}

/** Runs the platform with one refresh; answers the exit status. */
export async function runDemoPlatform(settings: Settings, options: DemoArguments, signal: AbortSignal): Promise<number> {
  const { exit, json, size, seed, rows, events } = options
  const terminal = new Terminal(json ? process.stderr : process.stdout)
  const began = Date.now()
  const platform = await startPlatform({ settings, logger: consoleLogger })
  await boundHeap()
  let isOk = false
  try {
    terminal.event(`The platform is up at ${platform.endpoint}`)
    if (platform.newPassword) greetAdmin(platform.newPassword, terminal)
    const data = await fillWarehouse({ warehouse: platform.warehouse, terminal, signal, size, seed, rows, events })
    const client = new PlatformClient({ endpoint: platform.endpoint, token: await platform.adminToken() })
    const { reason, ...result } = await runDemo({ client, terminal, signal, ...data })
    isOk = result.ok
    if (json)
      process.stdout.write(`${JSON.stringify({ ...result, seconds: (Date.now() - began) / 1000, endpoint: platform.endpoint, reason })}\n`)
    terminal.line()
    greet({ ...platform, newPassword: null }, terminal)
    if (result.service) terminal.line(`  Service   ${result.service.url}   (POST /predict; a token: POST ${platform.endpoint}/auth/token)`)
    if (!exit) await untilAborted(signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await platform.stop()
  }
  return isOk || !exit ? 0 : 1
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

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
