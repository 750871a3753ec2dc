/** Instants as templates see them: printed, formatted and counted with as Python and Pendulum do, in the zone that they were asked for in. */
import { fromWallClock, toWallClock } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { DateInterval } from './date-interval.ts'
import { formatPattern } from './date-pattern.ts'
import { dayOfYear, formatDate, isoWeek, padded } from './strftime.ts'
import { TemplateDay } from './template-day.ts'
import { isNamed, type Named, SECOND, TimeDelta } from './time-delta.ts'
import { zoneAbbreviation } from './zone-abbreviation.ts'

/** An instant in a template: `{{ data_interval_end }}`, `{{ logical_date.strftime("%H") }}`, `{{ (logical_date + macros.timedelta(days=1)) | ds }}`. */
export class TemplateDate {
  readonly #at: Date
  readonly #zone: string
  /** Its UTC fields are what a clock in the zone shows. */
  readonly #wall: Date
  /** Microseconds that a Date has no room for. */
  readonly #micros: number

  constructor(at: Date | string, zone = 'UTC', micros = 0) {
    this.#at = new Date(at)
    this.#zone = zone
    this.#micros = micros
    this.#wall = zone === 'UTC' ? this.#at : shownIn(this.#at, zone)
  }

  get year(): number {
    return this.#wall.getUTCFullYear()
  }

  get month(): number {
    return this.#wall.getUTCMonth() + 1
  }

  get day(): number {
    return this.#wall.getUTCDate()
  }

  get hour(): number {
    return this.#wall.getUTCHours()
  }

  get minute(): number {
    return this.#wall.getUTCMinutes()
  }

  get second(): number {
    return this.#wall.getUTCSeconds()
  }

  get microsecond(): number {
    return this.#wall.getUTCMilliseconds() * 1000 + this.#micros
  }

  get quarter(): number {
    return Math.ceil(this.month / 3)
  }

