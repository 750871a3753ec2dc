/** Several processes that read DAG files side by side. They live as long as there is something to read. */
import type { FromLoader } from './dag-loader.ts'
import { type LoaderOptions, LoaderProcess } from './loader-process.ts'
import { OrphanGuard } from './orphan-guard.ts'

export interface LoaderTeamOptions extends LoaderOptions {
  /** Default 2, as in Airflow. */
  readonly processes?: number
}

/** For fewer files a second process takes longer to start than it helps. */
const FILES_WORTH_A_PROCESS = 24

/** A file that takes longer has its process to itself, and another one goes on with the rest. */
const SLOW_MS = 500
/** At most so many times the processes, however many files hang. */
const MOST_HANGING = 4

export class LoaderTeam {
  readonly #options: LoaderTeamOptions
  readonly #alive = new Set<LoaderProcess>()
  #warm: LoaderProcess | null = null
  /** A loop hears nothing of the end of its platform. */
  readonly #guard = new OrphanGuard()
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
    if (this.#warm) this.#end(this.#warm)
    this.#warm = null
  }

  /** Reads all of `files`, in no promised order; each has its answer, unless `stop` comes between. */
  async read(files: readonly string[], onAnswer: (answer: FromLoader) => void): Promise<void> {
    const { processes = 2 } = this.#options
    const queue = [...files]
    const workers: Promise<void>[] = []
    const addWorker = () => {
      if (queue.length > 0 && workers.length < processes * MOST_HANGING) workers.push(this.#work(queue, onAnswer, addWorker))
    }
    for (let count = 0; count < Math.min(processes, files.length / FILES_WORTH_A_PROCESS); count++) addWorker()
    // Others may join while these are waited for.
    for (const worker of workers) await worker
  }

  stop(): void {
    this.#isStopped = true
    for (const loader of this.#alive) loader.kill()
    this.#guard.stop()
  }

  async #work(queue: string[], onAnswer: (answer: FromLoader) => void, onSlow: () => void): Promise<void> {
    let loader = this.#take()
    for (let file = queue.shift(); file !== undefined && !this.#isStopped; file = queue.shift()) {
      if (!loader.isAlive) loader = this.#replace(loader)
      const { pid } = loader
      const slow = setTimeout(() => {
        if (pid !== undefined) this.#guard.watch(pid)
        onSlow()
      }, SLOW_MS)
      let reading = await loader.read(file)
      if (reading.isDoubtful && !this.#isStopped) {
        loader = this.#replace(loader)
        reading = await loader.read(file)
      }
      clearTimeout(slow)
      // A file whose reading `stop` has broken off has no error.
      if (!this.#isStopped) onAnswer(reading.answer)
    }
    this.#end(loader)
  }

  #replace(loader: LoaderProcess): LoaderProcess {
    this.#end(loader)
    return this.#take()
  }

  #end(loader: LoaderProcess): void {
    loader.kill()
    if (loader.pid !== undefined) this.#guard.forget(loader.pid)
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
