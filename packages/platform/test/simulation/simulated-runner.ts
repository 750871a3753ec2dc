/** Tasks that end as chance has it, at times of a virtual clock, and that remember who was at work when. */
import type { Attempt, AttemptResult, CallbackCall, TaskRunner } from '../../src/scheduling/task-runner.ts'
import type { Random } from './seeded.ts'

export interface Work {
  readonly attempt: Attempt
  readonly endsAt: number
  readonly end: () => void
}

const plain = { renderedFields: null }
/** Of an operator without args. */
const nothing = { renderedFields: undefined }
const SKIP_ALL = { all: 'descendants' } as const

export class SimulatedRunner implements TaskRunner {
  /** What is under way: not what was cancelled, nor what ended with an earlier platform. */
  readonly working = new Map<string, Work>()
  readonly waiting = new Map<string, Work>()
  readonly complaints: string[] = []
  /** Token of each answer that was given → the try that gave it. */
  readonly answers = new Map<string, string>()
  readonly #random: Random
  readonly #now: () => number
  #generation = 0

  constructor(random: Random, now: () => number) {
    this.#random = random
    this.#now = now
  }

  run(attempt: Attempt, signal: AbortSignal, onStart: () => void): Promise<AttemptResult> {
    const key = keyOf(attempt)
    const twin = [...this.working.values()].find((other) => keyOf(other.attempt) === key)
    if (twin) this.complaints.push(`${key} is run while its try ${twin.attempt.attemptId} is at work`)
    if (attempt.tryNumber > attempt.maxTries + 1) this.complaints.push(`${key} has try ${attempt.tryNumber} of ${attempt.maxTries + 1}`)
    if (this.#random.chance(0.8)) onStart()
    return this.#later(this.working, attempt, signal, () => this.#result(attempt), {
      state: 'failed',
      detail: 'cancelled',
      isFinal: true,
      ...plain,
    })
  }

  wait(attempt: Attempt, _wait: unknown, signal: AbortSignal): Promise<unknown> {
    const isFailure = this.#random.chance(0.2)
    return this.#later(
      this.waiting,
      attempt,
      signal,
      () => {
        if (isFailure) throw new Error('the wait has failed')
        return 'event'
      },
      null,
    )
  }

  async call(_call: CallbackCall): Promise<void> {}

  async stop(): Promise<void> {}

  /** For the platform of now: one that has ended reaches nobody any more. */
  ofNewPlatform(): TaskRunner {
    const generation = this.#generation
    const ifAlive = <T>(work: () => Promise<T>): Promise<T> => (generation === this.#generation ? work() : new Promise(() => {}))
    return {
      run: (attempt, signal, onStart) => ifAlive(() => this.run(attempt, signal, onStart)),
      wait: (attempt, wait, signal) => ifAlive(() => this.wait(attempt, wait, signal)),
      call: (callback) => ifAlive(() => this.call(callback)),
      stop: () => ifAlive(() => this.stop()),
    }
  }

  /** The platform has ended, and with it all that was under way. */
  crash(): void {
    this.#generation++
    this.working.clear()
    this.waiting.clear()
  }

  /** Ends what is due; answers the time of the next. */
  advance(): number | null {
    const now = this.#now()
    const all = [...this.working.values(), ...this.waiting.values()]
    for (const work of all) if (work.endsAt <= now) work.end()
    const left = all.filter(({ endsAt }) => endsAt > now).map(({ endsAt }) => endsAt)
    return left.length > 0 ? Math.min(...left) : null
  }

  #later<T>(among: Map<string, Work>, attempt: Attempt, signal: AbortSignal, result: () => T, cancelled: T): Promise<T> {
    const id = `${attempt.attemptId}/${this.#random.next()}`
    const generation = this.#generation
    return new Promise((resolve, reject) => {
      const finish = (of: () => T) => {
        // What an earlier platform has begun reports to nobody.
        if (generation !== this.#generation || !among.delete(id)) return
        try {
          resolve(of())
        } catch (error) {
          reject(error)
        }
      }
      among.set(id, { attempt, endsAt: this.#now() + this.#random.whole(0, 20_000), end: () => finish(result) })
      const onAbort = () => finish(() => cancelled)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #result(attempt: Attempt): AttemptResult {
    const { chance, whole } = this.#random
    const now = this.#now()
    if (chance(0.15)) return { state: 'failed', detail: 'it has failed', isFinal: chance(0.2), ...nothing }
    if (chance(0.07)) return { state: 'skipped', detail: 'nothing to do', ...plain }
    if (chance(0.05)) return { state: 'rescheduled', at: new Date(now + 5_000).toISOString(), ...plain }
    if (chance(0.08)) {
      const wait = chance(0.5)
        ? ({ kind: 'time', at: new Date(now + 3_000).toISOString() } as const)
        : ({ kind: 'trigger', name: 'x', args: {} } as const)
      return { state: 'deferred', wait, timeoutSeconds: chance(0.5) ? 10 : null, ...plain }
    }
    if (attempt.taskId.startsWith('list')) return { state: 'success', output: Array.from({ length: whole(0, 4) }, (_, i) => i), ...plain }
    // No store can keep this: the try has failed then, and nobody else has to wait for it.
    if (chance(0.02)) return { state: 'success', output: { unwritable: 1n }, ...plain }
    const { flow, downstream } = attempt.task
    const skip =
      flow === 'branch' ? { followed: downstream.filter(() => chance(0.5)) } : flow === 'shortCircuit' && chance(0.5) ? SKIP_ALL : null
    if (flow === 'branch' || flow === 'shortCircuit') return { state: 'success', output: null, ...(skip && { skip }), ...plain }
    const token = `${attempt.attemptId}#${this.answers.size}`
    this.answers.set(token, keyOf(attempt))
    return { state: 'success', output: token, ...nothing }
  }
}

export const keyOf = ({ dagId, runId, taskId, mapIndex }: Pick<Attempt, 'dagId' | 'runId' | 'taskId' | 'mapIndex'>): string =>
  `${dagId}/${runId}/${taskId}/${mapIndex}`
