/** Airflow 3's trigger timetables: a run at each tick, whose interval ends there and has a length of its own, by default none. */
import type { DataInterval, DueRun, Restriction, Timetable, TimetableWords } from '../timetable.ts'
import { CronTicks, DeltaTicks, laterOf, type Ticks } from './ticks.ts'
import { UNRESTRICTED, walk } from './walk.ts'

interface CronTrigger {
  readonly expressions: readonly string[]
  readonly intervalSeconds: number
  readonly runImmediately: boolean | number
}

/** Of several expressions the one that ticks first makes the next run; without catchup the one that has ticked last. */
export function cronTriggerTimetable(
  { expressions, intervalSeconds, runImmediately }: CronTrigger,
  timezone: string,
  words: TimetableWords,
): Timetable {
  const sources = expressions.map((expression) => {
    const ticks = new CronTicks(expression, timezone)
    return { ticks, firstTick: (now: Date) => firstCronTick(ticks, runImmediately, now) }
  })
  return new TriggerTimetable(sources, intervalSeconds * 1000, words)
}

/** Without start date or last run the first one is at once. */
export function deltaTriggerTimetable(seconds: number, intervalSeconds: number, words: TimetableWords): Timetable {
  return new TriggerTimetable([{ ticks: new DeltaTicks(seconds), firstTick: (now: Date) => now }], intervalSeconds * 1000, words)
}

/** The least time after a tick during which a new DAG still runs for it. */
const LEAST_GRACE_MS = 300_000

/** `runImmediately` true: the last tick; seconds: the last tick if it is no longer ago; false: if it is no longer ago than a tenth of the gap. */
function firstCronTick(ticks: Ticks, runImmediately: boolean | number, now: Date): Date {
  const last = ticks.alignToPrevious(now)
  if (runImmediately === true) return last
  const next = ticks.alignToNext(now)
  const gapMs = next.getTime() - last.getTime()
  const graceMs = typeof runImmediately === 'number' ? runImmediately * 1000 : Math.max(gapMs / 10, LEAST_GRACE_MS)
  return now.getTime() - last.getTime() <= graceMs ? last : next
}

interface Source {
  readonly ticks: Ticks
  /** The first tick of a DAG without start date. */
  readonly firstTick: (now: Date) => Date
}

class TriggerTimetable implements Timetable {
  readonly isPeriodic = true
  readonly summary: string
  readonly description: string
  readonly #sources: readonly Source[]
  readonly #lengthMs: number

  constructor(sources: readonly Source[], lengthMs: number, { summary, description }: TimetableWords) {
    this.summary = summary
    this.description = description
    this.#sources = sources
    this.#lengthMs = lengthMs
  }

  next(last: DataInterval | null, restriction: Restriction, now: Date): DueRun | null {
    const ticks = this.#sources
      .map((source) => nextTick(source, last, restriction, now))
      .filter((tick) => !restriction.latest || tick <= restriction.latest)
      .sort((a, b) => a.getTime() - b.getTime())
    const chosen = (restriction.catchup ? undefined : ticks.findLast((tick) => tick <= now)) ?? ticks[0]
    return chosen ? this.#run(chosen) : null
  }

  inferManual(runAfter: Date): DataInterval {
    return this.#run(runAfter).interval
  }

  between(from: Date, to: Date, limit?: number): DueRun[] {
    const tickOf = (logicalDate: Date) => new Date(logicalDate.getTime() + this.#lengthMs)
    return walk(this, { earliest: tickOf(from), latest: tickOf(to), catchup: true }, limit)
  }

  nextOf(interval: DataInterval): DueRun | null {
    return this.next(interval, UNRESTRICTED, interval.end)
  }

  /** As in Airflow there is none: only data intervals follow each other. */
  previousOf(): null {
    return null
  }

  #run(tick: Date): DueRun {
    const start = new Date(tick.getTime() - this.#lengthMs)
    return { logicalDate: start, interval: { start, end: tick }, runAfter: tick }
  }
}

function nextTick({ ticks, firstTick }: Source, last: DataInterval | null, { earliest, catchup }: Restriction, now: Date): Date {
  if (catchup && last) return ticks.after(last.end)
  const begin = earliest && ticks.alignToNext(earliest)
  const continued = last ? ticks.after(last.end) : (begin ?? firstTick(now))
  if (catchup) return continued
  const tick = laterOf(ticks.alignToPrevious(now), continued)
  return begin ? laterOf(tick, begin) : tick
}
