/** Turns transform rows back into raw events from which the transform makes exactly those rows again. */
import { EventsFile } from './events-file.ts'
import { type PurchaseRow, readPurchaseRows } from './purchase-row.ts'
import { Schedule } from './schedule.ts'

export interface ReplayOptions {
  /** The file of rows, plain or gzip. They know their weekday, hour and minute, but no date. */
  readonly rows: string
  /** The Monday, 00:00 UTC, of the week in which the events shall lie. */
  readonly week: Date
  /** Where to write the events. */
  readonly file: string
  readonly signal?: AbortSignal
}

export interface Replayed {
  readonly events: number
  readonly rows: number
  readonly sessions: number
}

const DAY = 86_400
const WEEK = 7 * DAY

interface Visit {
  readonly rows: readonly PurchaseRow[]
  /** Numbers of the points in the schedule: the session's first event, and the first cart or purchase of each row. */
  start: number
  firsts: number[]
}

/**
 * Throws `RangeError` when the week does not begin on a Monday, and when no events can give those rows: a session's duration too short for its minutes, or
 * counts of earlier sessions that contradict the times.
 */
export async function replayRows({ rows: source, week, file, signal }: ReplayOptions): Promise<Replayed> {
  if (week.getTime() % (DAY * 1000) !== 0 || week.getUTCDay() !== 1)
    throw new RangeError(`Cannot replay into the week of ${String(week)}: give a Monday at 00:00 UTC.`)
  const rows = await readPurchaseRows(source)
  const begin = week.getTime() / 1000
  const replay = new Replay(rows, begin)
  for (const own of groupBy(rows, (row) => row.user_id).values()) {
    signal?.throwIfAborted()
    replay.user(own)
  }
  const output = await EventsFile.create(file)
  try {
    await output.writeSorted(replay.times, replay.lines)
  } finally {
    await output.close()
  }
  return { events: replay.times.length, rows: rows.length, sessions: replay.sessions }
}

class Replay {
  readonly times: number[] = []
  readonly lines: string[] = []
  sessions = 0
  #rows: readonly PurchaseRow[]
  #begin: number
  #filler = 0

  constructor(rows: readonly PurchaseRow[], begin: number) {
    this.#rows = rows
    this.#begin = begin
  }

