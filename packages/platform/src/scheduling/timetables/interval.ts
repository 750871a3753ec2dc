/** Data intervals, as in Airflow 2: a run for each time between two ticks, which fires at its end. */
import type { DataInterval, DueRun, Restriction, Timetable, TimetableWords } from '../timetable.ts'
import { CronTicks, DeltaTicks, laterOf, type Ticks } from './ticks.ts'
import { UNRESTRICTED } from './walk.ts'

/** Without catchup the first run is that of the last complete interval, at once. */
export const cronIntervalTimetable = (expression: string, timezone: string, words: TimetableWords): Timetable => {
  const ticks = new CronTicks(expression, timezone)
  return new IntervalTimetable(ticks, words, (now) => {
    const lastTick = ticks.before(now)
    return ticks.after(lastTick).getTime() === now.getTime() ? lastTick : ticks.before(lastTick)
  })
}

/**
 * Intervals of a fixed length: with catchup they begin at the start date, otherwise at the last whole multiple of the length since 1970
 * (for a day: midnight UTC); from then on each begins where the last one ended.
 */
export const deltaIntervalTimetable = (seconds: number, words: TimetableWords): Timetable => {
  const ticks = new DeltaTicks(seconds)
  return new IntervalTimetable(ticks, words, (now) => ticks.before(ticks.round(now)))
}

class IntervalTimetable implements Timetable {
  readonly isPeriodic = true
  readonly summary: string
  readonly description: string
  readonly #ticks: Ticks
  readonly #latestStart: (now: Date) => Date

  constructor(ticks: Ticks, { summary, description }: TimetableWords, latestStart: (now: Date) => Date) {
    this.summary = summary
    this.description = description
    this.#ticks = ticks
    this.#latestStart = latestStart
  }

  next(last: DataInterval | null, { earliest, latest, catchup }: Restriction, now: Date): DueRun | null {
    const begin = earliest && this.#ticks.alignToNext(earliest)
    const skipped = catchup ? null : this.#latestStart(now)
    const first = begin && skipped ? laterOf(begin, skipped) : (begin ?? skipped)
    const continued = last && this.#ticks.alignToPrevious(last.end)
    const aligned = continued && first ? laterOf(continued, first) : (continued ?? first)
    // A schedule that has become coarser would begin again with, or before, what the last run has covered.
    const start = last && aligned && aligned <= last.start ? this.#ticks.after(aligned) : aligned
    if (!start || (latest && start > latest)) return null
    return this.#run(start)
  }

  inferManual(runAfter: Date): DataInterval {
    const end = this.#ticks.alignToPrevious(runAfter)
    return { start: this.#ticks.before(end), end }
  }

  between(from: Date, to: Date, limit = Number.POSITIVE_INFINITY): DueRun[] {
    const found: DueRun[] = []
    for (let start = this.#ticks.alignToNext(from); start <= to && found.length < limit; start = (found.at(-1) as DueRun).interval.end) {
      found.push(this.#run(start))
    }
    return found
  }

  nextOf(interval: DataInterval): DueRun | null {
    return this.next(interval, UNRESTRICTED, interval.end)
  }

  previousOf(interval: DataInterval): DueRun | null {
    return this.#run(this.#ticks.before(interval.start))
  }

  #run(start: Date): DueRun {
    const end = this.#ticks.after(start)
    return { logicalDate: start, interval: { start, end }, runAfter: end }
  }
}
