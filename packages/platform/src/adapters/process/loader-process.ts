/** The platform's end of a process that reads DAG files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Defaults } from '@daggerboard/dag/defaults'
import type { FromLoader, ToLoader } from './dag-loader.ts'
import { fileStamp } from './file-stamp.ts'
import { childEnvironment, compiledIn, killTree, NODE_FLAGS } from './node-child.ts'

const SCRIPT = fileURLToPath(new URL('./dag-loader.ts', import.meta.url))

export interface LoaderOptions {
  /** For what DAGs and tasks do not say. */
  readonly defaults?: Partial<Defaults>
  /** Where our own modules are kept compiled. */
  readonly compileCache?: string | undefined
  /** A file that takes longer is given up. Default 30 s. */
  readonly fileTimeoutMs?: number
}

/** What is left of a batch when the process ended in it. */
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

  /** Reads `files` in their order. Null when each has its answer; a file that hangs or ends the process is an error of that file. */
  read(files: readonly string[], onAnswer: (answer: FromLoader) => void): Promise<Broken | null> {
    const stamps = files.map(fileStamp)
    let next = 0
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout
      const stop = (broken: Broken | null) => {
        clearTimeout(timer)
        this.#child.off('message', onMessage).off('exit', onExit).off('error', onError)
        resolve(broken)
      }
      const fail = (message: string, { isDoubtful = false, isTimeout = false } = {}) => {
        const [file, stamp] = [files[next] as string, stamps[next] as string]
        const error = { line: null, message, trace: `${message}\n${this.#stderr}`.trim(), isTimeout }
        stop({ answer: { file, stamps: { [file]: stamp }, error }, isDoubtful, rest: files.slice(next + 1) })
      }
      const startClock = () => {
        clearTimeout(timer)
        timer = setTimeout(() => {
          this.kill()
          fail(
            `The file was not read through within ${this.#timeoutMs / 1000} s. Does it loop or wait at its top level? Move that work into a task.`,
            { isTimeout: true },
          )
        }, this.#timeoutMs)
      }
      const onMessage = (answer: FromLoader) => {
        next += 1
        this.#filesRead += 1
        onAnswer(answer)
        if (next === files.length) stop(null)
        else startClock()
      }
      const onExit = (code: number | null, signal: string | null) =>
        fail(
          signal
            ? `Reading the file was ended by ${signal}.`
            : `The file ended its process with exit status ${code} while it was read. Take "process.exit" out of its top level; tasks do the work, not the file.`,
          { isDoubtful: this.#filesRead > 0 },
        )
      const onError = (error: Error) => fail(`The file cannot be read: no process could be started for it (${error.message}).`)
      startClock()
      this.#child.on('message', onMessage).on('exit', onExit).on('error', onError)
      if (this.#hasEnded) onExit(this.#child.exitCode, this.#child.signalCode)
      else this.#send({ files })
    })
  }

  #send(message: ToLoader): void {
    this.#child.send(message, () => {})
  }
}