  /** All sessions of one user at once, because their order is part of the rows. */
  user(rows: readonly PurchaseRow[]): void {
    const schedule = new Schedule()
    const visits = [...groupBy(rows, (row) => row.user_session).values()].map((own) => this.#plan(own, schedule))
    orderSessions(visits, schedule)
    orderProducts(visits, schedule)
    const times = schedule.solve()
    if (!times)
      throw new RangeError(
        `The rows of user ${rows[0]?.user_id} cannot come from events: their minutes contradict their duration or their counts of earlier sessions. Check these rows.`,
      )
    for (const visit of visits) this.#play(visit, times)
  }

  /** The rules inside of one session: every first lies in its minute, and all of it between the start and `duration` later. */
  #plan(unordered: readonly PurchaseRow[], schedule: Schedule): Visit {
    const rows = [...unordered].sort((a, b) => minuteOf(a) - minuteOf(b))
    const [first] = rows as [PurchaseRow]
    const duration = Number(first.duration)
    const day = this.#begin + Number(first.weekday) * DAY
    const start = schedule.point(day, this.#begin + WEEK - 1 - duration)
    const firsts = rows.map((row) => {
      const minute = this.#begin + minuteOf(row)
      const point = schedule.point(minute, minute + 59)
      schedule.after(start, point, 0)
      schedule.after(point, start, -duration)
      return point
    })
    // Without views nothing can come before the first cart.
    if (Number(first.num_views_session) === 0) schedule.after(firsts[0] as number, start, 0)
    return { rows, start, firsts }
  }

  #play({ rows, start: startPoint, firsts }: Visit, times: readonly number[]): void {
    this.sessions++
    const start = times[startPoint] as number
    const end = start + Number(rows[0]?.duration)
    const views = this.#views(rows)
    for (const [i, viewed] of views.entries())
      this.#emit(
        views.length === 1 ? start : start + Math.round(((end - start) * i) / (views.length - 1)),
        'view',
        viewed,
        rows[0] as PurchaseRow,
      )
    let last = views.length > 1 ? end : start
    for (const [i, row] of rows.entries()) {
      const time = times[firsts[i] as number] as number
      const bought = row.purchased === '1'
      const finish = bought ? Math.min(end, time + 20) : time
      this.#emit(time, 'cart', row, row)
      if (bought) this.#emit(finish, 'purchase', row, row)
      last = Math.max(last, finish)
    }
    // The first of equal events counts, so a repetition only makes the session longer.
    const repeated = rows.at(-1) as PurchaseRow
    if (last < end) this.#emit(end, repeated.purchased === '1' ? 'purchase' : 'cart', repeated, repeated)
  }

  /** Each row's product as often as it was viewed, then products that never reached this session's cart. */
  #views(rows: readonly PurchaseRow[]): PurchaseRow[] {
    const views = rows.flatMap((row) => Array.from({ length: Number(row.num_views_product) }, () => row))
    const total = Number(rows[0]?.num_views_session)
    if (views.length > total)
      throw new RangeError(
        `Session ${rows[0]?.user_session} has ${total} views, but its products have ${views.length} together. Check these rows.`,
      )
    const own = new Set(rows.map((row) => row.product_id))
    if (views.length < total && this.#rows.every((row) => own.has(row.product_id)))
      throw new RangeError(`Session ${rows[0]?.user_session} viewed products of which no row tells. Give the rows of more sessions.`)
    while (views.length < total) {
      const other = this.#rows[this.#filler++ % this.#rows.length] as PurchaseRow
      if (!own.has(other.product_id)) views.push(other)
    }
    return views
  }

  #emit(time: number, type: string, product: PurchaseRow, { user_id, user_session }: PurchaseRow): void {
    const code = product.sub_category ? `${product.category}.${product.sub_category}` : product.category
    this.times.push(time)
    this.lines.push(
      `${type},${product.product_id},${categoryId(code)},${code},${product.brand},${product.price},${user_id},${user_session}`,
    )
  }
}

/** The session with one more earlier session begins its cart later. */
function orderSessions(visits: readonly Visit[], schedule: Schedule): void {
  const ordered = [...visits].sort((a, b) => Number(a.rows[0]?.num_prev_sessions) - Number(b.rows[0]?.num_prev_sessions))
  for (const [i, later] of ordered.entries())
    if (i > 0) for (const first of later.firsts) schedule.after(ordered[i - 1]?.firsts[0] as number, first, 1)
}

function orderProducts(visits: readonly Visit[], schedule: Schedule): void {
  const points = visits.flatMap(({ rows, firsts }) => rows.map((row, i) => ({ row, point: firsts[i] as number })))
  for (const own of groupBy(points, ({ row }) => row.product_id).values()) {
    const ordered = own.sort((a, b) => Number(a.row.num_prev_product_views) - Number(b.row.num_prev_product_views))
    for (const [i, later] of ordered.entries()) if (i > 0) schedule.after(ordered[i - 1]?.point as number, later.point, 1)
  }
}

/** Seconds since the beginning of the week. */
const minuteOf = (row: PurchaseRow): number => Number(row.weekday) * DAY + Number(row.hour) * 3600 + Number(row.minute) * 60

/** Rows do not tell it, and the transform does not read it: 19 digits, the same for the same code. */
function categoryId(code: string): string {
  let hash = 17
  for (const letter of code) hash = (hash * 31 + letter.charCodeAt(0)) % 999_999_937
  return `2053013555${String(hash).padStart(9, '0')}`
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}
