/** Lengths of time in templates, as Python's `timedelta` has them. */
import { AppError } from '../core/app-error.ts'

const two = (n: number): string => String(n).padStart(2, '0')

export const SECOND = 1_000
const DAY = 86_400 * SECOND
const UNITS: Readonly<Record<string, number>> = {
  milliseconds: 1,
  seconds: SECOND,
  minutes: 60 * SECOND,
  hours: 3_600 * SECOND,
  days: 86_400 * SECOND,
  weeks: 7 * 86_400 * SECOND,
}

export type Named = Readonly<Record<string, unknown>>
export const isNamed = (value: unknown): value is Named => typeof value === 'object' && value !== null && '__keywords' in value

/** A length of time: `macros.timedelta(days=1, hours=2)`; a bare number is days. */
export class TimeDelta {
  readonly milliseconds: number

  constructor(milliseconds: number) {
    this.milliseconds = milliseconds
  }

  static of(...args: readonly unknown[]): TimeDelta {
    const named = args.find(isNamed) ?? {}
    const days = typeof args[0] === 'number' ? args[0] : 0
    const seconds = typeof args[1] === 'number' ? args[1] : 0
    let total = days * 86_400 * SECOND + seconds * SECOND
    for (const [unit, count] of Object.entries(named)) {
      if (unit === '__keywords') continue
      const length = UNITS[unit]
      if (length === undefined) throw new AppError('invalid', `timedelta has no "${unit}". It has ${Object.keys(UNITS).join(', ')}.`)
      total += Number(count) * length
    }
    return new TimeDelta(total)
  }

  get days(): number {
    return Math.floor(this.milliseconds / DAY)
  }

  get seconds(): number {
    return Math.floor((this.milliseconds - this.days * DAY) / SECOND)
  }

  total_seconds(): number {
    return this.milliseconds / SECOND
  }

  toString(): string {
    const { days, seconds } = this
    const rest = this.milliseconds - days * DAY - seconds * SECOND
    const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${rest ? `.${String(rest).padStart(3, '0')}000` : ''}`
    return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? '' : 's'}, ${clock}`
  }

  [Symbol.toPrimitive](hint: string): number | string {
    return hint === 'number' ? this.milliseconds : this.toString()
  }
}
