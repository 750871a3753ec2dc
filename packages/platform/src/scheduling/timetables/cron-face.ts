/** A cron expression on the face of a clock: which minutes of a calendar match, whatever the time zone. Times are written as if they were UTC. */
import { CronExpressionParser, type CronFieldCollection } from 'cron-parser'
import { AppError, messageOf } from '../../core/app-error.ts'

const MINUTE_MS = 60_000

/** Only the fields are read, so the time does not matter; one that is given is read faster than the present one is found out. */
const ANY_TIME = { tz: 'UTC', currentDate: 0 }

/** Leap days are at most eight years apart; together with a day of the week they come back within forty. */
const MAX_MONTHS = 12 * 41

const faces = new Map<string, CronFace>()

const MAX_FACES_KEPT = 1000

/** The face of an expression, which is kept: reading one takes a while, and many DAGs have the same. Throws as {@link CronFace}. */
export function cronFace(expression: string): CronFace {
  const known = faces.get(expression)
  if (known) return known
  const face = new CronFace(expression)
  if (faces.size >= MAX_FACES_KEPT) faces.clear()
  faces.set(expression, face)
  return face
}

export class CronFace {
  /** It matches in every hour of the days on which it matches. */
  readonly hasEveryHour: boolean
  readonly #minutes: readonly number[]
  readonly #hours: readonly number[]
  readonly #months: ReadonlySet<number>
  readonly #isDay: (day: number, weekday: number, daysInMonth: number) => boolean
  /** The days that match of months that were asked for lately. */
  readonly #days = new Map<number, readonly number[]>()

  /** Throws `invalid` when the fields make no sense, or match no time at all. */
  constructor(expression: string) {
    const { minute, hour, month, dayOfMonth, dayOfWeek } = parse(expression)
    this.#minutes = minute
    this.#hours = hour
    this.#months = new Set(month)
    this.hasEveryHour = hour.length === 24
    this.#isDay = (day, weekday, daysInMonth) => {
      const isOfMonth = dayOfMonth.has(day) || (dayOfMonth.hasLast && day === daysInMonth)
      const isOfWeek = dayOfWeek.isMatch(day, weekday, daysInMonth)
      if (dayOfMonth.isAny) return dayOfWeek.isAny || isOfWeek
      return isOfMonth || (!dayOfWeek.isAny && isOfWeek)
    }
    if (this.after(0) === null) throw unreadable(expression, 'it matches no day of any year')
  }

  matches(shown: number): boolean {
    const date = new Date(shown)
    return (
      shown % MINUTE_MS === 0 &&
      this.#minutes.includes(date.getUTCMinutes()) &&
      this.#hours.includes(date.getUTCHours()) &&
      this.#daysOf(date.getUTCFullYear() * 12 + date.getUTCMonth()).includes(date.getUTCDate())
    )
  }

  /** The first match after `shown`. */
  after(shown: number): number | null {
    const from = new Date(Math.floor(shown / MINUTE_MS) * MINUTE_MS + MINUTE_MS)
    const firstMonth = from.getUTCFullYear() * 12 + from.getUTCMonth()
    for (let month = firstMonth; month < firstMonth + MAX_MONTHS; month++) {
      for (const day of this.#daysOf(month)) {
        if (month === firstMonth && day < from.getUTCDate()) continue
        const isFirst = month === firstMonth && day === from.getUTCDate()
        const time = isFirst ? this.#firstTime(from.getUTCHours(), from.getUTCMinutes()) : this.#firstTime(0, 0)
        if (time !== null) return dayStart(month, day) + time
      }
    }
    return null
  }

  /** The last match before `shown`. */
  before(shown: number): number | null {
    const to = new Date(Math.ceil(shown / MINUTE_MS) * MINUTE_MS - MINUTE_MS)
    const lastMonth = to.getUTCFullYear() * 12 + to.getUTCMonth()
    for (let month = lastMonth; month > lastMonth - MAX_MONTHS; month--) {
      const days = this.#daysOf(month)
      for (let i = days.length - 1; i >= 0; i--) {
        const day = days[i] as number
        if (month === lastMonth && day > to.getUTCDate()) continue
        const isLast = month === lastMonth && day === to.getUTCDate()
        const time = isLast ? this.#lastTime(to.getUTCHours(), to.getUTCMinutes()) : this.#lastTime(23, 59)
        if (time !== null) return dayStart(month, day) + time
      }
    }
    return null
  }

  /** Of the matching times of a day the first from there on, in milliseconds. */
  #firstTime(hour: number, minute: number): number | null {
    for (const h of this.#hours) {
      if (h < hour) continue
      const m = h > hour ? this.#minutes[0] : this.#minutes.find((one) => one >= minute)
      if (m !== undefined) return (h * 60 + m) * MINUTE_MS
    }
    return null
  }

  #lastTime(hour: number, minute: number): number | null {
    for (let i = this.#hours.length - 1; i >= 0; i--) {
      const h = this.#hours[i] as number
      if (h > hour) continue
      const m = h < hour ? this.#minutes.at(-1) : this.#minutes.findLast((one) => one <= minute)
      if (m !== undefined) return (h * 60 + m) * MINUTE_MS
    }
    return null
  }

  /** `month` counts from the year 0. */
  #daysOf(month: number): readonly number[] {
    if (!this.#months.has((month % 12) + 1)) return NO_DAYS
    const known = this.#days.get(month)
    if (known) return known
    if (this.#days.size > 24) this.#days.clear()
    const daysInMonth = (dayStart(month + 1, 1) - dayStart(month, 1)) / DAY_MS
    const firstWeekday = new Date(dayStart(month, 1)).getUTCDay()
    const days = Array.from({ length: daysInMonth }, (_, i) => i + 1).filter((day) =>
      this.#isDay(day, (firstWeekday + day - 1) % 7, daysInMonth),
    )
    this.#days.set(month, days)
    return days
  }
}

