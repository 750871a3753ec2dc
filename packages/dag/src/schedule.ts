/** When a DAG runs, as authors say it. What it means in time is worked out by the scheduler's timetables. */
import { all, assetProblems, type Condition, conditionDocument, isCondition } from './asset.ts'
import { defaults } from './defaults.ts'
import { didYouMean } from './definition-error.ts'
import type { AssetCondition } from './document.ts'
import { type Duration, durationSeconds, notADuration } from './duration.ts'
import { toInstant } from './instant.ts'

const BUILT = Symbol.for('daggerboard.schedule')

/** A schedule that one of the functions here has made. */
export interface BuiltSchedule {
  /** Dates without an offset are read in the zone of the DAG; a string is what is wrong. */
  readonly [BUILT]: (timezone: string) => ScheduleDocument | string
}

/**
 * When a DAG runs:
 * - a cron expression of five fields, or a preset: `@hourly` `@daily` `@weekly` `@monthly` `@quarterly` `@yearly`, `@once`, or `@continuous` (a run as
 *   soon as the last one has ended; needs `maxActiveRuns: 1`). Cron gives data intervals `[start, end)` as in Airflow 2: the run of an interval fires
 *   at its end, `ds` is its start and `next_ds` its end;
 * - `cronTrigger`, `delta`, `deltaTrigger`, `events`: other ways to say times;
 * - assets, when they have been updated: one, a list (all of them), `all(…)`, `any(…)`; or `assetsOrTime`;
 * - null: only when somebody triggers it.
 */
export type Schedule = string | null | BuiltSchedule | Condition | readonly Condition[]

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

const built = (document: BuiltSchedule[typeof BUILT]): BuiltSchedule => ({ [BUILT]: document })

/**
 * Fires at each tick of a cron expression, or of several, and covers no time: its interval is `[tick, tick)`, as by default in Airflow 3.
 * With `interval` it is that long and ends at the tick. `runImmediately` matters to a DAG without a start date: whether the tick that has just gone by
 * counts (true), only if it is that recent (a length of time), or, false, only if it is very recent (a tenth of the way to the next, at least 5 minutes).
 */
export const cronTrigger = (
  expressions: string | readonly string[],
  { interval, runImmediately = false }: { readonly interval?: Duration; readonly runImmediately?: boolean | Duration } = {},
): BuiltSchedule =>
  built(() => {
    const given = [expressions].flat() as string[]
    if (given.length === 0) return 'cronTrigger has no expression. Give it one, such as "0 5 * * 1".'
    const problem = given.map(cronProblem).find((sentence) => sentence !== null)
    if (problem) return problem
    const buffer = typeof runImmediately === 'boolean' ? runImmediately : seconds(runImmediately)
    const intervalSeconds = interval === undefined ? 0 : seconds(interval)
    if (typeof buffer === 'string') return `runImmediately of cronTrigger ${buffer}`
    if (typeof intervalSeconds === 'string') return `The interval of cronTrigger ${intervalSeconds}`
    const cron = given.map((expression) => PRESETS[expression.trim()] ?? expression.trim())
    return { kind: 'cronTrigger', expressions: cron, intervalSeconds, runImmediately: buffer, text: given.join(', ') }
  })

/** One data interval after the other, each that long, from the start date on (or from now): not bound to midnight as `@daily` is. */
export const delta = (every: Duration): BuiltSchedule =>
  built(() => {
    const found = positive(every)
    return typeof found === 'string'
      ? `The schedule delta ${found}`
      : { kind: 'delta', seconds: found, interval: true, text: `every ${spoken(found)}` }
  })

/** Fires again and again after that time and covers none; with `interval`, one that ends there. */
export const deltaTrigger = (every: Duration, { interval }: { readonly interval?: Duration } = {}): BuiltSchedule =>
  built(() => {
    const found = positive(every)
    if (typeof found === 'string') return `The schedule deltaTrigger ${found}`
    const intervalSeconds = interval === undefined ? 0 : seconds(interval)
    if (typeof intervalSeconds === 'string') return `The interval of deltaTrigger ${intervalSeconds}`
    return { kind: 'deltaTrigger', seconds: found, intervalSeconds, text: `every ${spoken(found)}` }
  })

