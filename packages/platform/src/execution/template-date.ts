/** Instants and lengths of time as templates see them: printed, formatted and counted with as Python does. In UTC unless a template asks for a zone. */
import { toWallClock } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { isNamed, type Named, SECOND, TimeDelta } from './time-delta.ts'

const two = (n: number): string => String(n).padStart(2, '0')
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

const dayOfYear = (at: Date): number => Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0, 1)) / 86_400_000) + 1

const DIRECTIVES: Readonly<Record<string, (at: Date) => string>> = {
  Y: (at) => String(at.getUTCFullYear()).padStart(4, '0'),
  y: (at) => two(at.getUTCFullYear() % 100),
  m: (at) => two(at.getUTCMonth() + 1),
  d: (at) => two(at.getUTCDate()),
  H: (at) => two(at.getUTCHours()),
  I: (at) => two(at.getUTCHours() % 12 || 12),
  M: (at) => two(at.getUTCMinutes()),
  S: (at) => two(at.getUTCSeconds()),
  f: (at) => `${String(at.getUTCMilliseconds()).padStart(3, '0')}000`,
  p: (at) => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
  j: (at) => String(dayOfYear(at)).padStart(3, '0'),
  A: (at) => DAYS[at.getUTCDay()] ?? '',
  a: (at) => (DAYS[at.getUTCDay()] ?? '').slice(0, 3),
  B: (at) => MONTHS[at.getUTCMonth()] ?? '',
  b: (at) => (MONTHS[at.getUTCMonth()] ?? '').slice(0, 3),
  w: (at) => String(at.getUTCDay()),
  u: (at) => String(at.getUTCDay() || 7),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
}

/** Python's strftime of the instant's UTC fields; throws `invalid` for a directive that it does not have here. `zone` overrides `%z` and `%Z`. */
export function formatDate(at: Date, format: string, zone: { readonly offset: string; readonly name: string } | null = null): string {
  return format.replace(/%(.?)/gs, (_, directive: string) => {
    if (zone && directive === 'z') return zone.offset
    if (zone && directive === 'Z') return zone.name
    const write = DIRECTIVES[directive]
    if (!write)
      throw new AppError('invalid', `"%${directive}" in the format "${format}" is unknown. Known: %${Object.keys(DIRECTIVES).join(' %')}.`)
    return write(at)
  })
}

const PARTS: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  m: '(\\d{1,2})',
  d: '(\\d{1,2})',
  H: '(\\d{1,2})',
  M: '(\\d{1,2})',
  S: '(\\d{1,2})',
}

/** Python's strptime for %Y %m %d %H %M %S; throws `invalid` when `text` does not have the form. */
export function parseDate(text: string, format: string): Date {
  const order: string[] = []
  const pattern = format.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%(.)/g, (_, directive: string) => {
    const part = PARTS[directive]
    if (!part)
      throw new AppError('invalid', `"%${directive}" in the format "${format}" cannot be read. Known: %${Object.keys(PARTS).join(' %')}.`)
    order.push(directive)
    return part
  })
  const found = new RegExp(`^${pattern}$`).exec(text)
  const value = (directive: string, otherwise: number) =>
    order.includes(directive) ? Number(found?.[order.indexOf(directive) + 1]) : otherwise
  const at = new Date(Date.UTC(value('Y', 1900), value('m', 1) - 1, value('d', 1), value('H', 0), value('M', 0), value('S', 0)))
  if (!found || at.getUTCDate() !== value('d', 1)) throw new AppError('invalid', `"${text}" is not a date of the form "${format}".`)
  return at
}

/** An instant in a template: `{{ data_interval_end }}`, `{{ logical_date.strftime("%H") }}`, `{{ (logical_date + macros.timedelta(days=1)) | ds }}`. */
export class TemplateDate {
  readonly #at: Date
  readonly #zone: string
  /** Its UTC fields are what a clock in the zone shows. */
  readonly #wall: Date

  constructor(at: Date | string, zone = 'UTC') {
    this.#at = new Date(at)
    this.#zone = zone
    this.#wall = zone === 'UTC' ? this.#at : new Date(toWallClock(this.#at, zone))
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
    return this.#wall.getUTCMilliseconds() * 1000
  }

  /** Of the instant, whatever the zone. */
  get milliseconds(): number {
    return this.#at.getTime()
  }

