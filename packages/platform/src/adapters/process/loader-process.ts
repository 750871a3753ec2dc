/** The platform's end of a process that reads DAG files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Defaults } from '@daggerboard/dag/defaults'
import { CHANNEL, ChildChannel } from './child-channel.ts'
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
  /** The process has ended or hangs, and an earlier file that it read may have brought that about. */
  readonly isDoubtful: boolean
}

export class LoaderProcess {
  readonly #child: ChildProcess
  readonly #channel: ChildChannel
  readonly #timeoutMs: number
  #hasEnded = false
  #filesRead = 0
  #stderr = ''
  /** The file that is being read. */
  #reading: { readonly file: string; give(answer: FromLoader): void; fail(message: string, how?: Failure): void } | null = null

  constructor({ defaults = {}, compileCache, fileTimeoutMs = 30_000 }: LoaderOptions) {
    this.#timeoutMs = fileTimeoutMs
    this.#child = spawn(process.execPath, [...NODE_FLAGS, SCRIPT], {
      stdio: ['ignore', 'ignore', 'pipe', CHANNEL],
      detached: true,
      env: childEnvironment({ ...compiledIn(compileCache), ...defaultsIn(defaults) }),
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000)
    })
    this.#channel = new ChildChannel(this.#child, {
      onFrame: ([answer]) => {
        const reading = this.#reading
        if (!reading || !isAnswer(answer, reading.file)) return false
        reading.give(answer)
        return true
      },
      onBroken: (what) => {
        this.kill()
        const detail = `Reading the file was ended, because ${what}. Take what writes there out of it.`
        this.#reading?.fail(detail, { isDoubtful: this.#filesRead > 0 })
      },
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
        if (this.#reading !== reading) return
        this.#reading = null
        clearTimeout(timer)
        this.#child.off('exit', onExit).off('error', onError)
        this.#filesRead += 1
        resolve({ answer, isDoubtful })
      }
      const fail = (message: string, { isDoubtful = false, isTimeout = false }: Failure = {}) => {
        const error = { line: null, message, trace: `${message}\n${this.#stderr}`.trim(), isTimeout }
        give({ file, stamps: { [file]: stamp }, error }, isDoubtful)
      }
      const reading = { file, give, fail }
      this.#reading = reading
      const timer = setTimeout(() => {
        this.kill()
        const limit = `${this.#timeoutMs / 1000} s`
        fail(`The file was not read through within ${limit}. Does it loop or wait at its top level? Move that work into a task.`, {
          isTimeout: true,
          isDoubtful: this.#filesRead > 0,
        })
      }, this.#timeoutMs)
      const failAs = (code: number | null, signal: string | null) =>
        fail(
          signal
            ? `Reading the file was ended by ${signal}.`
            : `The file ended its process with exit status ${code} while it was read. Take "process.exit" out of its top level; tasks do the work, not the file.`,
          { isDoubtful: this.#filesRead > 0 },
        )
      const onExit = (code: number | null, signal: string | null) => this.#channel.afterLastWords(() => failAs(code, signal))
      const onError = (error: Error) => fail(`The file cannot be read: no process could be started for it (${error.message}).`)
      this.#child.on('exit', onExit).on('error', onError)
      if (this.#hasEnded) onExit(this.#child.exitCode, this.#child.signalCode)
      else this.#channel.send([{ file } satisfies ToLoader])
    })
  }
}

interface Failure {
  readonly isDoubtful?: boolean
  readonly isTimeout?: boolean
}

/** Whether `message` is an answer about `file`: the authors' code shares the process that it comes from. */
function isAnswer(message: unknown, file: string): message is FromLoader {
  if (!isRecord(message) || message.file !== file) return false
  const { isGone, stamps, source, documents, error } = message
  if (isGone === true) return true
  if (!isRecord(stamps) || !(file in stamps) || !Object.values(stamps).every((stamp) => typeof stamp === 'string')) return false
  if (!isRecord(error)) return typeof source === 'string' && Array.isArray(documents) && documents.every(isRecord)
  const { line, message: text, trace } = error
  return (line === null || typeof line === 'number') && typeof text === 'string' && typeof trace === 'string'
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
