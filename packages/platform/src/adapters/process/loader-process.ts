/** The platform's end of a process that reads DAG files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromLoader } from './dag-loader.ts'
import { fileStamp } from './file-stamp.ts'
import { childEnvironment, killTree, NODE_FLAGS } from './node-child.ts'

const SCRIPT = fileURLToPath(new URL('./dag-loader.ts', import.meta.url))

export class LoaderProcess {
  readonly #child: ChildProcess
  #hasEnded = false
  #stderr = ''

  constructor() {
    this.#child = spawn(process.execPath, [...NODE_FLAGS, SCRIPT], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
      env: childEnvironment(),
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-4_000)))
    this.#child.once('exit', () => (this.#hasEnded = true))
    this.#child.once('error', () => (this.#hasEnded = true))
  }

  get isAlive(): boolean {
    return !this.#hasEnded
  }

  kill(): void {
    this.#hasEnded = true
    killTree(this.#child)
  }

  /** Always answers: a file that hangs or ends the process is an error of that file. */
  read(file: string, timeoutMs: number): Promise<FromLoader> {
    const stamp = fileStamp(file)
    return new Promise((resolve) => {
      const give = (answer: FromLoader) => {
        clearTimeout(timer)
        this.#child.off('message', give).off('exit', onExit).off('error', onError)
        resolve(answer)
      }
      const fail = (message: string) =>
        give({ file, stamps: { [file]: stamp }, error: { line: null, message, trace: `${message}\n${this.#stderr}`.trim() } })
      const onExit = (code: number | null, signal: string | null) =>
        fail(
          signal
            ? `Reading the file was ended by ${signal}.`
            : `The file ended its process with exit status ${code} while it was read. Take "process.exit" out of its top level; tasks do the work, not the file.`,
        )
      const onError = (error: Error) => fail(`The file cannot be read: no process could be started for it (${error.message}).`)
      const timer = setTimeout(() => {
        this.kill()
        fail(
          `The file was not read through within ${timeoutMs / 1000} s. Does it loop or wait at its top level? Move that work into a task.`,
        )
      }, timeoutMs)
      this.#child.on('message', give).on('exit', onExit).on('error', onError)
      if (this.#hasEnded) onExit(this.#child.exitCode, this.#child.signalCode)
      else this.#child.send({ file }, () => {})
    })
  }
}
