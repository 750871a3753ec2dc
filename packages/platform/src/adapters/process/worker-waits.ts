/** The waits of deferred tasks: many share a process, and one that ends it, or lets nothing else run there, is told from those that share it. */
import { join } from 'node:path'
import { taskSubject } from '../../execution/task-facts.ts'
import { needsInputs } from '../../execution/task-input.ts'
import type { TaskLog } from '../../execution/task-log.ts'
import type { Wait } from '../../scheduling/task-instance.ts'
import { type Attempt, WaitEnded } from '../../scheduling/task-runner.ts'
import { leanFacts } from './attempt-facts.ts'
import { runJob } from './attempt-run.ts'
import type { TaskAnswers } from './task-answers.ts'
import type { WorkerFleet } from './worker-fleet.ts'
import type { WorkerPoolOptions } from './worker-pool.ts'
import type { Subjects } from './worker-subjects.ts'

const DEFAULT_WAITS = 1_000
/** Of one that has lost so many processes, and then another that it had for itself, it is taken that it is what ends them. */
const MOST_LOST = 3
/** A wait that does not let go takes all that share its process with it, so it gets so many times as long as a task. */
const GRACE = 12

type TriggerWait = Extract<Wait, { kind: 'trigger' }>

interface Parts {
  readonly options: WorkerPoolOptions
  readonly answers: TaskAnswers
  readonly fleet: WorkerFleet
  readonly subjects: Subjects
  readonly graceMs: number
}

export class WorkerWaits {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** What the trigger has given. Throws {@link WaitEnded} when that is how the task ends, and anything else for the operator to hear. */
  async wait(attempt: Attempt, wait: TriggerWait, signal: AbortSignal): Promise<unknown> {
    const { secrets, logs } = this.#parts.options
    const log = logs.open(attempt)
    try {
      for (let losses = 0; ; ) {
        const company = this.#companyOf(losses)
        const result = await this.#waitOnce(attempt, wait, company, signal, log)
        if ('displaced' in result) {
          log.write(`${result.displaced} This wait is not the reason, so it begins anew.\n`)
          continue
        }
        const { outcome, startedAt } = result
        if (outcome.state === 'success') return outcome.output
        const detail = 'detail' in outcome ? outcome.detail : `A trigger cannot end as ${outcome.state}.`
        // Its process has ended under it, so that it could neither come to an end nor be cancelled.
        const isLost = startedAt === null
        const text = secrets.mask(detail)
        if (outcome.state === 'skipped') throw new WaitEnded(text, 'skipped')
        if (outcome.state === 'failed' && outcome.isFinal && !isLost) throw new WaitEnded(text, 'failed')
        if (!isLost || (++losses > MOST_LOST && company === 1)) throw new Error(text)
        log.write(`${text} The wait begins anew, and shares a process with fewer others.\n`)
      }
    } finally {
      log.close()
    }
  }

  async #waitOnce(attempt: Attempt, { name, args }: TriggerWait, company: number, signal: AbortSignal, log: TaskLog) {
    const { options, answers, fleet, subjects, graceMs } = this.#parts
    const file = join(options.folder, attempt.file)
    const subject = taskSubject(attempt)
    // Also a wait that is over gets a worker: the operator may have to end something.
    const place = await fleet.acquireBeside(laneOf(company), company, file, new AbortController().signal)
    if (!place) throw new Error('The platform is stopping.')
    subjects.begin(subject)
    try {
      const inputs = needsInputs(attempt.task, attempt.mapIndex) ? await answers.inputs(attempt) : null
      return await runJob({
        worker: place.seat.worker,
        file,
        work: { kind: 'wait', facts: leanFacts(attempt), name, args, inputs },
        attempt,
        signal,
        timeoutSeconds: null,
        graceMs: company > 1 ? graceMs * GRACE : graceMs,
        clock: options.clock,
        onLog: (text) => log.write(text),
        answer: (question) => answers.answer(attempt, question),
      })
    } finally {
      subjects.end(subject)
      fleet.giveBack(place)
    }
  }

  /**
   * How many share a process with a wait that has lost so many: with every loss fewer, until it is alone and hurts nobody else. Of 1,000 these are 100, 10
   * and 1. While there is no place in such a company it is in the next larger one.
   */
  #companyOf(losses: number): number {
    const { waitsPerProcess = DEFAULT_WAITS } = this.#parts.options
    for (let step = Math.min(losses, MOST_LOST); ; step--) {
      const company = Math.ceil(waitsPerProcess ** (1 - step / MOST_LOST))
      if (step === 0 || this.#parts.fleet.hasRoom(laneOf(company))) return company
    }
  }
}

const laneOf = (company: number): string => `waits ${company}`