  get day_of_year(): number {
    return dayOfYear(this.#wall)
  }

  /** Of ISO 8601. */
  get week_of_year(): number {
    return isoWeek(this.#wall).week
  }

  /** Monday is 0. */
  get day_of_week(): number {
    return this.weekday()
  }

  get days_in_month(): number {
    return new Date(Date.UTC(this.year, this.month, 0)).getUTCDate()
  }

  /** Of the instant, whatever the zone; microseconds are fractions of them. */
  get milliseconds(): number {
    return this.#at.getTime() + this.#micros / 1000
  }

  /** What a clock in the zone shows, counted in the same way. */
  get shownMilliseconds(): number {
    return this.#wall.getTime() + this.#micros / 1000
  }

  get int_timestamp(): number {
    return Math.floor(this.#at.getTime() / SECOND)
  }

  get float_timestamp(): number {
    return this.timestamp()
  }

  get timezone_name(): string {
    return this.#zone
  }

  /** Seconds ahead of UTC. */
  get offset(): number {
    return (this.#wall.getTime() - this.#at.getTime()) / SECOND
  }

  strftime(format: string): string {
    return formatDate(this.#wall, format, { offset: this.#offset(''), abbreviation: () => this.#abbreviation() }, this.#micros)
  }

  #abbreviation(): string {
    return zoneAbbreviation(this.#at, this.#zone, this.#offset(''))
  }

  /** Of Pendulum: `format("YYYY-MM-DD [at] HH:mm")`. */
  format(pattern: string): string {
    const { microsecond, milliseconds } = this
    return formatPattern(
      {
        wall: this.#wall,
        microsecond,
        milliseconds: Math.floor(milliseconds),
        zone: this.#zone,
        abbreviation: () => this.#abbreviation(),
        offset: this.#offset(':'),
      },
      pattern,
    )
  }

  isoformat(): string {
    const { microsecond } = this
    return `${this.strftime('%Y-%m-%dT%H:%M:%S')}${microsecond === 0 ? '' : `.${padded(microsecond, 6)}`}${this.#offset(':')}`
  }

  to_date_string(): string {
    return this.strftime('%Y-%m-%d')
  }

  to_time_string(): string {
    return this.strftime('%H:%M:%S')
  }

  to_iso8601_string(): string {
    return this.#zone === 'UTC' ? this.isoformat().replace('+00:00', 'Z') : this.isoformat()
  }

  to_datetime_string(): string {
    return this.strftime('%Y-%m-%d %H:%M:%S')
  }

  date(): TemplateDay {
    return new TemplateDay(this)
  }

  timestamp(): number {
    return this.milliseconds / SECOND
  }

  /** Monday is 0. */
  weekday(): number {
    return (this.#wall.getUTCDay() + 6) % 7
  }

  isoweekday(): number {
    return this.weekday() + 1
  }

  is_leap_year(): boolean {
    return new Date(Date.UTC(this.year, 2, 0)).getUTCDate() === 29
  }

  in_timezone(zone: string): TemplateDate {
    return new TemplateDate(this.#at, zone, this.#micros)
  }

  in_tz(zone: string): TemplateDate {
    return this.in_timezone(zone)
  }

  astimezone(zone: string): TemplateDate {
    return this.in_timezone(zone)
  }

  /**
   * `add(days=1, months=-1)`; a bare number is days. Days and longer units move what the clock shows, in the zone; with hours alone it is the instant
   * that moves. Months and years keep the day, or take the last one of the month.
   */
  add(...args: readonly unknown[]): TemplateDate {
    const { years = 0, months = 0, weeks = 0, days = 0, ...shorter } = args.find(isNamed) ?? ({} as Named)
    const wholeDays = Number(days) + 7 * Number(weeks) + (typeof args[0] === 'number' ? args[0] : 0)
    const span = Number(years) * 12 + Number(months)
    const length = TimeDelta.of({ ...shorter, __keywords: true })
    if (span === 0 && wholeDays === 0) return this.#moved(length.milliseconds)
    const wall = new Date(this.#wall)
    wall.setUTCDate(1)
    wall.setUTCMonth(wall.getUTCMonth() + span)
    const last = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate()
    wall.setUTCDate(Math.min(this.day, last) + wholeDays)
    return this.#shown(wall, this.#micros, length.milliseconds)
  }

  subtract(...args: readonly unknown[]): TemplateDate {
    const named = args.find(isNamed) ?? {}
    const negative = Object.fromEntries(
      Object.entries(named).map(([name, value]) => [name, name === '__keywords' ? value : -Number(value)]),
    )
    return this.add(typeof args[0] === 'number' ? -args[0] : 0, { ...negative, __keywords: true })
  }

  /** As `a + timedelta` has it: the instant moves, whatever the clocks do. */
  plus(length: TimeDelta): TemplateDate {
    return this.#moved(length.milliseconds)
  }

  /** `replace(day=1, hour=0)`. */
  replace(...args: readonly unknown[]): TemplateDate {
    const { year, month, day, hour, minute, second, microsecond } = (args.find(isNamed) ?? {}) as Record<string, number | undefined>
    const wall = new Date(this.#wall)
    wall.setUTCFullYear(year ?? this.year, (month ?? this.month) - 1, day ?? this.day)
    const micros = microsecond ?? this.microsecond
    wall.setUTCHours(hour ?? this.hour, minute ?? this.minute, second ?? this.second, Math.floor(micros / 1000))
    return this.#shown(wall, micros % 1000)
  }

  set(...args: readonly unknown[]): TemplateDate {
    return this.replace(...args)
  }

  /** `start_of("month")`; weeks begin on Monday. */
  start_of(unit: string): TemplateDate {
    return this.#shown(new Date(this.#startOf(unit, 'start_of')), 0)
  }

  /** The last microsecond of it. */
  end_of(unit: string): TemplateDate {
    const next = new Date(this.#startOf(unit, 'end_of'))
    const { months = 0, milliseconds = 0 } = LENGTHS[unit] ?? {}
    next.setUTCMonth(next.getUTCMonth() + months)
    return this.#shown(new Date(next.getTime() + milliseconds - 1), 999)
  }

  /** The time from this one to the other; with `abs=False` it may be negative. */
  diff(other: unknown, ...args: readonly unknown[]): DateInterval {
    const to = other instanceof TemplateDate ? other : new TemplateDate(new Date())
    const named = [other, ...args].find(isNamed) as { readonly abs?: boolean } | undefined
    const isAbsolute = named?.abs ?? (typeof args[0] === 'boolean' ? args[0] : true)
    return isAbsolute && to.milliseconds < this.milliseconds ? new DateInterval(to, this) : new DateInterval(this, to)
  }

  /** `2 hours ago`, `in 3 days`; of two instants `2 hours before`, `3 days after`. */
  diff_for_humans(other?: unknown): string {
    const isToNow = !(other instanceof TemplateDate)
    const to = isToNow ? new TemplateDate(new Date()) : other
    const span = this.diff(to).inOneUnit()
    const isAfter = this.milliseconds > to.milliseconds
    if (isToNow) return isAfter ? `in ${span}` : `${span} ago`
    return `${span} ${isAfter ? 'after' : 'before'}`
  }

  toString(): string {
    return this.isoformat().replace('T', ' ')
  }

  toJSON(): string {
    return this.isoformat()
  }

  [Symbol.toPrimitive](hint: string): number | string {
    return hint === 'number' ? this.milliseconds : this.toString()
  }

  #startOf(unit: string, asked: string): number {
    const { months, milliseconds } = Object.hasOwn(LENGTHS, unit) ? (LENGTHS[unit] ?? {}) : {}
    if (months !== undefined) {
      const year = months >= 12 ? this.year - (this.year % (months / 12)) : this.year
      return new Date(0).setUTCFullYear(year, months >= 12 ? 0 : this.month - 1, 1)
    }
    if (milliseconds === undefined) throw new AppError('invalid', `${asked} has no "${unit}". It has ${Object.keys(LENGTHS).join(', ')}.`)
    const wall = unit === 'week' ? new Date(this.#wall.getTime() - this.weekday() * DAY) : this.#wall
    const whole = Math.min(milliseconds, DAY)
    return Math.floor(wall.getTime() / whole) * whole
  }

  /** The instant that so many milliseconds are away from. */
  #moved(milliseconds: number): TemplateDate {
    const micros = Math.round((this.milliseconds + milliseconds) * 1000)
    return new TemplateDate(new Date(Math.floor(micros / 1000)), this.#zone, ((micros % 1000) + 1000) % 1000)
  }

  /** The instant at which a clock in the zone shows `wall`, moved on by so much. */
  #shown(wall: Date, micros: number, milliseconds = 0): TemplateDate {
    const moved = new TemplateDate(wall, 'UTC', micros).#moved(milliseconds)
    const at = this.#zone === 'UTC' ? moved.#at : fromWallClock(moved.#at, this.#zone)
    return new TemplateDate(at, this.#zone, moved.#micros)
  }

  #offset(separator: string): string {
    const minutes = Math.round(this.offset / 60)
    const size = Math.abs(minutes)
    return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(size / 60))}${separator}${padded(size % 60)}`
  }
}

const DAY = 86_400 * SECOND
const LENGTHS: Readonly<Record<string, { readonly months?: number; readonly milliseconds?: number }>> = {
  second: { milliseconds: SECOND },
  minute: { milliseconds: 60 * SECOND },
  hour: { milliseconds: 3_600 * SECOND },
  day: { milliseconds: DAY },
  week: { milliseconds: 7 * DAY },
  month: { months: 1 },
  year: { months: 12 },
  decade: { months: 120 },
}

function shownIn(at: Date, zone: string): Date {
  try {
    return new Date(toWallClock(at, zone))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new AppError('invalid', `"${zone}" is no time zone. Write one such as Europe/Paris.`)
  }
}
