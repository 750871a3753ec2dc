/** Numbers, times and sizes as people read them. Times are UTC, as in the data. */

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const YEAR_DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
const MOMENT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })

export const count = (value: number): string => COUNT.format(value)
export const compact = (value: number): string => (value < 10_000 ? COUNT.format(value) : COMPACT.format(value))
export const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`
export const score = (value: number): string => value.toFixed(4)
export const moment = (iso: string): string => `${MOMENT.format(new Date(iso))} UTC`

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`
  const [value, unit] = size < 1e6 ? [size / 1e3, 'kB'] : size < 1e9 ? [size / 1e6, 'MB'] : [size / 1e9, 'GB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

export function interval({ start, end }: { start: string; end: string }, withYear = false): string {
  const [from, until] = [new Date(start), new Date(end)]
  if (withYear) return YEAR_DAY.formatRange(from, until)
  // A range over New Year would tell both years, unasked.
  return from.getUTCFullYear() === until.getUTCFullYear() ? DAY.formatRange(from, until) : `${DAY.format(from)} – ${DAY.format(until)}`
}

/** `840 ms`, `4.2 s`, `2 m 05 s`, `1 h 04 m`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const two = (n: number) => String(n).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`
}

/** From its start to its end, or to `now` while it runs; null before it has begun. */
export function elapsed({ startedAt, endedAt }: { startedAt: string | null; endedAt: string | null }, now: number): number | null {
  if (startedAt === null) return null
  return (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt)
}

export const shortDigest = (digest: string): string => digest.replace(/^sha256:(.{10}).*$/, '$1…')

/** The last words of a long name, where names of one kind differ: `purchase-predict-api-staging` is `…api-staging`. */
export function tail(name: string, length = 15): string {
  if (name.length <= length) return name
  const ends = [...name.matchAll(/[-_](?=[^-_])/g)].map(({ index }) => name.slice(index + 1))
  return `…${ends.find((end) => end.length <= length) ?? ends.at(-1) ?? name.slice(-length)}`
}
