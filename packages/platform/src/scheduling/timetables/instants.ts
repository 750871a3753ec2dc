/** Timetables without ticks: given instants, once, always again, never. Their runs stand for an instant, or for the time since the last run. */
import { AppError } from '../../core/app-error.ts'
import type { DataInterval, DueRun, Restriction, Timetable, TimetableWords } from '../timetable.ts'
import { laterOf } from './ticks.ts'
import { UNRESTRICTED, walk } from './walk.ts'

const instant = (at: Date): DataInterval => ({ start: at, end: at })

const runAt = (at: Date): DueRun => ({ logicalDate: at, interval: instant(at), runAfter: at })

/** Without dates that go on: what all of these have in common. */
const WITHOUT_DATES = {
  isPeriodic: false,
  inferManual: instant,
  between: () => [],
  nextOf: () => null,
  previousOf: () => null,
} as const

/** Runs only when somebody, or an asset, triggers it. */
export const nullTimetable = (words: TimetableWords): Timetable => ({ ...WITHOUT_DATES, ...words, next: () => null })

/** Runs once, as soon as the start date has come. */
export const onceTimetable = (words: TimetableWords): Timetable => ({
  ...WITHOUT_DATES,
  ...words,
  next(last, { earliest, latest }, now) {
    const at = earliest ?? now
    return last || (latest && at > latest) ? null : runAt(at)
  },
})

/** The next run covers the time from the end of the last one's interval until now, so it is to be asked for when the last one has ended. */
export const continuousTimetable = (words: TimetableWords): Timetable => ({
  ...WITHOUT_DATES,
  ...words,
  next(last, { earliest, latest }, now) {
    const start = last ? endOf(last) : (earliest ?? now)
    const end = laterOf(start, now)
    return latest && end > latest ? null : { logicalDate: start, interval: { start, end }, runAfter: end }
  },
  nextOf: ({ end }) => runAt(end),
})

/** An interval without length has taken up its one instant: the run that begins there would have the same logical date. */
const endOf = ({ start, end }: DataInterval): Date => (end > start ? end : new Date(end.getTime() + 1))

/** Runs at given instants; without catchup at those only that are still to come. */
export class EventsTimetable implements Timetable {
  readonly isPeriodic = true
  readonly summary: string
  readonly description: string
  readonly #dates: readonly Date[]
  readonly #restricts: boolean

  /** `dates` ascending. `restricts`: a run by hand stands for the last date gone by, too, or for the first one. Throws `invalid`. */
  constructor(dates: readonly string[], restricts: boolean, { summary, description }: TimetableWords) {
    this.summary = summary
    this.description = description
    this.#dates = dates.map((date) => new Date(date))
    this.#restricts = restricts
    if (this.#dates.length === 0) throw new AppError('invalid', 'A schedule of events has no dates. Give it one, or take null.')
  }

  next(last: DataInterval | null, { earliest, latest, catchup }: Restriction, now: Date): DueRun | null {
    const from = catchup ? earliest : earliest ? laterOf(earliest, now) : now
    const at = this.#first((date) => (!from || date >= from) && (!last || date > last.end))
    return !at || (latest && at > latest) ? null : runAt(at)
  }

  inferManual(runAfter: Date): DataInterval {
    if (!this.#restricts) return instant(runAfter)
    const gone = this.#first((date) => date > runAfter, -1)
    return instant(gone ?? (this.#dates[0] as Date))
  }

  between(from: Date, to: Date, limit?: number): DueRun[] {
    return walk(this, { earliest: from, latest: to, catchup: true }, limit)
  }

  nextOf(interval: DataInterval): DueRun | null {
    return this.next(interval, UNRESTRICTED, interval.end)
  }

  previousOf(): null {
    return null
  }

  /** The first date for which `isThere` is true, which it then is for all after it; or the one so many places from it. */
  #first(isThere: (date: Date) => boolean, places = 0): Date | undefined {
    let low = 0
    let high = this.#dates.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isThere(this.#dates[middle] as Date)) high = middle
      else low = middle + 1
    }
    return this.#dates[low + places]
  }
}
