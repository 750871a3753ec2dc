/** When runs are due, and for which interval of data: Airflow 2's data intervals, worked out from a schedule. Pure. */
import { fromWallClock, type ScheduleDocument, toWallClock } from '@daggerboard/dag'
import { type CronExpression, CronExpressionParser } from 'cron-parser'
import { AppError, messageOf } from '../core/app-error.ts'

/** `[start, end)`. */
export interface DataInterval {
  readonly start: Date
  readonly end: Date
}

/** The next run of a timetable: it may start at `runAfter`. */
export interface DueRun {
  readonly logicalDate: Date
  readonly interval: DataInterval
  readonly runAfter: Date
}

/** What a DAG says about when it may run. */
interface Restriction {
  readonly earliest: Date | null
  readonly latest: Date | null
  /** Whether intervals that were missed get their run. */
  readonly catchup: boolean
}

export interface Timetable {
  /** The run after the one that covered `last` (null: there was none); null when there is no further run. */
  next(last: DataInterval | null, restriction: Restriction, now: Date): DueRun | null
  /** The interval of a run that somebody triggers at `runAfter`. */
  inferManual(runAfter: Date): DataInterval
}

/** Throws `invalid` when the schedule's fields make no sense. */
export function timetable(schedule: ScheduleDocument, timezone: string): Timetable {
  if (schedule.kind === 'cron') return new CronDataIntervalTimetable(schedule.expression, timezone)
  return schedule.kind === 'once' ? onceTimetable : nullTimetable
}

const instantInterval = (at: Date): DataInterval => ({ start: at, end: at })

/** Runs only when somebody triggers it. */
const nullTimetable: Timetable = { next: () => null, inferManual: instantInterval }

/** Runs once, as soon as the start date has come. */
const onceTimetable: Timetable = {
  next(last, { earliest, latest }, now) {
    const at = earliest ?? now
    if (last || (latest && at > latest)) return null
    return { logicalDate: at, interval: instantInterval(at), runAfter: at }
  },
  inferManual: instantInterval,
}

/** A run for each time between two ticks, at its end. Ticks are read from the clocks of the zone. */
class CronDataIntervalTimetable implements Timetable {
  #cron: CronExpression
  #timezone: string

  constructor(expression: string, timezone: string) {
    this.#timezone = timezone
    try {
      this.#cron = CronExpressionParser.parse(expression, { tz: 'UTC' })
      this.#cron.next()
    } catch (cause) {
      throw new AppError(
        'invalid',
        `The schedule "${expression}" cannot be read: ${messageOf(cause)}. Write five cron fields such as "0 5 * * 1".`,
        {
          cause,
        },
      )
    }
  }

  next(last: DataInterval | null, { earliest, latest, catchup }: Restriction, now: Date): DueRun | null {
    const first = catchup ? earliest && this.#alignToNext(earliest) : this.#skipToLatest(earliest, now)
    if (!last && !first) return null
    const continued = last && this.#alignToPrevious(last.end)
    const start = continued && first ? laterOf(continued, first) : ((continued ?? first) as Date)
    if (latest && start > latest) return null
    const end = this.#tickAfter(start)
    return { logicalDate: start, interval: { start, end }, runAfter: end }
  }

  inferManual(runAfter: Date): DataInterval {
    const end = this.#alignToPrevious(runAfter)
    return { start: this.#tickBefore(end), end }
  }

  /** The start of the last complete interval, or of the first one there can be if that is later. */
  #skipToLatest(earliest: Date | null, now: Date): Date {
    const lastTick = this.#tickBefore(now)
    const isBoundary = this.#tickAfter(lastTick).getTime() === now.getTime()
    const latest = isBoundary ? lastTick : this.#tickBefore(lastTick)
    return earliest ? laterOf(latest, this.#alignToNext(earliest)) : latest
  }

  /** `at` if it is a tick, else the tick after it. */
  #alignToNext(at: Date): Date {
    const next = this.#tickAfter(at)
    return this.#tickBefore(next).getTime() === at.getTime() ? at : next
  }

  /** `at` if it is a tick, else the tick before it. */
  #alignToPrevious(at: Date): Date {
    const previous = this.#tickBefore(at)
    return this.#tickAfter(previous).getTime() === at.getTime() ? at : previous
  }

  #tickAfter(at: Date): Date {
    return this.#tick(at, 'next')
  }

  #tickBefore(at: Date): Date {
    return this.#tick(at, 'prev')
  }

  /** Ticks of every hour keep their distance through a change of the clocks; others keep to what the clocks show. */
  #tick(at: Date, direction: 'next' | 'prev'): Date {
    const shown = toWallClock(at, this.#timezone)
    this.#cron.reset(shown)
    const hasEveryHour = this.#cron.fields.hour.isWildcard
    for (;;) {
      const tick = this.#cron[direction]().toDate()
      const apart = new Date(at.getTime() + tick.getTime() - shown.getTime())
      // Where clocks change by half an hour, the same distance leads to another minute: from there no tick would be found again.
      const keepsDistance = hasEveryHour && toWallClock(apart, this.#timezone).getUTCMinutes() === tick.getUTCMinutes()
      const found = keepsDistance ? apart : fromWallClock(tick, this.#timezone)
      // Around a change of the clocks a tick on the clock's face may be the very instant that we come from.
      if (direction === 'next' ? found > at : found < at) return found
    }
  }
}

const laterOf = (a: Date, b: Date): Date => (a > b ? a : b)
