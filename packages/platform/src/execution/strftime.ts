/** Python's `strftime` and `strptime`, over what a clock shows (a Date whose UTC fields are what it shows). */
import { AppError } from '../core/app-error.ts'

/** What `%z` and `%Z` write. */
export interface ShownZone {
  /** Such as `+0100`. */
  readonly offset: string
  /** Such as `CET`. */
  readonly abbreviation: () => string
}

const UTC: ShownZone = { offset: '+0000', abbreviation: () => 'UTC' }
const DAY_MS = 86_400_000
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
export const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
]

export const padded = (n: number, length = 2): string => String(n).padStart(length, '0')

/** 1 for the first of January. */
export const dayOfYear = (at: Date): number => Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0, 1)) / DAY_MS) + 1

/** Of ISO 8601: weeks begin on Monday, and belong to the year in which their Thursday lies. */
export function isoWeek(at: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(at.getTime() + (3 - ((at.getUTCDay() + 6) % 7)) * DAY_MS)
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) }
}

/** Days before the year's first one that begins a week belong to week 0. */
const weekSince = (at: Date, daysIntoWeek: number): number => Math.floor((dayOfYear(at) + 6 - daysIntoWeek) / 7)

const SHORT: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
}

const DIRECTIVES: Readonly<Record<string, (at: Date, zone: ShownZone, microseconds: number) => string>> = {
  Y: (at) => padded(at.getUTCFullYear(), 4),
  y: (at) => padded(at.getUTCFullYear() % 100),
  C: (at) => padded(Math.floor(at.getUTCFullYear() / 100)),
  G: (at) => padded(isoWeek(at).year, 4),
  g: (at) => padded(isoWeek(at).year % 100),
  V: (at) => padded(isoWeek(at).week),
  U: (at) => padded(weekSince(at, at.getUTCDay())),
  W: (at) => padded(weekSince(at, (at.getUTCDay() + 6) % 7)),
  m: (at) => padded(at.getUTCMonth() + 1),
  d: (at) => padded(at.getUTCDate()),
  e: (at) => String(at.getUTCDate()).padStart(2),
  H: (at) => padded(at.getUTCHours()),
  I: (at) => padded(at.getUTCHours() % 12 || 12),
  M: (at) => padded(at.getUTCMinutes()),
  S: (at) => padded(at.getUTCSeconds()),
  f: (at, _, microseconds) => padded(at.getUTCMilliseconds() * 1000 + microseconds, 6),
  p: (at) => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
  j: (at) => padded(dayOfYear(at), 3),
  A: (at) => DAYS[at.getUTCDay()] ?? '',
  a: (at) => (DAYS[at.getUTCDay()] ?? '').slice(0, 3),
  B: (at) => MONTHS[at.getUTCMonth()] ?? '',
  b: (at) => (MONTHS[at.getUTCMonth()] ?? '').slice(0, 3),
  h: (at) => (MONTHS[at.getUTCMonth()] ?? '').slice(0, 3),
  w: (at) => String(at.getUTCDay()),
  u: (at) => String(at.getUTCDay() || 7),
  z: (_, { offset }) => offset,
  Z: (_, { abbreviation }) => abbreviation(),
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
}

/** `%-d` is without zeros. `microseconds` are those that a Date has no room for. Throws `invalid` for a directive that it does not know. */
export function formatDate(at: Date, format: string, zone: ShownZone = UTC, microseconds = 0): string {
  return format.replace(/%([-]?)(.?)/gs, (_, flag: string, directive: string) => {
    const whole = SHORT[directive]
    if (whole !== undefined) return formatDate(at, whole, zone)
    const write = Object.hasOwn(DIRECTIVES, directive) ? DIRECTIVES[directive] : undefined
    if (!write) {
      const known = [...Object.keys(DIRECTIVES), ...Object.keys(SHORT)].map((one) => `%${one}`).join(' ')
      throw new AppError('invalid', `"%${flag}${directive}" in the format "${format}" is unknown. Known: ${known}.`)
    }
    const text = write(at, zone, microseconds)
    return flag === '' ? text : text.replace(/^[0 ]+(?=.)/, '')
  })
}

