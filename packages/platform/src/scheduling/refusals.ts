/** What the scheduler does when a turn is refused: it finds out whether a report, a run or DAG, or the store is at fault. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { DagRunStore } from './dag-run.ts'
import { Fault } from './fault.ts'
import type { Inbox } from './inbox.ts'
import type { Report } from './report.ts'
import type { Suspect, Suspects } from './suspects.ts'
import type { Turn } from './turn.ts'
import type { Turns } from './turns.ts'

/** Of turns in a row, before what they have moved is taken to be at fault and not the store. */
const MOST_REFUSALS = 3

interface RefusalsOptions {
  readonly turns: Turns
  readonly inbox: Inbox
  readonly suspects: Suspects
  readonly runs: DagRunStore
  readonly clock: Clock
  readonly logger: Logger
  /** Moves in a turn all that there is to move, with nothing heard. */
  readonly move: (turn: Turn) => Promise<unknown>
  /** Cancels what a try has begun. */
  readonly cancel: (attemptId: string) => void
}

export class Refusals {
  readonly #options: RefusalsOptions
  /** How many turns in a row were refused, whatever was heard in them. */
  #refusals = 0

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** A turn was kept; `suspect` is what alone was heard in it, if it was. */
  kept(suspect: Suspect | null): void {
    if (suspect) this.#acquit(suspect)
    this.#options.turns.board.quarantine.acquit()
    this.#refusals = 0
  }

  /**
   * A turn in which `heard` was heard could not be made: it is to be tried again at once, with what is at fault apart from all else. `suspect` is
   * what alone was heard in it, if it was. Throws while the store is away, and when a turn cannot be made whatever is heard in it.
   */
  async refused(error: unknown, heard: readonly Report[], suspect: Suspect | null): Promise<void> {
    const { runs, inbox, suspects, clock, logger } = this.#options
    if (suspect && !(error instanceof Fault) && !runs.isOutage(error)) return this.#accuse(suspect, error)
    if (!suspect && (error instanceof Fault || runs.isOutage(error))) inbox.putBack(heard)
    if (error instanceof Fault) return
    if (runs.isOutage(error)) throw error
    if (heard.length === 0) return this.#isolate(error)
    suspects.add(heard, clock.now())
    logger.error('The scheduler could not finish a turn. What it was told is heard again, one by one.', { error: messageOf(error) })
  }

  /** It was heard alone, or what is said in its place was: what its try has begun elsewhere has nobody to wait for it then. */
  #acquit(suspect: Suspect): void {
    this.#options.suspects.remove(suspect)
    if (suspect.insteadOf?.kind === 'ended') this.#options.cancel(suspect.insteadOf.attemptId)
  }

  /** A turn with this report alone could not be made. When one without it cannot either, it is not at fault: throws. */
  async #accuse(suspect: Suspect, error: unknown): Promise<void> {
    const { turns, runs, suspects, clock, logger, move } = this.#options
    try {
      await turns.prove(move)
    } catch (other) {
      if (other instanceof Fault) return
      if (runs.isOutage(other)) throw other
      return this.#isolate(other)
    }
    const next = suspects.refuse(suspect, messageOf(error), clock.now())
    const { kind } = suspect.report
    const message = next?.insteadOf && !suspect.insteadOf ? 'What has become of a task cannot be recorded: its try counts as failed.' : null
    logger.error(message ?? 'The scheduler cannot record what it was told. All else goes on.', {
      report: kind,
      ...this.#whatIsMeant(suspect.report),
      refusals: suspect.refusals + 1,
      triesAgainAt: next && new Date(next.at).toISOString(),
      error: messageOf(error),
    })
  }

  /** Nothing that was heard is at fault: when that happens again, what the turn has moved is tried one by one. Throws when that is no use. */
  async #isolate(error: unknown): Promise<void> {
    const { turns } = this.#options
    this.#refusals += 1
    if ((turns.board.quarantine.onTrial || this.#refusals >= MOST_REFUSALS) && (await turns.isolate(error))) return
    throw error
  }

  #whatIsMeant(report: Report): Readonly<Record<string, unknown>> {
    if ('id' in report) return { id: report.id }
    const instance = 'attemptId' in report ? this.#options.turns.board.findAttempt(report.attemptId) : report.instance
    const { dagId, runId, taskId, mapIndex, tryNumber } = instance ?? {}
    return { dagId, runId, taskId, mapIndex, tryNumber }
  }
}
