/** What may be said of a DAG. */
import type { Deadline } from './deadline.ts'
import type { Duration } from './duration.ts'
import type { Params } from './param.ts'
import type { Schedule } from './schedule.ts'
import type { Callbacks } from './task-context.ts'
import type { TaskDefaults } from './task-options.ts'

export interface DagOptions {
  /** When it runs; see `Schedule`. Default null: by hand only. */
  readonly schedule?: Schedule
  /** The first interval begins at or after this. An ISO date or instant; without an offset it is read in `timezone`. */
  readonly startDate?: Date | string
  /** No interval begins after this. */
  readonly endDate?: Date | string
  /** Whether every interval since `startDate` gets its run, or only the last complete one. Default false. */
  readonly catchup?: boolean
  /** IANA name such as `Europe/Paris`, in which cron and dates without an offset are read. Default `UTC`. */
  readonly timezone?: string
  /** How many runs may run at the same time; the others wait as `queued`. Default 16. */
  readonly maxActiveRuns?: number
  /** How many tasks of this DAG may run at the same time. Default 16. */
  readonly maxActiveTasks?: number
  /** After so many failed runs in a row the DAG is paused. Default 0: never. */
  readonly maxConsecutiveFailedRuns?: number
  /** A run that takes longer fails, and what it has not finished is skipped. Default: no limit. */
  readonly runTimeout?: Duration
  /** The first task that fails ends the run; all trigger rules must be `all_success` then. Default false. */
  readonly failFast?: boolean
  /** How many of its tasks may share one worker process: more than 1 only if all they do is wait. Default 1. */
  readonly tasksPerWorker?: number
  /** Whether it is paused when it is seen for the first time. Default: as the settings say. */
  readonly isPausedUponCreation?: boolean
  /** Options of all its tasks that do not say otherwise. */
  readonly defaultArgs?: TaskDefaults
  readonly tags?: readonly string[]
  readonly description?: string
  /** Markdown that the pages show. */
  readonly docMd?: string
  /** Default values of `{{ params.x }}`, which a run's `conf` overrides; `param({ … })` says what they have to be. */
  readonly params?: Params
  /** Times by which a run has to be through. */
  readonly deadlines?: readonly Deadline[]
  /** Called by a worker when a run has succeeded by itself; not when somebody marks it by hand. */
  readonly onSuccess?: Callbacks
  readonly onFailure?: Callbacks
  /** Folders below the one of this file in which template files are looked for. */
  readonly templateSearchPath?: string | readonly string[]
  /** Whether a field that is one template keeps the type of its value, instead of becoming text. Default false. */
  readonly rendersNative?: boolean
}
