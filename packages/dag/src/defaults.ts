/** What DAGs and tasks are that do not say it themselves. The platform's settings change it before a DAG file is read. */

export interface Defaults {
  readonly timezone: string
  readonly catchup: boolean
  readonly maxActiveRuns: number
  readonly maxActiveTasks: number
  readonly maxConsecutiveFailedRuns: number
  readonly retries: number
  readonly retryDelaySeconds: number
  readonly maxRetryDelaySeconds: number | null
  readonly executionTimeoutSeconds: number | null
  readonly ignoreFirstDependsOnPast: boolean
  readonly sensorTimeoutSeconds: number
  /** Whether a cron text as a schedule gives data intervals; else runs of no length at each tick. */
  readonly cronIntervals: boolean
}

const BUILT_IN: Defaults = {
  timezone: 'UTC',
  catchup: false,
  maxActiveRuns: 16,
  maxActiveTasks: 16,
  maxConsecutiveFailedRuns: 0,
  retries: 0,
  retryDelaySeconds: 300,
  maxRetryDelaySeconds: null,
  executionTimeoutSeconds: null,
  ignoreFirstDependsOnPast: true,
  sensorTimeoutSeconds: 604_800,
  cronIntervals: true,
}

/** Kept where another copy of this package, brought along by a DAGs folder, finds it too. */
const KEY = Symbol.for('daggerboard.defaults')
const place = globalThis as { [KEY]?: Defaults }

export const defaults = (): Defaults => place[KEY] ?? BUILT_IN

/** For what reads DAG files, before it reads them. What is left out is as built in. */
export function setDefaults(given: Partial<Defaults>): void {
  place[KEY] = { ...BUILT_IN, ...given }
}
