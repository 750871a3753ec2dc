/** Instants as templates see them: printed and formatted as Python does. Always in UTC. */
import { AppError } from '../core/app-error.ts'

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

/** Python's strftime; throws `invalid` for a directive that it does not have here. */
export function formatDate(at: Date, format: string): string {
  return format.replace(/%(.?)/gs, (_, directive: string) => {
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

/** An instant in a template: `{{ data_interval_end }}`, `{{ logical_date.strftime("%H") }}`, `{{ logical_date.isoformat() }}`. */
export class TemplateDate {
  readonly #at: Date

  constructor(at: Date | string) {
    this.#at = new Date(at)
  }

  get year(): number {
    return this.#at.getUTCFullYear()
  }

  get month(): number {
    return this.#at.getUTCMonth() + 1
  }

  get day(): number {
    return this.#at.getUTCDate()
  }

  get hour(): number {
    return this.#at.getUTCHours()
  }

  get minute(): number {
    return this.#at.getUTCMinutes()
  }

  strftime(format: string): string {
    return formatDate(this.#at, format)
  }

  isoformat(): string {
    return this.#at.toISOString().replace(/\.(\d{3})Z$/, (_, ms: string) => (ms === '000' ? '+00:00' : `.${ms}000+00:00`))
  }

  timestamp(): number {
    return this.#at.getTime() / 1000
  }

  /** The instant `days` days later. */
  add(days: number): TemplateDate {
    return new TemplateDate(new Date(this.#at.getTime() + days * 86_400_000))
  }

  toString(): string {
    return this.isoformat().replace('T', ' ')
  }

  toJSON(): string {
    return this.isoformat()
  }
}
