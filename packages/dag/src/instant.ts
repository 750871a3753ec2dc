/** Dates as authors write them, made into instants. */

const WITHOUT_OFFSET = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?$/

/** The instant of `value`; text without an offset is read in `timezone`. Null when it is not a date. A time that DST leaves out counts as one hour later. */
export function toInstant(value: Date | string, timezone: string): Date | null {
  const local = typeof value === 'string' ? WITHOUT_OFFSET.exec(value.trim()) : null
  if (!local) return existing(new Date(value))
  const asUtc = existing(new Date(`${local[1]}T${local[2] ?? '00:00'}Z`))
  if (!asUtc || asUtc.toISOString().slice(0, 10) !== local[1]) return null
  // Two guesses are enough: the first offset may be of the other side of a change of the clocks.
  const first = asUtc.getTime() - offsetMs(asUtc, timezone)
  const second = asUtc.getTime() - offsetMs(new Date(first), timezone)
  return new Date(first === second || asUtc.getTime() - offsetMs(new Date(second), timezone) === second ? second : Math.max(first, second))
}

const existing = (date: Date): Date | null => (Number.isNaN(date.getTime()) ? null : date)

/** How far the clocks of `timezone` are ahead of UTC at `instant`. */
function offsetMs(instant: Date, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
  const shown = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second)
  return shown - Math.floor(instant.getTime() / 1000) * 1000
}