const oneOf = (names: readonly string[]): string => `(${names.join('|')})`
const PARTS: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  y: '(\\d{2})',
  m: '(1[0-2]|0?[1-9])',
  d: '(3[01]|[12]\\d|0?[1-9]|[ ][1-9])',
  j: '(36[0-6]|3[0-5]\\d|[12]\\d\\d|0?[1-9]\\d|0{0,2}[1-9])',
  H: '(2[0-3]|[01]\\d|\\d)',
  I: '(1[0-2]|0?[1-9])',
  M: '([0-5]\\d|\\d)',
  S: '([0-5]\\d|\\d)',
  f: '(\\d{1,6})',
  p: '(AM|PM)',
  B: oneOf(MONTHS),
  b: oneOf(MONTHS.map((name) => name.slice(0, 3))),
  A: oneOf(DAYS),
  a: oneOf(DAYS.map((name) => name.slice(0, 3))),
  w: '([0-6])',
  z: '(Z|[+-]\\d\\d:?[0-5]\\d)',
  Z: '(UTC|GMT)',
}

/** What a text shows; `offset` such as `+01:00` where it says one. */
export interface ReadDate {
  readonly wall: Date
  readonly offset: string | null
  /** What a Date has no room for. */
  readonly microseconds: number
}

/** Throws `invalid` when `text` does not have the form, or the day does not exist. */
export function parseDate(text: string, format: string): ReadDate {
  const order: string[] = []
  const part = (directive: string): string => {
    if (directive === '%') return '%'
    const whole = SHORT[directive]
    if (whole !== undefined) return patternOf(whole)
    const found = Object.hasOwn(PARTS, directive) ? PARTS[directive] : undefined
    if (!found) {
      const known = Object.keys(PARTS).map((one) => `%${one}`)
      throw new AppError('invalid', `"%${directive}" in the format "${format}" cannot be read. Known: ${known.join(' ')}.`)
    }
    order.push(directive)
    return found
  }
  const patternOf = (form: string): string =>
    form
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\s+/g, '\\s+')
      .replace(/%(.?)/g, (_, directive: string) => part(directive))
  const found = new RegExp(`^${patternOf(format)}$`, 'i').exec(text)
  if (!found) throw new AppError('invalid', `"${text}" is not a date of the form "${format}".`)
  const written = (directive: string): string | undefined => found[order.indexOf(directive) + 1]
  const has = (directive: string): boolean => order.includes(directive)
  const number = (directive: string, otherwise: number): number => (has(directive) ? Number(written(directive)) : otherwise)
  const month = has('B') || has('b') ? monthOf(written(has('B') ? 'B' : 'b') ?? '') : number('m', 1)
  const ofCentury = number('y', 0)
  const year = has('y') ? ofCentury + (ofCentury < 69 ? 2000 : 1900) : number('Y', 1900)
  const half = has('p') && /pm/i.test(written('p') ?? '') ? 12 : 0
  const hour = has('I') ? (number('I', 0) % 12) + half : number('H', 0)
  const fraction = has('f') ? Number((written('f') ?? '').padEnd(6, '0')) : 0
  const day = has('j') && !has('d') ? number('j', 1) : number('d', 1)
  const wall = new Date(0)
  wall.setUTCFullYear(year, (has('j') && !has('d') ? 1 : month) - 1, day)
  if (!has('j') && wall.getUTCDate() !== day) throw new AppError('invalid', `"${text}" is not a date of the form "${format}".`)
  wall.setUTCHours(hour, number('M', 0), number('S', 0), Math.floor(fraction / 1000))
  const zone = written('z')
  const offset = !has('z') || zone === undefined ? null : /z/i.test(zone) ? '+00:00' : zone.replace(/^(...)(\d\d)$/, '$1:$2')
  return { wall, offset, microseconds: fraction % 1000 }
}

const monthOf = (name: string): number =>
  MONTHS.findIndex((month) => month.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase()) + 1
