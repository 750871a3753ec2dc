/** Between instants and what the clocks of a time zone show. */

const WITHOUT_OFFSET = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?$/

const DAY_MS = 86_400_000

/** The instant of `value`; text without an offset is read in `timezone`. Null when it is not a date. */
export function toInstant(value: Date | string, timezone: string): Date | null {
  const local = typeof value === 'string' ? WITHOUT_OFFSET.exec(value.trim()) : null
  if (!local) return existing(new Date(value))
  const shown = existing(new Date(`${local[1]}T${local[2] ?? '00:00'}Z`))
  return shown && shown.toISOString().slice(0, 10) === local[1] ? fromWallClock(shown, timezone) : null
}

const existing = (date: Date): Date | null => (Number.isNaN(date.getTime()) ? null : date)

/** What the clocks of `timezone` show at `instant`, written as if it were UTC. */
export const toWallClock = (instant: Date, timezone: string): Date => new Date(instant.getTime() + offsetMs(instant, timezone))

/**
 * The instant at which the clocks of `timezone` show `shown` (written as if it were UTC). As in Airflow, a time that DST shows twice
 * means the second one, and a time that DST leaves out is moved on by what was left out.
 */
export function fromWallClock(shown: Date, timezone: string): Date {
  const before = shown.getTime() - offsetMs(new Date(shown.getTime() - DAY_MS), timezone)
  const after = shown.getTime() - offsetMs(new Date(shown.getTime() + DAY_MS), timezone)
  const found = [before, after].filter((time) => toWallClock(new Date(time), timezone).getTime() === shown.getTime())
  return new Date(found.length > 0 ? Math.max(...found) : before)
}

/** What the clocks of one zone are ahead of UTC, by days since 1970; null for a day on which they change. */
interface Zone {
  readonly format: Intl.DateTimeFormat
  readonly days: Map<number, number | null>
}

const zones = new Map<string, Zone>()

const MAX_DAYS_KEPT = 2000

/** How far the clocks of `timezone` are ahead of UTC at `instant`. Formatting is slow, so what holds for a whole day is kept. */
function offsetMs(instant: Date, timezone: string): number {
  if (timezone === 'UTC') return 0
  const zone = zones.get(timezone) ?? zoneOf(timezone)
  const day = Math.floor(instant.getTime() / DAY_MS)
  let offset = zone.days.get(day)
  if (offset === undefined) {
    if (zone.days.size >= MAX_DAYS_KEPT) zone.days.clear()
    const begin = formattedOffsetMs(new Date(day * DAY_MS), zone.format)
    offset = formattedOffsetMs(new Date((day + 1) * DAY_MS), zone.format) === begin ? begin : null
    zone.days.set(day, offset)
  }
  return offset ?? formattedOffsetMs(instant, zone.format)
}

function zoneOf(timezone: string): Zone {
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
  const zone = { format, days: new Map() }
  zones.set(timezone, zone)
  return zone
}

function formattedOffsetMs(instant: Date, format: Intl.DateTimeFormat): number {
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
  const shown = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second)
  return shown - Math.floor(instant.getTime() / 1000) * 1000
}
