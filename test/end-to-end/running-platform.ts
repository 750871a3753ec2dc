/** A platform in a process and a home of its own, started as a user starts it, for the tests that tell whole stories. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { PlatformClient } from '../../packages/platform/src/cli/client.ts'

const root = resolve(import.meta.dirname, '../..')
const PASSWORD = 'only-for-this-test'

interface StartOptions {
  readonly home?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Whether the platform makes the admin's password itself. */
  readonly generatedPassword?: boolean
}

export class RunningPlatform {
  readonly home: string
  readonly #child: ChildProcess
  readonly #output: string[] = []
  readonly #lines: AsyncIterator<string>

  private constructor(home: string, child: ChildProcess) {
    this.home = home
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#output.push(text))
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  }

  /** Runs `main.ts` with `args` in an empty home, or in `home`, on a free port, with the settings in `environment`. */
  static async start(
    args: readonly string[],
    { home, environment = {}, generatedPassword = false }: StartOptions = {},
  ): Promise<RunningPlatform> {
    const folder = home ?? (await mkdtemp(join(tmpdir(), 'daggerboard-test-')))
    const { DAGGERBOARD_TEST_DATA: _, NODE_TEST_CONTEXT: __, ...rest } = process.env
    const env = {
      ...rest,
      ...environment,
      DAGGERBOARD_HOME: folder,
      DAGGERBOARD_PORT: '0',
      DAGGERBOARD_ADMIN_PASSWORD: generatedPassword ? '' : PASSWORD,
    }
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'packages/platform/src/main.ts'), ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return new RunningPlatform(folder, child)
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** The first line of its output that `accept` takes; throws with all it has printed when it ends before. */
  async line(accept: (line: string) => boolean): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (done) throw new Error(`The platform ended before it printed what the test waits for:\n${this.#output.join('')}`)
      this.#output.push(`${value}\n`)
      if (accept(value)) return value
    }
  }

  /** Its address, once it has greeted. */
  async endpoint(): Promise<string> {
    const greeting = await this.line((line) => line.includes('Web '))
    return /http:\S+(?=\/)/.exec(greeting)?.[0] ?? ''
  }

  /** A token of its admin. */
  async token(endpoint: string): Promise<string> {
    const body = JSON.stringify({ username: 'admin', password: PASSWORD })
    const answer = await fetch(`${endpoint}/auth/token`, { method: 'POST', body })
    const { access_token: token } = (await answer.json()) as { access_token: string }
    return token
  }

  async client(endpoint: string): Promise<PlatformClient> {
    return new PlatformClient({ endpoint, token: await this.token(endpoint) })
  }

  get output(): string {
    return this.#output.join('')
  }

  /** Its exit status, once it has ended by itself. */
  async exit(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    return this.#child.exitCode
  }

  /** Ends it without a warning, as a power cut does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  /** Stops it as Ctrl-C does and answers its exit status. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGINT')
    return this.exit()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.home, { recursive: true, force: true })
  }

  /** Credentials of its admin, as `git` may be given them in an address. */
  static readonly login = `admin:${PASSWORD}`
}
