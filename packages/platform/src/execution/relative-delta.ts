/** Steps on the calendar in templates, as `relativedelta` of Python's dateutil has them. */
import { AppError } from '../core/app-error.ts'
import type { TemplateDate } from './template-date.ts'
import { isNamed, TimeDelta } from './time-delta.ts'

/** In the order in which they are printed. Where they overflow they go to the one before, but days never become months. */
const STEPS = ['years', 'months', 'days', 'hours', 'minutes', 'seconds', 'microseconds'] as const
const FIELDS = ['year', 'month', 'day', 'weekday', 'hour', 'minute', 'second', 'microsecond'] as const
const CARRIES = [
  ['microseconds', 'seconds', 1_000_000],
  ['seconds', 'minutes', 60],
  ['minutes', 'hours', 60],
  ['hours', 'days', 24],
  ['months', 'years', 12],
] as const

type Steps = Record<(typeof STEPS)[number], number>
type Fields = Partial<Record<Exclude<(typeof FIELDS)[number], 'weekday'>, number>> & { readonly weekday?: Weekday | undefined }

/** `MO(-1)`: the Monday before, or the day itself; `nth` counts them. */
class Weekday {
  readonly day: number
  readonly nth: number
  readonly #name: string

  constructor(day: number, nth: number, name: string) {
    this.day = day
    this.nth = nth
    this.#name = name
  }

  toString(): string {
    return `${this.#name}(${this.nth > 0 ? '+' : ''}${this.nth})`
  }
}

/** `macros.dateutil.relativedelta.MO(-1)` and its like. */
export const WEEKDAYS = Object.fromEntries(
  ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'].map((name, day) => [name, (nth: unknown = 1) => new Weekday(day, Number(nth) || 1, name)]),
)

/** `relativedelta(months=1, day=31)`: units in the plural are added, those in the singular are set before. */
export class RelativeDelta {
  readonly #steps: Steps
  readonly #fields: Fields

  constructor(steps: Steps, fields: Fields) {
    this.#steps = steps
    this.#fields = fields
  }

  /** Throws `invalid` for a unit that there is not, and for two instants. */
  static of(...args: readonly unknown[]): RelativeDelta {
    const { __keywords, weeks = 0, ...named } = (args.find(isNamed) ?? {}) as Record<string, unknown>
    if (args.some((arg) => !isNamed(arg)))
      throw new AppError('invalid', 'relativedelta takes units, as in relativedelta(months=1). Subtract instants from each other with "-".')
    const known: readonly string[] = [...STEPS, ...FIELDS]
    const unknown = Object.keys(named).find((unit) => !known.includes(unit))
    if (unknown !== undefined) throw new AppError('invalid', `relativedelta has no "${unknown}". It has weeks, ${known.join(', ')}.`)
    const steps = Object.fromEntries(STEPS.map((unit) => [unit, Number(named[unit] ?? 0)])) as Steps
    steps.days += 7 * Number(weeks)
    for (const [unit, next, size] of CARRIES) {
      const over = Math.trunc(steps[unit] / size)
      steps[unit] -= over * size
      steps[next] += over
    }
    return new RelativeDelta(steps, Object.fromEntries(FIELDS.filter((unit) => unit in named).map((unit) => [unit, named[unit]])) as Fields)
  }

  get years(): number {
    return this.#steps.years
  }

  get months(): number {
    return this.#steps.months
  }

  get days(): number {
    return this.#steps.days
  }

  get weeks(): number {
    return Math.trunc(this.#steps.days / 7)
  }

  get hours(): number {
    return this.#steps.hours
  }

  get minutes(): number {
    return this.#steps.minutes
  }

  get seconds(): number {
    return this.#steps.seconds
  }

  get microseconds(): number {
    return this.#steps.microseconds
  }

  /** Backwards; what is set stays. */
  negated(): RelativeDelta {
    return new RelativeDelta(Object.fromEntries(STEPS.map((unit) => [unit, 0 - this.#steps[unit]])) as Steps, this.#fields)
  }

  /** Years and months keep the day, or take the last one of the month; days and shorter units move the instant. */
  addedTo(at: TemplateDate): TemplateDate {
    const { years, months, ...shorter } = this.#steps
    const { weekday, year = at.year, month = at.month, day = at.day, ...time } = this.#fields
    const count = (year + years) * 12 + month - 1 + months
    const [toYear, toMonth] = [Math.floor(count / 12), (count % 12) + 1]
    const last = new Date(Date.UTC(toYear, toMonth, 0)).getUTCDate()
    const set = at.replace({ ...time, year: toYear, month: toMonth, day: Math.min(day, last), __keywords: true })
    const moved = set.plus(TimeDelta.of({ ...shorter, __keywords: true }))
    return weekday ? moved.plus(TimeDelta.of(daysTo(weekday, moved.weekday()))) : moved
  }

  toString(): string {
    const steps = STEPS.filter((unit) => this.#steps[unit] !== 0).map(
      (unit) => `${unit}=${this.#steps[unit] > 0 ? '+' : ''}${this.#steps[unit]}`,
    )
    const fields = FIELDS.filter((unit) => this.#fields[unit] !== undefined).map((unit) => `${unit}=${this.#fields[unit]}`)
    return `relativedelta(${[...steps, ...fields].join(', ')})`
  }

  toJSON(): string {
    return this.toString()
  }
}

function daysTo({ day, nth }: Weekday, from: number): number {
  const weeks = (Math.abs(nth) - 1) * 7
  return nth > 0 ? weeks + ((7 - from + day) % 7) : -(weeks + ((7 + from - day) % 7))
}