const DAY_MS = 86_400_000

const NO_DAYS: readonly number[] = []

const dayStart = (month: number, day: number): number => Date.UTC(Math.floor(month / 12), month % 12, day)

interface Fields {
  readonly minute: readonly number[]
  readonly hour: readonly number[]
  readonly month: readonly number[]
  readonly dayOfMonth: { readonly isAny: boolean; readonly hasLast: boolean; has(day: number): boolean }
  readonly dayOfWeek: { readonly isAny: boolean; isMatch(day: number, weekday: number, daysInMonth: number): boolean }
}

function parse(expression: string): Fields {
  const texts = expression.trim().split(/\s+/)
  if (texts.length !== 5) throw unreadable(expression, 'it does not have five fields')
  texts[4] = lastWeekdays(texts[4] as string)
  if (texts.some((text) => /(^|,)H/.test(text))) throw unreadable(expression, 'H stands for another time on every server')
  try {
    const whole = parseWhole(texts)
    const [minute, hour, dayOfMonth, month, dayOfWeek] = texts.map((text, place) =>
      whole ? [whole] : text.split(',').map((part) => parsePart(part, place)),
    )
    const days = numbers(dayOfMonth, 'dayOfMonth')
    return {
      minute: numbers(minute, 'minute'),
      hour: numbers(hour, 'hour'),
      month: numbers(month, 'month'),
      dayOfMonth: {
        isAny: isAny(texts[2]),
        hasLast: dayOfMonth?.some((part) => part.dayOfMonth.hasLastChar) ?? false,
        has: (day) => days.includes(day),
      },
      dayOfWeek: {
        isAny: isAny(texts[4]),
        isMatch: (day, weekday, daysInMonth) => dayOfWeek?.some((part) => isWeekdayOf(part.dayOfWeek, day, weekday, daysInMonth)) ?? false,
      },
    }
  } catch (cause) {
    throw unreadable(expression, messageOf(cause), cause)
  }
}

/** Airflow writes the last Friday of the month as `L5`, Quartz and the parser as `5L`; `L` by itself is neither. */
const lastWeekdays = (text: string): string => text.replaceAll(/(?<=^|,)L([0-7])(?=$|,)/gi, '$1L')

/** Null when it has to be read part by part. */
function parseWhole(texts: readonly string[]): CronFieldCollection | null {
  try {
    return CronExpressionParser.parse(texts.join(' '), ANY_TIME).fields
  } catch {
    return null
  }
}

/** One part of a list in one of the fields, by itself: the parser refuses lists in which parts overlap, cron does not. */
function parsePart(part: string, place: number): CronFieldCollection {
  if (part === '') throw new Error('a list has an empty place')
  return CronExpressionParser.parse(['*', '*', '*', '*', '*'].with(place, part).join(' '), ANY_TIME).fields
}

const isAny = (text: string | undefined): boolean => text === '*' || text === '?'

function numbers(parts: readonly CronFieldCollection[] | undefined, field: 'minute' | 'hour' | 'month' | 'dayOfMonth'): number[] {
  const all = (parts ?? []).flatMap((part): readonly unknown[] => part[field].values)
  return [...new Set(all.filter((value) => typeof value === 'number'))].sort((a, b) => a - b)
}

function isWeekdayOf({ values, nthDay }: CronFieldCollection['dayOfWeek'], day: number, weekday: number, daysInMonth: number): boolean {
  return values.some((value) =>
    typeof value === 'number'
      ? value % 7 === weekday && (nthDay <= 0 || Math.ceil(day / 7) === nthDay)
      : Number.parseInt(value, 10) % 7 === weekday && day > daysInMonth - 7,
  )
}

const unreadable = (expression: string, why: string, cause?: unknown): AppError =>
  new AppError('invalid', `The schedule "${expression}" cannot be read: ${why}. Write five cron fields such as "0 5 * * 1".`, {
    ...(cause !== undefined && { cause }),
  })
