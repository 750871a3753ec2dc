/** Runs the real git on our own bare repositories: no hooks, no configuration but ours, arguments never through a shell. */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { AppError } from '../../core/app-error.ts'

/** Given with every call, so that nothing written into a repository can change it. */
const CONFIG = {
  'core.hooksPath': devNull,
  'safe.directory': '*',
  'receive.fsckObjects': 'true',
  'receive.denyNonFastForwards': 'false',
  'receive.denyDeleteCurrent': 'refuse',
  'receive.autogc': 'false',
  'receive.advertisePushOptions': 'false',
  'receive.maxInputSize': String(2 * 1024 ** 3),
  'uploadpack.allowAnySHA1InWant': 'false',
  'uploadpack.allowFilter': 'true',
  'gc.auto': '0',
} as const

export interface GitOptions {
  /** The folder of the repositories; made when it is not there. */
  readonly directory: string
}

export interface GitCall {
  readonly repository?: string
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
}

export class Git {
  #directory: string

  constructor({ directory }: GitOptions) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  get directory(): string {
    return this.#directory
  }

  path(repository: string): string {
    return join(this.#directory, `${repository}.git`)
  }

  /** A git child with its three pipes. The caller looks at its end. */
  spawn(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const config = Object.entries(CONFIG).flatMap(([key, value]) => ['-c', `${key}=${value}`])
    return spawn('git', [...config, ...args], {
      cwd: this.#directory,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: {
        PATH: process.env.PATH ?? '',
        LANG: 'C.UTF-8',
        HOME: this.#directory,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: devNull,
        ...environment,
      },
    })
  }

  /** Status and output of a git command; throws `unavailable` when there is no git. */
  run(
    args: readonly string[],
    { repository, input = '', environment = {} }: GitCall = {},
  ): Promise<{ status: number; output: string; complaint: string }> {
    return new Promise((resolve, reject) => {
      const child = this.spawn([...(repository === undefined ? [] : [`--git-dir=${this.path(repository)}`]), ...args], environment)
      const output: Buffer[] = []
      const complaint: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk))
      child.on('error', (cause) => reject(new AppError('unavailable', `git cannot be run: ${cause.message}. Install git.`, { cause })))
      child.on('close', (code) =>
        resolve({
          status: code ?? 1,
          output: Buffer.concat(output).toString('utf8'),
          complaint: Buffer.concat(complaint).toString('utf8'),
        }),
      )
      child.stdin.on('error', () => {})
      child.stdin.end(input)
    })
  }

  /** Output of a command that has to work. */
  async mustRun(args: readonly string[], call: GitCall = {}): Promise<string> {
    const { status, output, complaint } = await this.run(args, call)
    if (status !== 0) throw new AppError('internal', `git ${args[0]} ended with status ${status}: ${complaint.trim()}`)
    return output
  }
}