  get int_timestamp(): number {
    return Math.floor(this.#at.getTime() / SECOND)
  }

  get timezone_name(): string {
    return this.#zone
  }

  strftime(format: string): string {
    return formatDate(this.#wall, format, { offset: this.#offset(''), name: this.#zone })
  }

  isoformat(): string {
    return this.#wall
      .toISOString()
      .replace(/\.(\d{3})Z$/, (_, ms: string) => (ms === '000' ? this.#offset(':') : `.${ms}000${this.#offset(':')}`))
  }

  to_date_string(): string {
    return this.strftime('%Y-%m-%d')
  }

  to_iso8601_string(): string {
    return this.isoformat().replace('+00:00', 'Z')
  }

  to_datetime_string(): string {
    return this.strftime('%Y-%m-%d %H:%M:%S')
  }

  date(): TemplateDay {
    return new TemplateDay(this)
  }

  timestamp(): number {
    return this.#at.getTime() / SECOND
  }

  /** Monday is 0. */
  weekday(): number {
    return (this.#wall.getUTCDay() + 6) % 7
  }

  isoweekday(): number {
    return this.weekday() + 1
  }

  in_timezone(zone: string): TemplateDate {
    return new TemplateDate(this.#at, zone)
  }

  in_tz(zone: string): TemplateDate {
    return this.in_timezone(zone)
  }

  astimezone(zone: string): TemplateDate {
    return this.in_timezone(zone)
  }

  /** `add(days=1, months=-1)`; a bare number is days. Months and years keep the day, or take the last one of the month. */
  add(...args: readonly unknown[]): TemplateDate {
    const { years = 0, months = 0, ...rest } = args.find(isNamed) ?? ({} as Named)
    const moved = new Date(this.#at)
    const span = Number(years) * 12 + Number(months)
    if (span !== 0) {
      moved.setUTCDate(1)
      moved.setUTCMonth(moved.getUTCMonth() + span)
      const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
      moved.setUTCDate(Math.min(this.#at.getUTCDate(), last))
    }
    const length = TimeDelta.of(typeof args[0] === 'number' ? args[0] : 0, { ...rest, __keywords: true })
    return new TemplateDate(new Date(moved.getTime() + length.milliseconds), this.#zone)
  }

  subtract(...args: readonly unknown[]): TemplateDate {
    const named = args.find(isNamed) ?? {}
    const negative = Object.fromEntries(
      Object.entries(named).map(([name, value]) => [name, name === '__keywords' ? value : -Number(value)]),
    )
    return this.add(typeof args[0] === 'number' ? -args[0] : 0, { ...negative, __keywords: true })
  }

  /** `replace(day=1, hour=0)`, in UTC. */
  replace(...args: readonly unknown[]): TemplateDate {
    const { year, month, day, hour, minute, second, microsecond } = (args.find(isNamed) ?? {}) as Record<string, number | undefined>
    const at = new Date(this.#at)
    at.setUTCFullYear(year ?? at.getUTCFullYear(), (month ?? at.getUTCMonth() + 1) - 1, day ?? at.getUTCDate())
    at.setUTCHours(hour ?? at.getUTCHours(), minute ?? at.getUTCMinutes(), second ?? at.getUTCSeconds())
    if (microsecond !== undefined) at.setUTCMilliseconds(Math.floor(microsecond / 1000))
    return new TemplateDate(at, this.#zone)
  }

  /** `start_of("month")`, in UTC. */
  start_of(unit: string): TemplateDate {
    const at = new Date(this.#at)
    if (unit === 'hour') at.setUTCMinutes(0, 0, 0)
    else at.setUTCHours(0, 0, 0, 0)
    if (unit === 'week') at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7))
    else if (unit === 'month') at.setUTCDate(1)
    else if (unit === 'year') at.setUTCMonth(0, 1)
    else if (unit !== 'day' && unit !== 'hour')
      throw new AppError('invalid', `start_of has no "${unit}". It has hour, day, week, month, year.`)
    return new TemplateDate(at, this.#zone)
  }

  toString(): string {
    return this.isoformat().replace('T', ' ')
  }

  toJSON(): string {
    return this.isoformat()
  }

  [Symbol.toPrimitive](hint: string): number | string {
    return hint === 'number' ? this.#at.getTime() : this.toString()
  }

  #offset(separator: string): string {
    const minutes = Math.round((this.#wall.getTime() - this.#at.getTime()) / 60_000)
    const size = Math.abs(minutes)
    return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${separator}${two(size % 60)}`
  }
}

/** The day of an instant: prints without its time. */
export class TemplateDay {
  readonly #of: TemplateDate

  constructor(of: TemplateDate) {
    this.#of = of
  }

  strftime(format: string): string {
    return this.#of.strftime(format)
  }

  isoformat(): string {
    return this.#of.to_date_string()
  }

  toString(): string {
    return this.isoformat()
  }

  toJSON(): string {
    return this.isoformat()
  }
}

/** `a + b` and `a - b` as Python has them for instants and lengths of time; for everything else as JavaScript has them. */
export function plus(a: unknown, b: unknown): unknown {
  if (a instanceof TemplateDate && b instanceof TimeDelta)
    return new TemplateDate(new Date(a.milliseconds + b.milliseconds), a.timezone_name)
  if (a instanceof TimeDelta && b instanceof TemplateDate) return plus(b, a)
  if (a instanceof TimeDelta && b instanceof TimeDelta) return new TimeDelta(a.milliseconds + b.milliseconds)
  return (a as number) + (b as number)
}

export function minus(a: unknown, b: unknown): unknown {
  if (a instanceof TemplateDate && b instanceof TemplateDate) return new TimeDelta(a.milliseconds - b.milliseconds)
  if (b instanceof TimeDelta && (a instanceof TemplateDate || a instanceof TimeDelta)) return plus(a, new TimeDelta(-b.milliseconds))
  return (a as number) - (b as number)
}
