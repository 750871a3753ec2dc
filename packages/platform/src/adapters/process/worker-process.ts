/** The platform's end of one warm worker. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../core/app-error.ts'
import type { TaskFacts } from '../../execution/task-facts.ts'
import type { FromWorker, Question, TaskOutcome, ToWorker } from '../../execution/worker-protocol.ts'
import { type FileStamps, hasChanged } from './file-stamp.ts'
import { childEnvironment, killTree, NODE_FLAGS } from './node-child.ts'

const SCRIPT = fileURLToPath(new URL('./worker.ts', import.meta.url))

/** What a worker may do while it runs one try. */
export interface WorkerHost {
  onLog(text: string): void
  answer(question: Question): Promise<unknown>
}

export class WorkerProcess {
  readonly #child: ChildProcess
  #stamps: FileStamps = {}
  #host: WorkerHost | null = null
  #done: ((outcome: TaskOutcome) => void) | null = null
  /** What the worker has said of how its task ended. */
  #outcome: TaskOutcome | null = null
  #end: string | null = null
  #isSpent = false

  constructor(environment: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [...NODE_FLAGS, SCRIPT], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: childEnvironment(environment),
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#host?.onLog(text))
    this.#child.on('message', (message: FromWorker) => this.#hear(message))
    this.#child.once('exit', (code, signal) => this.#ended(signal ? `was ended by ${signal}` : `ended with exit status ${code}`))
    this.#child.once('error', (error) => this.#ended(`could not be started: ${error.message}`))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isAlive(): boolean {
    return this.#end === null
  }

  /** It was told to break a task off, or something threw in it where nobody caught it: it must not run another task. */
  get isSpent(): boolean {
    return this.#isSpent
  }

  /** Whether it has read `file` already. */
  knows(file: string): boolean {
    return file in this.#stamps
  }

  /** A file that it has read is another one now. */
  get isOld(): boolean {
    return hasChanged(this.#stamps)
  }

  /** Runs one try; always answers, also when the worker ends before the task does. */
  run(file: string, facts: TaskFacts, host: WorkerHost): Promise<TaskOutcome> {
    return new Promise((resolve) => {
      this.#host = host
      this.#done = resolve
      if (this.#end !== null) this.#lost()
      else this.#send({ type: 'run', file, facts })
    })
  }

  abort(reason: string): void {
    this.#isSpent = true
    this.#send({ type: 'abort', reason })
  }

  /** Ends the worker and every process that its tasks have started. */
  kill(): void {
    // Once it has ended, its number may be another process's.
    if (this.#end === null) killTree(this.#child)
  }

  #hear(message: FromWorker): void {
    if (message.type === 'log') this.#host?.onLog(message.text)
    else if (message.type === 'done') {
      this.#stamps = { ...this.#stamps, ...message.stamps }
      this.#isSpent ||= message.isLast
      this.#outcome = message.outcome
      // What the task's own children wrote last is still in the pipes for one round of the event loop.
      setImmediate(() => setImmediate(() => this.#finish(message.outcome)))
    } else {
      const { question } = message
      this.#host?.answer(message.ask).then(
        (value) => this.#send({ type: 'answer', question, value }),
        (error: unknown) => this.#send({ type: 'answer', question, error: messageOf(error) }),
      )
    }
  }

  #ended(how: string): void {
    this.#end = how
    // Its children have lost their parent, and go with it.
    killTree(this.#child)
    // What it said last may still be in the channel.
    if (this.#child.connected) this.#child.once('disconnect', () => this.#lost())
    else this.#lost()
  }

  #lost(): void {
    const detail = `The worker process ${this.#end} before the task had ended.`
    this.#finish(this.#outcome ?? { state: 'failed', detail, isFinal: false, renderedFields: null })
  }

  #finish(outcome: TaskOutcome): void {
    const done = this.#done
    this.#done = null
    this.#host = null
    this.#outcome = null
    done?.(outcome)
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }
}
