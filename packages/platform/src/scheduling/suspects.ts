/** Reports with which a turn could not be made. Each is heard alone from then on, so that one that cannot be recorded holds up no other. */
import { Heap } from './heap.ts'
import { isAbout, type Report } from './report.ts'
import type { TaskInstance } from './task-instance.ts'

/** Refused so often although all else is kept, it is the report that is at fault. */
const MOST_REFUSALS = 3
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 5 * 60_000
/** Messages of databases may hold a whole statement. */
const LONGEST_REASON = 500

export interface Suspect {
  readonly report: Report
  readonly refusals: number
  /** When it is to be heard, in milliseconds since 1970. */
  readonly at: number
  /** What it was before it gave way to the news that its try has failed; null while it has not. */
  readonly insteadOf: Report | null
  /** Those of the same time are heard in the order in which they came. */
  readonly place: number
}

export class Suspects {
  readonly #heap = new Heap<Suspect>((a, b) => a.at < b.at || (a.at === b.at && a.place < b.place))
  #places = 0

  add(reports: readonly Report[], now: Date): void {
    for (const report of reports) this.#heap.push({ report, refusals: 0, at: now.getTime(), insteadOf: null, place: this.#places++ })
  }

  /** Which one is to be heard now. It stays until it is removed or refused. */
  next(now: Date): Suspect | null {
    const first = this.#heap.peek()
    return first && first.at <= now.getTime() ? first : null
  }

  /** When the next one is to be heard, in milliseconds since 1970; null without any. */
  get nextAt(): number | null {
    return this.#heap.peek()?.at ?? null
  }

  /** Whether something waits to be heard about a try, or about the wait of an instance. */
  mentions(of: string | TaskInstance): boolean {
    return this.#heap.some(({ report }) => isAbout(report, of))
  }

  /** It has been heard. */
  remove(suspect: Suspect): void {
    if (this.#heap.peek() === suspect) this.#heap.pop()
  }

  /**
   * It was refused alone, while all else is kept: it comes again after a pause that grows. At the third time it gives way to what can be recorded
   * of it. Answers what comes; null for nothing any more.
   */
  refuse(suspect: Suspect, reason: string, now: Date): Suspect | null {
    this.remove(suspect)
    const refusals = suspect.refusals + 1
    const report = refusals === MOST_REFUSALS ? failureOf(suspect.report, reason.slice(0, LONGEST_REASON)) : suspect.report
    if (report === null) return null
    const isOther = report !== suspect.report
    const pauseMs = isOther ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (refusals - 1), LONGEST_PAUSE_MS)
    const insteadOf = isOther ? suspect.report : suspect.insteadOf
    const next = { report, refusals, at: now.getTime() + pauseMs, insteadOf, place: suspect.place }
    this.#heap.push(next)
    return next
  }

  clear(): void {
    this.#heap.clear()
  }
}

/** What can be recorded in place of a report that cannot: plain news of a failure. Null where nobody misses it. */
function failureOf(report: Report, reason: string): Report | null {
  switch (report.kind) {
    // The end of the try is heard for itself.
    case 'started':
      return null
    case 'ended': {
      const detail = `The try has ended (${report.result.state}), and this could not be recorded: ${reason}`
      return { ...report, result: { state: 'failed', detail, isFinal: false, renderedFields: null } }
    }
    case 'waited':
      return { ...report, event: { error: `What the task waited for is there, and could not be recorded: ${reason}` } }
    case 'called':
    case 'cancelled':
      return report
  }
}
