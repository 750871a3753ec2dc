/** Lengths of time in templates, as Python's `timedelta` has them. */
import { AppError } from '../core/app-error.ts'
import { padded } from './strftime.ts'

export const SECOND = 1_000
const DAY = 86_400 * SECOND
/** In the order in which they may be given without a name. */
const UNITS: Readonly<Record<string, number>> = {
  days: DAY,
  seconds: SECOND,
  microseconds: 0.001,
  milliseconds: 1,
  minutes: 60 * SECOND,
  hours: 3_600 * SECOND,
  weeks: 7 * DAY,
}

export type Named = Readonly<Record<string, unknown>>
export const isNamed = (value: unknown): value is Named => typeof value === 'object' && value !== null && '__keywords' in value

/** A length of time: `macros.timedelta(days=1, hours=2)`; a bare number is days. */
export class TimeDelta {
  /** Microseconds are fractions of them. */
  readonly milliseconds: number

  constructor(milliseconds: number) {
    this.milliseconds = milliseconds
  }

  /** Throws `invalid` for a unit that there is not. */
  static of(...args: readonly unknown[]): TimeDelta {
    const named = args.find(isNamed) ?? {}
    const given = [...args.filter((arg) => !isNamed(arg)).map((count, i) => [Object.keys(UNITS)[i] ?? `unit ${i + 1}`, count] as const)]
    let total = 0
    for (const [unit, count] of [...given, ...Object.entries(named)]) {
      if (unit === '__keywords') continue
      const length = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
      if (length === undefined) throw new AppError('invalid', `timedelta has no "${unit}". It has ${Object.keys(UNITS).join(', ')}.`)
      total += Number(count) * length
    }
    return new TimeDelta(total)
  }

  get days(): number {
    return Math.floor(this.milliseconds / DAY)
  }

  get seconds(): number {
    return Math.floor((this.milliseconds - Math.floor(this.milliseconds / DAY) * DAY) / SECOND)
  }

  get microseconds(): number {
    return Math.round((this.milliseconds - Math.floor(this.milliseconds / SECOND) * SECOND) * 1000)
  }

  total_seconds(): number {
    return this.milliseconds / SECOND
  }

  toString(): string {
    const days = Math.floor(this.milliseconds / DAY)
    const { seconds, microseconds } = this
    const fraction = microseconds ? `.${padded(microseconds, 6)}` : ''
    const clock = `${Math.floor(seconds / 3600)}:${padded(Math.floor(seconds / 60) % 60)}:${padded(seconds % 60)}${fraction}`
    return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? '' : 's'}, ${clock}`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.toPrimitive](hint: string): number | string {
    return hint === 'number' ? this.milliseconds : this.toString()
  }
}
