/** The platform's end of a process that reads DAG files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Defaults } from '@daggerboard/dag/defaults'
import type { FromLoader, ToLoader } from './dag-loader.ts'
import { fileStamp } from './file-stamp.ts'
import { childEnvironment, compiledIn, defaultsIn, killTree, NODE_FLAGS } from './node-child.ts'

const SCRIPT = fileURLToPath(new URL('./dag-loader.ts', import.meta.url))

export interface LoaderOptions {
  /** For what DAGs and tasks do not say. */
  readonly defaults?: Partial<Defaults>
  /** Where our own modules are kept compiled. */
  readonly compileCache?: string | undefined
  /** A file that takes longer is given up. Default 30 s. */
  readonly fileTimeoutMs?: number
}

export interface Reading {
  readonly answer: FromLoader
  /** The process has ended, and an earlier file that it read may have brought that about. */
  readonly isDoubtful: boolean
}

export class LoaderProcess {
  readonly #child: ChildProcess
  readonly #timeoutMs: number
  #hasEnded = false
  #filesRead = 0
  #stderr = ''

  constructor({ defaults = {}, compileCache, fileTimeoutMs = 30_000 }: LoaderOptions) {
    this.#timeoutMs = fileTimeoutMs
    this.#child = spawn(process.execPath, [...NODE_FLAGS, SCRIPT], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
      env: childEnvironment({ ...compiledIn(compileCache), ...defaultsIn(defaults) }),
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000)
    })
    const end = () => {
      this.#hasEnded = true
    }
    this.#child.once('exit', end).once('error', end)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isAlive(): boolean {
    return !this.#hasEnded
  }

  kill(): void {
    this.#hasEnded = true
    killTree(this.#child)
  }

  /** One file at a time. Always answers: a file that hangs or ends the process is an error of that file. */
  read(file: string): Promise<Reading> {
    const stamp = fileStamp(file)
    return new Promise((resolve) => {
      const give = (answer: FromLoader, isDoubtful = false) => {
        clearTimeout(timer)
        this.#child.off('message', give).off('exit', onExit).off('error', onError)
        this.#filesRead += 1
        resolve({ answer, isDoubtful })
      }
      const fail = (message: string, { isDoubtful = false, isTimeout = false } = {}) => {
        const error = { line: null, message, trace: `${message}\n${this.#stderr}`.trim(), isTimeout }
        give({ file, stamps: { [file]: stamp }, error }, isDoubtful)
      }
      const timer = setTimeout(() => {
        this.kill()
        const limit = `${this.#timeoutMs / 1000} s`
        fail(`The file was not read through within ${limit}. Does it loop or wait at its top level? Move that work into a task.`, {
          isTimeout: true,
        })
      }, this.#timeoutMs)
      const onExit = (code: number | null, signal: string | null) =>
        fail(
          signal
            ? `Reading the file was ended by ${signal}.`
            : `The file ended its process with exit status ${code} while it was read. Take "process.exit" out of its top level; tasks do the work, not the file.`,
          { isDoubtful: this.#filesRead > 0 },
        )
      const onError = (error: Error) => fail(`The file cannot be read: no process could be started for it (${error.message}).`)
      this.#child.on('message', give).on('exit', onExit).on('error', onError)
      if (this.#hasEnded) onExit(this.#child.exitCode, this.#child.signalCode)
      else this.#send({ file })
    })
  }

  #send(message: ToLoader): void {
    this.#child.send(message, () => {})
  }
}
