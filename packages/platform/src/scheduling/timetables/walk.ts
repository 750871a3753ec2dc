/** The runs of a timetable one after another. */
import type { DataInterval, DueRun, Restriction, Timetable } from '../timetable.ts'

export const UNRESTRICTED: Restriction = { earliest: null, latest: null, catchup: true }

/** All runs within `restriction`, which has to have a beginning and an end; at most `limit`. */
export function walk(timetable: Pick<Timetable, 'next'>, restriction: Restriction, limit = Number.POSITIVE_INFINITY): DueRun[] {
  const found: DueRun[] = []
  let last: DataInterval | null = null
  while (found.length < limit) {
    const due = timetable.next(last, restriction, restriction.latest as Date)
    if (!due) break
    found.push(due)
    last = due.interval
  }
  return found
}
