/** Lengths of time as authors write them. */

/** `'90s'`, `'10m'`, `'1.5h'`, `'2d'`, or parts by name as in Python's timedelta: `{ minutes: 10 }`. */
export type Duration =
  | `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`
  | { readonly weeks?: number; readonly days?: number; readonly hours?: number; readonly minutes?: number; readonly seconds?: number }

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const

/** The seconds of `duration`; null when it is not one, or is negative. */
export function durationSeconds(duration: Duration): number | null {
  if (typeof duration === 'string') {
    const found = /^(\d+(?:\.\d+)?)(ms|[smhdw])$/.exec(duration)
    return found ? Number(found[1]) * SECONDS[found[2] as keyof typeof SECONDS] : null
  }
  if (typeof duration !== 'object' || duration === null) return null
  const { weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0 } = duration
  const total = weeks * SECONDS.w + days * SECONDS.d + hours * SECONDS.h + minutes * SECONDS.m + seconds
  return Number.isFinite(total) && total >= 0 ? total : null
}

/** The same; throws `RangeError` when it is not one. */
export function secondsOf(duration: Duration): number {
  const seconds = durationSeconds(duration)
  if (seconds === null) throw new RangeError(notADuration(duration))
  return seconds
}

/** The seconds of a length of time that may also go back, such as `-30m`; null when it is not one. */
export function signedSeconds(duration: Duration): number | null {
  if (typeof duration === 'string' && duration.startsWith('-')) {
    const found = durationSeconds(duration.slice(1) as Duration)
    return found === null ? null : -found
  }
  if (typeof duration !== 'object' || duration === null) return durationSeconds(duration)
  const parts = Object.entries(duration).map(([unit, value]) => [unit, -value])
  const found = durationSeconds(Object.fromEntries(parts)) ?? Number.NaN
  return durationSeconds(duration) ?? (Number.isNaN(found) ? null : -found)
}

/** The sentence about what is not a length of time. */
export const notADuration = (given: unknown): string =>
  `${JSON.stringify(given)} is not a length of time. Write one such as "90s", "10m" or { minutes: 10 }.`
