/** What the processes of a worker's tasks write: it is in the logs of all jobs that run there. */
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { JobHost } from './job-host.ts'
import { paced } from './paced-reading.ts'

const LONGEST_LAST_WORDS = 4_000
const SHARED_OUTPUT =
  'Tasks share this worker, so what processes write that one of them has started is in the logs of all of them, from here on.\n'

export class WorkerOutput {
  readonly #child: ChildProcess
  readonly #jobs: ReadonlyMap<number, JobHost>
  /** Those whose logs say already that others' processes may speak in them. */
  readonly #toldShared = new Set<number>()
  #stderr = ''

  /** `jobs` are those that run at any moment, by number: the worker's own map. */
  constructor(child: ChildProcess, jobs: ReadonlyMap<number, JobHost>) {
    this.#child = child
    this.#jobs = jobs
    for (const stream of [child.stdout, child.stderr]) if (stream) this.#hear(stream)
  }

  /** What was written last on the standard error, at most 4,000 characters. */
  get lastWords(): string {
    return this.#stderr.trim()
  }

  /** The job has ended. */
  forget(job: number): void {
    this.#toldShared.delete(job)
  }

  /** The last words of a task's own processes are still in the pipes for a few rounds of the event loop. */
  afterLastWords(then: () => void): void {
    this.#child.stdout?.resume()
    this.#child.stderr?.resume()
    setImmediate(() => setImmediate(() => setImmediate(then)))
  }

  #hear(stream: Readable): void {
    const pace = paced(stream)
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (stream === this.#child.stderr) this.#stderr = (this.#stderr + text).slice(-LONGEST_LAST_WORDS)
      const isShared = this.#jobs.size > 1
      for (const [job, host] of this.#jobs) {
        if (isShared && !this.#toldShared.has(job)) host.onLog(SHARED_OUTPUT)
        if (isShared) this.#toldShared.add(job)
        host.onLog(text)
      }
      pace(text.length)
    })
  }
}
