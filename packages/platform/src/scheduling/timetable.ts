/** When runs are due, and for which interval of data: Airflow's timetables, worked out from a schedule. Pure. */
import type { ScheduleDocument } from '@daggerboard/dag'
import { continuousTimetable, EventsTimetable, nullTimetable, onceTimetable } from './timetables/instants.ts'
import { cronIntervalTimetable, deltaIntervalTimetable } from './timetables/interval.ts'
import { cronTriggerTimetable, deltaTriggerTimetable } from './timetables/trigger.ts'

/** `[start, end)`. */
export interface DataInterval {
  readonly start: Date
  readonly end: Date
}

/** The next run of a timetable: it may start at `runAfter`. */
export interface DueRun {
  readonly logicalDate: Date
  readonly interval: DataInterval
  readonly runAfter: Date
}

/** What a DAG says about when it may run. */
export interface Restriction {
  readonly earliest: Date | null
  readonly latest: Date | null
  /** Whether intervals that were missed get their run. */
  readonly catchup: boolean
}

/** What people read of it: as the author wrote it, and in a sentence. */
export interface TimetableWords {
  readonly summary: string
  readonly description: string
}

export interface Timetable extends TimetableWords {
  /** It has dates of its own that go on: only then is there something to backfill. */
  readonly isPeriodic: boolean
  /** The run after the one that covered `last` (null: there was none); null when there is no further run. */
  next(last: DataInterval | null, restriction: Restriction, now: Date): DueRun | null
  /** The interval of a run that somebody triggers at `runAfter`. */
  inferManual(runAfter: Date): DataInterval
  /** The runs whose logical dates lie between two instants, both included, ascending, at most `limit`. */
  between(from: Date, to: Date, limit?: number): DueRun[]
  /** The run after that of `interval`, whatever the DAG's dates and catchup; null when there is none. For `next_ds`. */
  nextOf(interval: DataInterval): DueRun | null
  /** The run before that of `interval`; null where intervals do not follow each other. For `prev_ds`. */
  previousOf(interval: DataInterval): DueRun | null
}

/** Throws `invalid` when the schedule's fields make no sense. */
export function timetable(schedule: ScheduleDocument, timezone: string): Timetable {
  switch (schedule.kind) {
    case 'none':
      return nullTimetable({ summary: 'None', description: 'Never, only when somebody triggers it' })
    case 'assets':
      return nullTimetable({ summary: schedule.text, description: 'When assets are updated' })
    case 'assetsOrTime': {
      const time = timetable(schedule.time, timezone)
      return withWords(time, { summary: schedule.text, description: `When assets are updated, or: ${time.description}` })
    }
    case 'once':
      return onceTimetable({ summary: schedule.text, description: 'Once, as soon as possible' })
    case 'continuous':
      return continuousTimetable({ summary: schedule.text, description: 'As often as possible, one run after another' })
  }
  const { text } = schedule
  switch (schedule.kind) {
    case 'cron':
      return cronIntervalTimetable(schedule.expression, timezone, { summary: text, description: inZone(text, timezone) })
    case 'cronTrigger':
      return cronTriggerTimetable(schedule, timezone, { summary: text, description: inZone(text, timezone) })
    case 'delta':
      return deltaIntervalTimetable(schedule.seconds, { summary: text, description: text })
    case 'deltaTrigger':
      return deltaTriggerTimetable(schedule.seconds, schedule.intervalSeconds, { summary: text, description: text })
    case 'events':
      return new EventsTimetable(schedule.dates, schedule.restricts, { summary: text, description: text })
  }
}

/** Whether the run of `interval` is the latest one there can be: the run after it is not yet due. Decides for `latestOnly`. */
export function isLatest(timetable: Timetable, interval: DataInterval, now: Date): boolean {
  const next = timetable.isPeriodic ? timetable.nextOf(interval) : null
  return !next || (interval.end <= now && now <= next.runAfter)
}

const withWords = (time: Timetable, words: TimetableWords): Timetable => ({
  ...words,
  isPeriodic: time.isPeriodic,
  next: (last, restriction, now) => time.next(last, restriction, now),
  inferManual: (runAfter) => time.inferManual(runAfter),
  between: (from, to, limit) => time.between(from, to, limit),
  nextOf: (interval) => time.nextOf(interval),
  previousOf: (interval) => time.previousOf(interval),
})

const inZone = (text: string, timezone: string): string => `${text} (${timezone})`
