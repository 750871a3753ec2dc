/** A cron expression read a second time, in the simplest way: a walk, minute by minute, over what the clocks show. And random ones. */

export const MINUTE = 60_000
export const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const
export const ZONES = [
  'UTC',
  'Europe/Paris',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Pacific/Apia',
]

/** Numbers from 0 to 1 that are the same on every machine (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const whole = (random: () => number, from: number, to: number) => from + Math.floor(random() * (to - from + 1))

export function randomField(random: () => number, [low, high]: readonly [number, number], stars: number): string {
  if (random() < stars) return '*'
  const one = () => {
    const from = whole(random, low, high)
    const kind = random()
    if (kind < 0.5) return String(from)
    const to = whole(random, from, high)
    if (kind < 0.75) return `${from}-${to}`
    return kind < 0.9 ? `*/${whole(random, 2, Math.max(2, Math.floor((high - low) / 2)))}` : `${from}-${to}/${whole(random, 1, 5)}`
  }
  return Array.from({ length: whole(random, 1, 3) }, one).join(',')
}

/** Dense enough in days that a walk by minutes finds the next match within some days. */
export const randomExpression = (random: () => number) =>
  RANGES.map((range, i) => randomField(random, range, [0.2, 0.4, 0.7, 1, 0.7][i] as number)).join(' ')

/** An own reading of a cron expression: whether a minute on the clocks matches. */
export function matcher(expression: string): (shown: number) => boolean {
  const fields = expression.split(' ')
  const sets = fields.map((field, i) => {
    const [low, high] = RANGES[i] as readonly [number, number]
    const set = new Set<number>()
    for (const part of field.split(',')) {
      const [range = '', step = '1'] = part.split('/')
      const [from, to] = range === '*' ? [low, high] : range.includes('-') ? range.split('-').map(Number) : [Number(range), Number(range)]
      for (let value = from as number; value <= (to as number); value += Number(step)) set.add(value)
    }
    return set
  })
  return (shown) => {
    const minutes = Math.floor(shown / MINUTE)
    if (!sets[0]?.has(minutes % 60) || !sets[1]?.has(Math.floor(minutes / 60) % 24)) return false
    const date = new Date(shown)
    const isDay = sets[2]?.has(date.getUTCDate()) ?? false
    const isWeekday = sets[4]?.has(date.getUTCDay()) ?? false
    const eitherDay = fields[2] !== '*' && fields[4] !== '*' ? isDay || isWeekday : isDay && isWeekday
    return eitherDay && (sets[3]?.has(date.getUTCMonth() + 1) ?? false)
  }
}

const formats = new Map(
  ZONES.map((timeZone) => [timeZone, new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })]),
)

/** What the clocks show, written as if it were UTC. */
export const shownAt = (at: number, zone: string) => Date.parse(`${formats.get(zone)?.format(at).replace(' ', 'T')}Z`)

/** The instants at which the clocks show a minute, from a list of all offsets that there are. */
function instantOf(shown: number, zone: string): number {
  const around = [-26, 26].map((hours) => shown + hours * 3_600_000)
  const offsets = [...new Set(around.map((at) => shownAt(at, zone) - at))]
  const found = offsets.map((offset) => shown - offset).filter((at) => shownAt(at, zone) === shown)
  // Shown twice: the second one. Left out: moved on, as if the clocks had not yet changed.
  return found.length > 0 ? Math.max(...found) : shown - (offsets[0] as number)
}

const LIMIT_MINUTES = 16 * 24 * 60

/** The tick right after or before an instant; null when the walk takes too long. */
export function walk(expression: string, zone: string, at: number, step: 1 | -1): number | null {
  const matches = matcher(expression)
  const everyHour = expression.split(' ')[1] === '*'
  const shown = shownAt(at, zone) + (at % 1000)
  let minute = step === 1 ? Math.floor(shown / MINUTE) * MINUTE + MINUTE : Math.ceil(shown / MINUTE) * MINUTE - MINUTE
  for (let i = 0; i < LIMIT_MINUTES; i++, minute += step * MINUTE) {
    if (!matches(minute)) continue
    const apart = at + minute - shown
    const found = [instantOf(minute, zone), ...(everyHour && matches(shownAt(apart, zone)) ? [apart] : [])]
    const beyond = found.filter((one) => (step === 1 ? one > at : one < at))
    if (beyond.length > 0) return step === 1 ? Math.min(...beyond) : Math.max(...beyond)
  }
  return null
}

/** Half of the times lie near a change of the clocks. */
export function randomTime(random: () => number): number {
  const changes = [
    '2024-03-10T07:00Z',
    '2024-03-31T01:00Z',
    '2024-04-06T15:00Z',
    '2024-10-05T15:30Z',
    '2024-10-27T01:00Z',
    '2024-11-03T06:00Z',
  ]
  if (random() < 0.5) return Date.parse(changes[whole(random, 0, changes.length - 1)] as string) + whole(random, -30 * 60, 30 * 60) * MINUTE
  return Date.parse('2023-01-01T00:00Z') + whole(random, 0, 3 * 365 * 24 * 60) * MINUTE + (random() < 0.2 ? whole(random, 1, 59_999) : 0)
}
