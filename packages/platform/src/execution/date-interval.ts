/** The time between two instants, as `a - b` and `a.diff(b)` have it in templates: counted in years, months and days of the calendar too. */
import { SECOND, TimeDelta } from './time-delta.ts'

/** An end of an interval. */
export interface IntervalEnd {
  /** Of the instant, since 1970; microseconds are fractions of them. */
  readonly milliseconds: number
  readonly timezone_name: string
  /** What a clock in its zone shows, in the same way. */
  readonly shownMilliseconds: number
  toString(): string
}

const DAY = 86_400 * SECOND
const UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const

export class DateInterval extends TimeDelta {
  readonly start: IntervalEnd
  readonly end: IntervalEnd
  readonly #parts: ReturnType<typeof between>
  readonly #sign: 1 | -1

  constructor(start: IntervalEnd, end: IntervalEnd) {
    super(end.milliseconds - start.milliseconds)
    this.start = start
    this.end = end
    this.#sign = this.milliseconds < 0 ? -1 : 1
    this.#parts = this.#sign < 0 ? between(end, start) : between(start, end)
  }

  get years(): number {
    return this.#signed(this.#parts.years)
  }

  get months(): number {
    return this.#signed(this.#parts.months)
  }

  get weeks(): number {
    return this.#signed(Math.floor(this.#parts.days / 7))
  }

  get remaining_days(): number {
    return this.#signed(this.#parts.days % 7)
  }

  get hours(): number {
    return this.#signed(this.#parts.hours)
  }

  get minutes(): number {
    return this.#signed(this.#parts.minutes)
  }

  get remaining_seconds(): number {
    return this.#whole(SECOND) % 60
  }

  override get days(): number {
    return this.#whole(DAY)
  }

  in_years(): number {
    return this.years
  }

  in_months(): number {
    return this.#signed(this.#parts.years * 12 + this.#parts.months)
  }

  in_weeks(): number {
    return this.#signed(Math.floor(this.#parts.calendarDays / 7))
  }

  in_days(): number {
    return this.#signed(this.#parts.calendarDays)
  }

  in_hours(): number {
    return this.#whole(3600 * SECOND)
  }

  in_minutes(): number {
    return this.#whole(60 * SECOND)
  }

  in_seconds(): number {
    return this.#whole(SECOND)
  }

  total_minutes(): number {
    return this.milliseconds / (60 * SECOND)
  }

  total_hours(): number {
    return this.milliseconds / (3600 * SECOND)
  }

  total_days(): number {
    return this.milliseconds / DAY
  }

  total_weeks(): number {
    return this.milliseconds / (7 * DAY)
  }

  /** `1 week 2 days 3 hours`. */
  in_words(): string {
    const counts = [this.years, this.months, this.weeks, this.remaining_days, this.hours, this.minutes, this.remaining_seconds]
    const parts = counts.flatMap((count, i) => (count === 0 ? [] : [inUnits(count, UNITS[i] ?? '')]))
    if (parts.length > 0) return parts.join(' ')
    return this.milliseconds === 0 ? '0 microseconds' : `${Math.abs(this.milliseconds / SECOND).toFixed(2)} second`
  }

  /** The largest unit, rounded as people do: after 7 months of the next year it is the next year. */
  inOneUnit(): string {
    const [years, months, weeks, days, hours, minutes, seconds] = [
      ...[this.years, this.months, this.weeks, this.remaining_days, this.hours, this.minutes, this.remaining_seconds].map(Math.abs),
    ] as [number, number, number, number, number, number, number]
    const daysOfMonth = weeks * 7 + days
    if (years > 0) return inUnits(years + (months > 6 ? 1 : 0), 'year')
    if (months === 11 && daysOfMonth > 15) return '1 year'
    if (months > 0) return inUnits(months + (daysOfMonth >= 27 ? 1 : 0), 'month')
    if (weeks > 0) return inUnits(weeks + (days > 3 ? 1 : 0), 'week')
    if (days > 0) return inUnits(days + (hours >= 22 ? 1 : 0), 'day')
    if (hours > 0) return inUnits(hours, 'hour')
    if (minutes > 0) return inUnits(minutes, 'minute')
    return seconds > 10 ? inUnits(seconds, 'second') : 'a few seconds'
  }

  override toString(): string {
    return `<Interval [${this.start} -> ${this.end}]>`
  }

  #signed(size: number): number {
    return size === 0 ? 0 : this.#sign * size
  }

  #whole(unit: number): number {
    return this.#signed(Math.floor(Math.abs(this.milliseconds) / unit))
  }
}

const inUnits = (count: number, unit: string): string => `${count} ${unit}${Math.abs(count) === 1 ? '' : 's'}`

/** From the earlier to the later: by what clocks show when both are in one zone and the day is another one; else by the instants. */
function between(from: IntervalEnd, to: IntervalEnd) {
  const calendarDays = Math.floor(to.shownMilliseconds / DAY) - Math.floor(from.shownMilliseconds / DAY)
  const isShown = from.timezone_name === to.timezone_name && calendarDays !== 0
  const [start, end] = isShown ? [from.shownMilliseconds, to.shownMilliseconds] : [from.milliseconds, to.milliseconds]
  let rest = (end - Math.floor(end / DAY) * DAY - (start - Math.floor(start / DAY) * DAY)) / SECOND
  const [a, b] = [new Date(Math.floor(start / DAY) * DAY), new Date(Math.floor(end / DAY) * DAY)]
  let days = b.getUTCDate() - a.getUTCDate()
  let months = (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth()
  if (rest < 0) {
    rest += 86_400
    days -= 1
  }
  if (days < 0) {
    const before = daysOfMonth(b, -1)
    const more = daysOfMonth(b, 0) - before
    // From the end of a longer month to that of a shorter one is a whole month.
    if (days === more) days = 0
    else {
      months -= 1
      days += days < more ? Math.max(before, a.getUTCDate()) : before
    }
  }
  return {
    years: Math.floor(months / 12),
    months: months % 12,
    days,
    hours: Math.floor(rest / 3600),
    minutes: Math.floor(rest / 60) % 60,
    calendarDays,
  }
}

const daysOfMonth = (at: Date, more: number): number => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + more + 1, 0)).getUTCDate()
