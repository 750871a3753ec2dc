/** What the scheduler has been told and has not heard yet. */
import { isAbout, type Report } from './report.ts'
import type { TaskInstance } from './task-instance.ts'

type Started = Extract<Report, { kind: 'started' }>

/** That a task has begun is heard with its end where that comes soon: most tasks are short, and each thing heard is written down. */
export class Inbox {
  #reports: Report[] = []
  /** By attempt, in the order in which they came. */
  readonly #started = new Map<string, Started>()

  /** Whether anything but beginnings waits. */
  get isPressing(): boolean {
    return this.#reports.length > 0
  }

  /** When the beginning was that has waited longest; null without any. */
  get firstStartedAt(): Date | null {
    const [first] = this.#started.values()
    return first?.at ?? null
  }

  add(report: Report): void {
    if (report.kind === 'started') this.#started.set(report.attemptId, report)
    else this.#reports.push(report.kind === 'ended' ? this.#withBeginning(report) : report)
  }

  /** At most `most`, and beginnings up to `startedUntil`; null for all of them. */
  take(most: number, startedUntil: Date | null): Report[] {
    const taken: Report[] = []
    for (const report of this.#started.values()) {
      if (startedUntil && report.at > startedUntil) break
      taken.push(report)
      this.#started.delete(report.attemptId)
    }
    taken.push(...this.#reports.splice(0, most))
    return taken
  }

  /** They could not be heard. */
  putBack(reports: readonly Report[]): void {
    this.#reports.unshift(...reports)
  }

  /** Whether something waits to be heard about a try, or about the wait of an instance. */
  mentions(of: string | TaskInstance): boolean {
    return (typeof of === 'string' && this.#started.has(of)) || this.#reports.some((report) => isAbout(report, of))
  }

  clear(): void {
    this.#reports = []
    this.#started.clear()
  }

  #withBeginning(report: Extract<Report, { kind: 'ended' }>): Report {
    const started = this.#started.get(report.attemptId)
    if (!started) return report
    this.#started.delete(report.attemptId)
    return { ...report, result: { ...report.result, startedAt: report.result.startedAt ?? started.at.toISOString() } }
  }
}
