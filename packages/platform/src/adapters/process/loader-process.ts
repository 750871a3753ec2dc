/** The platform's end of a process that reads DAG files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Defaults } from '@daggerboard/dag/defaults'
import type { FromLoader, ToLoader } from './dag-loader.ts'
import { fileStamp } from './file-stamp.ts'
import { childEnvironment, compiledIn, killTree, NODE_FLAGS } from './node-child.ts'

const SCRIPT = fileURLToPath(new URL('./dag-loader.ts', import.meta.url))

/** The process need not wait for the platform between two files, and few wait behind one that hangs. */
const FILES_AHEAD = 2

export interface LoaderOptions {
  /** For what DAGs and tasks do not say. */
  readonly defaults?: Partial<Defaults>
  /** Where our own modules are kept compiled. */
  readonly compileCache?: string | undefined
  /** A file that takes longer is given up. Default 30 s. */
  readonly fileTimeoutMs?: number
}

/** The process ended before it was through. */
export interface Broken {
  /** The answer for the file that was being read. */
  readonly answer: FromLoader
  /** Whether an earlier file of this process may have brought the end about. */
  readonly isDoubtful: boolean
  readonly rest: readonly string[]
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
      env: childEnvironment(compiledIn(compileCache)),
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000)
    })
    const end = () => {
      this.#hasEnded = true
    }
    this.#child.once('exit', end).once('error', end)
    this.#send({ defaults })
  }

  get isAlive(): boolean {
    return !this.#hasEnded
  }

  kill(): void {
    this.#hasEnded = true
    killTree(this.#child)
  }

  /** Reads the files that `next` gives, until it gives none. Null when each has its answer; a file that hangs or ends the process is an error of that file. */
  read(next: () => string | undefined, onAnswer: (answer: FromLoader) => void): Promise<Broken | null> {
    /** Sent and not answered, with their stamps; the first is being read. */
    const sent: { readonly file: string; readonly stamp: string }[] = []
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const stop = (broken: Broken | null) => {
        clearTimeout(timer)
        this.#child.off('message', onMessage).off('exit', onExit).off('error', onError)
        resolve(broken)
      }
      const send = () => {
        while (sent.length < FILES_AHEAD) {
          const file = next()
          if (file === undefined) break
          sent.push({ file, stamp: fileStamp(file) })
          this.#send({ file })
        }
        clearTimeout(timer)
        if (sent.length === 0) stop(null)
        else timer = setTimeout(onTimeout, this.#timeoutMs)
      }
      const fail = (message: string, { isDoubtful = false, isTimeout = false } = {}) => {
        const [reading, ...rest] = sent
        if (!reading) return stop(null)
        const { file, stamp } = reading
        const error = { line: null, message, trace: `${message}\n${this.#stderr}`.trim(), isTimeout }
        stop({ answer: { file, stamps: { [file]: stamp }, error }, isDoubtful, rest: rest.map((each) => each.file) })
      }
      const onMessage = (answer: FromLoader) => {
        sent.shift()
        this.#filesRead += 1
        onAnswer(answer)
        send()
      }
      const onTimeout = () => {
        this.kill()
        const limit = `${this.#timeoutMs / 1000} s`
        fail(`The file was not read through within ${limit}. Does it loop or wait at its top level? Move that work into a task.`, {
          isTimeout: true,
        })
      }
      const onExit = (code: number | null, signal: string | null) =>
        fail(
          signal
            ? `Reading the file was ended by ${signal}.`
            : `The file ended its process with exit status ${code} while it was read. Take "process.exit" out of its top level; tasks do the work, not the file.`,
          { isDoubtful: this.#filesRead > 0 },
        )
      const onError = (error: Error) => fail(`The file cannot be read: no process could be started for it (${error.message}).`)
      this.#child.on('message', onMessage).on('exit', onExit).on('error', onError)
      send()
      if (this.#hasEnded) onExit(this.#child.exitCode, this.#child.signalCode)
    })
  }

  #send(message: ToLoader): void {
    this.#child.send(message, () => {})
  }
}