/** At these instants. With `restricts`, a run by hand stands for the last of them that has gone by. */
export const events = (dates: readonly (Date | string)[], { restricts = false }: { readonly restricts?: boolean } = {}): BuiltSchedule =>
  built((timezone) => {
    const instants = dates.map((date) => toInstant(date, timezone))
    const wrong = instants.indexOf(null)
    if (wrong >= 0) return `The event "${dates[wrong]}" is not a date. Write one such as "2026-11-02" or "2026-11-02T05:00:00Z".`
    if (dates.length === 0) return 'events has no date. Give it one, or let the schedule be null.'
    const iso = [...new Set(instants.map((instant) => (instant as Date).toISOString()))].sort()
    return { kind: 'events', dates: iso, restricts, text: `${iso.length} events between ${iso[0]} and ${iso.at(-1)}` }
  })

/** Runs when the assets have been updated, and at the times of `time` whatever they do. */
export const assetsOrTime = (assets: Condition | readonly Condition[], time: string | BuiltSchedule): BuiltSchedule =>
  built((timezone) => {
    const [byAssets, byTime] = [scheduleDocument(isCondition(assets) ? assets : all(...assets), timezone), scheduleDocument(time, timezone)]
    if (typeof byAssets === 'string') return byAssets
    if (typeof byTime === 'string') return byTime
    if (byAssets.kind !== 'assets' || byTime.kind === 'none' || byTime.kind === 'assets' || byTime.kind === 'assetsOrTime') {
      return 'assetsOrTime takes assets and a schedule of time, such as "@daily".'
    }
    return { kind: 'assetsOrTime', condition: byAssets.condition, time: byTime, text: `${byAssets.text} or ${byTime.text}` }
  })

/** The document of `schedule`, or the sentence that says what is wrong with it. Whether the fields of cron are in range is the timetable's to say. */
export function scheduleDocument(schedule: Schedule, timezone = 'UTC'): ScheduleDocument | string {
  if (schedule === null) return { kind: 'none' }
  if (typeof schedule === 'string') return textDocument(schedule.trim())
  if (isCondition(schedule)) {
    const condition = conditionDocument(schedule)
    return assetProblems(condition)[0] ?? { kind: 'assets', condition, text: conditionText(condition) }
  }
  if (Array.isArray(schedule) && schedule.every(isCondition))
    return scheduleDocument(schedule.length === 1 ? (schedule[0] ?? null) : all(...schedule))
  if (typeof schedule === 'object' && BUILT in schedule) return schedule[BUILT](timezone)
  return `The schedule ${JSON.stringify(schedule)} is none. Write a cron expression, a preset, assets, or null.`
}

function textDocument(text: string): ScheduleDocument | string {
  if (text === '@once') return { kind: 'once', text }
  if (text === '@continuous') return { kind: 'continuous', text }
  const problem = cronProblem(text)
  if (problem) return problem
  const expression = PRESETS[text] ?? text
  if (defaults().cronIntervals) return { kind: 'cron', expression, interval: true, text }
  return { kind: 'cronTrigger', expressions: [expression], intervalSeconds: 0, runImmediately: false, text }
}

function cronProblem(given: string): string | null {
  const text = given.trim()
  if (PRESETS[text]) return null
  if (text.startsWith('@')) {
    const known = ['@once', '@continuous', ...Object.keys(PRESETS)]
    return `The schedule "${text}" is not a preset.${didYouMean(text, known) || ` The presets are ${known.join(', ')}.`}`
  }
  const fields = text === '' ? 0 : text.split(/\s+/).length
  if (fields === 5) return null
  return `The schedule "${text}" has ${fields} fields; a cron expression has five, as in "0 5 * * 1" (Mondays at 05:00).`
}

const seconds = (duration: Duration): number | string => durationSeconds(duration) ?? notADuration(duration)

function positive(duration: Duration): number | string {
  const found = seconds(duration)
  return found === 0 ? `${JSON.stringify(duration)} must be longer than nothing.` : found
}

function spoken(total: number): string {
  const parts = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor((total % 86_400) / 3600), 'h'],
    [Math.floor((total % 3600) / 60), 'm'],
    [total % 60, 's'],
  ] as const
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ')
}

function conditionText(condition: AssetCondition): string {
  if ('asset' in condition) return condition.asset.name
  if ('alias' in condition) return condition.alias
  const [parts, word] = 'all' in condition ? [condition.all, ' and '] : [condition.any, ' or ']
  return parts.map((part) => ('asset' in part || 'alias' in part ? conditionText(part) : `(${conditionText(part)})`)).join(word)
}
