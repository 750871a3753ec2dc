/** Finds out who is to blame for a turn that could not be made, and has it held, so that all else goes on. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Board } from './board.ts'
import { type DagRunStore, NO_CHANGES } from './dag-run.ts'
import { Fault, sentenceOf } from './fault.ts'
import type { Turn } from './turn.ts'

interface BlameOptions {
  readonly board: Board
  readonly runs: DagRunStore
  readonly clock: Clock
  readonly logger: Logger
  /** The board is to be read again: somebody on it is held now, or let go. */
  readonly onHeld: () => void
}

export class Blame {
  readonly #options: BlameOptions

  constructor(options: BlameOptions) {
    this.#options = options
  }

  /** Holds what is at fault. Answers what is to be thrown: the fault, or what it came from when it is another's. */
  hold(error: unknown, isAlone = false): unknown {
    if (!(error instanceof Fault)) return error
    const { board, runs, clock, logger, onHeld } = this.#options
    const trouble = runs.isOutage(error.cause) ? null : board.quarantine.hold(error, clock.now(), isAlone)
    if (!trouble) return error.cause
    const { subject, triesAgainAt, refusals } = trouble
    if (subject.kind !== 'document') onHeld()
    const cause = error.cause instanceof Error ? error.cause.stack : undefined
    logger.error(`${sentenceOf(subject)}. All else goes on.`, { ...subject, refusals, triesAgainAt, error: error.message, stack: cause })
    return error
  }

  /**
   * `refused` is the turn that the store has just refused: all that it has moved is held, to be tried again one by one; what was tried alone is at
   * fault. Answers false when that is no use: the store refuses everything, or the turn has moved nothing.
   */
  async isolate(error: unknown, refused: Turn | null): Promise<boolean> {
    const { board, clock, logger, onHeld } = this.#options
    const { quarantine } = board
    const subjects = quarantine.onTrial ? [quarantine.onTrial] : (refused?.subjects ?? [])
    const [only] = subjects
    if (!only || !(await this.#takesAnything())) return false
    onHeld()
    if (subjects.length === 1) return this.hold(new Fault(only, error), true) instanceof Fault
    quarantine.suspect(subjects, messageOf(error), clock.now())
    logger.error('The scheduler could not finish a turn. What it has moved is tried again, one by one.', { error: messageOf(error) })
    return true
  }

  #takesAnything(): Promise<boolean> {
    return this.#options.runs.record(NO_CHANGES).then(
      () => true,
      () => false,
    )
  }
}
