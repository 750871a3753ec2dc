/** `logical_date.format("YYYY-MM-DD")`: the patterns of Pendulum, in English. */
import { DAYS, dayOfYear, MONTHS, padded } from './strftime.ts'

/** What a clock shows, with its zone. */
export interface ShownInstant {
  /** Its UTC fields are what the clock shows. */
  readonly wall: Date
  readonly microsecond: number
  /** Milliseconds since 1970. */
  readonly milliseconds: number
  readonly zone: string
  readonly abbreviation: () => string
  /** Such as `+01:00`. */
  readonly offset: string
}

const WHOLE: Readonly<Record<string, string>> = {
  LTS: 'h:mm:ss A',
  LT: 'h:mm A',
  L: 'MM/DD/YYYY',
  LL: 'MMMM D, YYYY',
  LLL: 'MMMM D, YYYY h:mm A',
  LLLL: 'dddd, MMMM D, YYYY h:mm A',
}

const month = ({ wall }: ShownInstant): number => wall.getUTCMonth() + 1
const quarter = (at: ShownInstant): number => Math.ceil(month(at) / 3)
const dayName = ({ wall }: ShownInstant): string => DAYS[wall.getUTCDay()] ?? ''
const monthName = (at: ShownInstant): string => MONTHS[month(at) - 1] ?? ''
const halfDay = ({ wall }: ShownInstant): number => wall.getUTCHours() % 12 || 12
const fraction = (digits: number) => (at: ShownInstant) => padded(at.microsecond, 6).slice(0, digits)

const TOKENS: Readonly<Record<string, (at: ShownInstant) => string | number>> = {
  YYYY: ({ wall }) => wall.getUTCFullYear(),
  YY: ({ wall }) => String(wall.getUTCFullYear()).slice(2),
  Y: ({ wall }) => wall.getUTCFullYear(),
  Q: quarter,
  Qo: (at) => ordinal(quarter(at)),
  MMMM: monthName,
  MMM: (at) => monthName(at).slice(0, 3),
  MM: (at) => padded(month(at)),
  M: month,
  Mo: (at) => ordinal(month(at)),
  DDDD: ({ wall }) => padded(dayOfYear(wall), 3),
  DDD: ({ wall }) => dayOfYear(wall),
  DDDo: ({ wall }) => ordinal(dayOfYear(wall)),
  DD: ({ wall }) => padded(wall.getUTCDate()),
  D: ({ wall }) => wall.getUTCDate(),
  Do: ({ wall }) => ordinal(wall.getUTCDate()),
  dddd: dayName,
  ddd: (at) => dayName(at).slice(0, 3),
  dd: (at) => dayName(at).slice(0, 2),
  d: ({ wall }) => wall.getUTCDay(),
  E: ({ wall }) => wall.getUTCDay() || 7,
  HH: ({ wall }) => padded(wall.getUTCHours()),
  H: ({ wall }) => wall.getUTCHours(),
  hh: (at) => padded(halfDay(at)),
  h: halfDay,
  mm: ({ wall }) => padded(wall.getUTCMinutes()),
  m: ({ wall }) => wall.getUTCMinutes(),
  ss: ({ wall }) => padded(wall.getUTCSeconds()),
  s: ({ wall }) => wall.getUTCSeconds(),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((digits) => ['S'.repeat(digits), fraction(digits)])),
  A: ({ wall }) => (wall.getUTCHours() < 12 ? 'AM' : 'PM'),
  x: ({ milliseconds }) => milliseconds,
  X: ({ milliseconds }) => Math.floor(milliseconds / 1000),
  Z: ({ offset }) => offset,
  ZZ: ({ offset }) => offset.replace(':', ''),
  z: ({ zone }) => zone,
  zz: ({ abbreviation }) => abbreviation(),
}

/** The longest first, so that `MMMM` is not two times `MM`. */
const PATTERN = new RegExp(
  `\\[([^\\[\\]]*)\\]|\\\\(.)|(${[...Object.keys(TOKENS), ...Object.keys(WHOLE)].sort((a, b) => b.length - a.length).join('|')})`,
  'g',
)

/** What is in `[…]` is text; so is what is no token. */
export function formatPattern(at: ShownInstant, pattern: string): string {
  return pattern.replace(PATTERN, (_, text: string | undefined, escaped: string | undefined, token: string | undefined) => {
    if (token === undefined) return text ?? escaped ?? ''
    const whole = WHOLE[token]
    return whole === undefined ? String(TOKENS[token]?.(at) ?? token) : formatPattern(at, whole)
  })
}

function ordinal(n: number): string {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10
  return `${n}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`
}
