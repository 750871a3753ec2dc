/** When a DAG runs, as authors say it. What it means in time is worked out by the scheduler's timetables. */
import { didYouMean } from './definition-error.ts'
import type { AssetCondition } from './document.ts'

/**
 * A cron expression of five fields, a preset, or null for a DAG that only runs when somebody triggers it.
 * A cron schedule gives data intervals `[start, end)`: the run of an interval fires at its end, `ds` is its start and `next_ds` its end.
 */
export type Schedule = string | null

/** What the scheduler reads. `interval` says that a run covers the time between two ticks, as in Airflow 2. */
export type ScheduleDocument =
  | TimeDocument
  /** Runs when the assets say so. */
  | { readonly kind: 'assets'; readonly condition: AssetCondition; readonly text: string }
  /** Both. */
  | { readonly kind: 'assetsOrTime'; readonly condition: AssetCondition; readonly time: TimeDocument; readonly text: string }
  | { readonly kind: 'none' }

/** Schedules of time. `interval` says that a run covers the time between two ticks, as in Airflow 2, and fires at its end. */
export type TimeDocument =
  | { readonly kind: 'cron'; readonly expression: string; readonly interval: true; readonly text: string }
  /** Fires at each tick of any of the expressions; the interval ends there and is `intervalSeconds` long. */
  | {
      readonly kind: 'cronTrigger'
      readonly expressions: readonly string[]
      readonly intervalSeconds: number
      /** Without a start date: whether the tick that has just gone by counts, or only if it is at most so many seconds ago. */
      readonly runImmediately: boolean | number
      readonly text: string
    }
  /** Every `seconds`, from the start date on. */
  | { readonly kind: 'delta'; readonly seconds: number; readonly interval: true; readonly text: string }
  | { readonly kind: 'deltaTrigger'; readonly seconds: number; readonly intervalSeconds: number; readonly text: string }
  /** At these instants (ISO, UTC, ascending). `restricts`: a run by hand stands for the last of them, too. */
  | { readonly kind: 'events'; readonly dates: readonly string[]; readonly restricts: boolean; readonly text: string }
  | { readonly kind: 'once'; readonly text: string }
  /** The next run as soon as the last one has ended. */
  | { readonly kind: 'continuous'; readonly text: string }

const PRESETS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@quarterly': '0 0 1 */3 *',
  '@yearly': '0 0 1 1 *',
}

/** The document of `schedule`, or the sentence that says what is wrong with it. Whether the fields are in range is the timetable's to say. */
export function scheduleDocument(schedule: Schedule): ScheduleDocument | string {
  if (schedule === null) return { kind: 'none' }
  const text = schedule.trim()
  if (text === '@once') return { kind: 'once', text }
  const preset = PRESETS[text]
  if (preset) return { kind: 'cron', expression: preset, interval: true, text }
  if (text.startsWith('@')) {
    const known = ['@once', ...Object.keys(PRESETS)]
    return `The schedule "${text}" is not a preset.${didYouMean(text, known) || ` The presets are ${known.join(', ')}.`}`
  }
  const fields = text.split(/\s+/).length
  if (fields !== 5) {
    return `The schedule "${text}" has ${text === '' ? 0 : fields} fields; a cron expression has five, as in "0 5 * * 1" (Mondays at 05:00).`
  }
  return { kind: 'cron', expression: text, interval: true, text }
}
