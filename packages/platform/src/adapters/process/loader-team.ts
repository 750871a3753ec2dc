/** Several processes that read DAG files side by side. They live as long as there is something to read. */
import type { FromLoader } from './dag-loader.ts'
import { type LoaderOptions, LoaderProcess } from './loader-process.ts'

export interface LoaderTeamOptions extends LoaderOptions {
  /** Default 2, as in Airflow. */
  readonly processes?: number
}

/** For fewer files a second process takes longer to start than it helps. */
const FILES_WORTH_A_PROCESS = 24

export class LoaderTeam {
  readonly #options: LoaderTeamOptions
  readonly #alive = new Set<LoaderProcess>()
  #warm: LoaderProcess | null = null
  #isStopped = false

  constructor(options: LoaderTeamOptions) {
    this.#options = options
  }

  /** Starts a process ahead of files that will come in a moment. */
  warmUp(): void {
    if (!this.#isStopped && !this.#warm?.isAlive) this.#warm = this.#start()
  }

  /** Ends the process that nobody needed after all. */
  coolDown(): void {
    this.#warm?.kill()
    this.#warm = null
  }

  /** Reads all of `files`, in no promised order; each has its answer, unless `stop` comes between. */
  async read(files: readonly string[], onAnswer: (answer: FromLoader) => void): Promise<void> {
    const queue = [...files]
    const processes = Math.min(this.#options.processes ?? 2, Math.ceil(files.length / FILES_WORTH_A_PROCESS))
    await Promise.all(Array.from({ length: processes }, () => this.#work(queue, onAnswer)))
  }

  stop(): void {
    this.#isStopped = true
    for (const loader of this.#alive) loader.kill()
  }

  async #work(queue: string[], onAnswer: (answer: FromLoader) => void): Promise<void> {
    let loader = this.#take()
    while (queue.length > 0 && !this.#isStopped) {
      if (!loader.isAlive) loader = this.#take()
      const broken = await loader.read(() => queue.shift(), onAnswer)
      // A file whose reading `stop` has broken off has no error.
      if (this.#isStopped || !broken) continue
      this.#alive.delete(loader)
      queue.unshift(...broken.rest)
      if (broken.isDoubtful) await this.#readAlone(broken.answer.file, onAnswer)
      else onAnswer(broken.answer)
    }
    loader.kill()
    this.#alive.delete(loader)
  }

  async #readAlone(file: string, onAnswer: (answer: FromLoader) => void): Promise<void> {
    const loader = this.#start()
    const files = [file]
    const broken = await loader.read(() => files.pop(), onAnswer)
    if (broken && !this.#isStopped) onAnswer(broken.answer)
    loader.kill()
    this.#alive.delete(loader)
  }

  #take(): LoaderProcess {
    const warm = this.#warm
    this.#warm = null
    return warm?.isAlive ? warm : this.#start()
  }

  #start(): LoaderProcess {
    const loader = new LoaderProcess(this.#options)
    this.#alive.add(loader)
    return loader
  }
}
