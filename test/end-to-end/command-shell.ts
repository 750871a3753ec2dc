/** A running platform with DAGs of the test, and the command line beside it, in a home of its own. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { commands } from '../../packages/platform/src/cli/commands.ts'
import { runProgram } from '../../packages/platform/src/cli/program.ts'
import { localHost } from '../../packages/platform/src/composition/local-host.ts'
import { RunningPlatform } from './running-platform.ts'

export const root = resolve(import.meta.dirname, '../..')

export interface Answer {
  readonly status: number
  readonly out: string
  readonly err: string
}

export interface Given {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

export class CommandShell {
  /** Where the commands find and leave files; the home of their user. */
  readonly files: string
  readonly dagsFolder: string
  readonly endpoint: string
  readonly platform: RunningPlatform
  readonly #folder: string

  private constructor(parts: { files: string; dagsFolder: string; endpoint: string; platform: RunningPlatform; folder: string }) {
    this.files = parts.files
    this.dagsFolder = parts.dagsFolder
    this.endpoint = parts.endpoint
    this.platform = parts.platform
    this.#folder = parts.folder
  }

  /** Starts a platform whose DAGs folder has one file, `examples.ts`. */
  static async start(dags: string, environment: Readonly<Record<string, string>> = {}, home?: string): Promise<CommandShell> {
    // Within the repository, where the DAGs find their imports.
    const within = join(root, '.daggerboard/command-line')
    await mkdir(within, { recursive: true })
    const folder = await mkdtemp(join(within, 'dags-'))
    await writeFile(join(folder, 'examples.ts'), dags)
    const platform = await RunningPlatform.start(['start'], {
      ...(home !== undefined && { home }),
      environment: { DAGGERBOARD_DAGS_FOLDER: folder, DAGGERBOARD__CORE__DAGS_ARE_PAUSED_AT_CREATION: 'false', ...environment },
    })
    const endpoint = await platform.endpoint()
    const files = await mkdtemp(join(tmpdir(), 'daggerboard-cli-'))
    return new CommandShell({ files, dagsFolder: folder, endpoint, platform, folder })
  }

  async remove(): Promise<void> {
    await this.platform.remove()
    await rm(this.#folder, { recursive: true, force: true })
    await rm(this.files, { recursive: true, force: true })
  }

  /** Runs a command in this process; words are split at spaces. */
  async run(words: string | readonly string[], { input = '', env = {} }: Given = {}): Promise<Answer> {
    const written = { out: '', err: '' }
    const sink = (name: 'out' | 'err') =>
      new Writable({
        write(chunk, _, done) {
          written[name] += chunk
          done()
        },
      }) as unknown as NodeJS.WriteStream
    const stdin = new PassThrough()
    stdin.end(input)
    const { signal } = new AbortController()
    const status = await runProgram(commands, typeof words === 'string' ? words.split(' ') : words, {
      stdin,
      stdout: sink('out'),
      stderr: sink('err'),
      env: { HOME: this.files, DAGGERBOARD_HOME: this.platform.home, ...env },
      signal,
      host: localHost(signal),
    })
    return { status, ...written }
  }

  /** The answer as data; fails when the command does. */
  async data<T>(words: string, given?: Given): Promise<T> {
    const { status, out, err } = await this.run(`${words} -o json`, given)
    assert.equal(status, 0, `daggerboard ${words}: ${err}`)
    return JSON.parse(out) as T
  }

  /** Waits until `look` answers something, asking every few milliseconds as a user would. */
  async until<T>(look: () => Promise<T | null>): Promise<T> {
    for (;;) {
      const found = await look()
      if (found !== null) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
