/** A DAG as data: all that the scheduler ever sees of a DAG file. Plain JSON, whatever language the file is written in. */
import type { ScheduleDocument } from './schedule.ts'
import type { TriggerRule } from './trigger-rule.ts'

export interface DagDocument {
  readonly dagId: string
  readonly description: string | null
  /** Markdown that the pages show. */
  readonly docMd: string | null
  readonly schedule: ScheduleDocument
  /** IANA name of the zone in which cron and naive dates are read. */
  readonly timezone: string
  /** ISO instants in UTC. */
  readonly startDate: string | null
  readonly endDate: string | null
  readonly catchup: boolean
  readonly maxActiveRuns: number
  readonly maxActiveTasks: number
  /** After so many failed runs in a row the DAG is paused; 0 for never. */
  readonly maxConsecutiveFailedRuns: number
  /** A run that takes longer fails, and what it has not finished is skipped. */
  readonly runTimeoutSeconds: number | null
  /** The first task that fails ends the run. */
  readonly failFast: boolean
  /** How many of its tasks may share one worker process; 1 unless all they do is wait. */
  readonly tasksPerWorker: number
  /** Null: as the settings say. */
  readonly isPausedUponCreation: boolean | null
  readonly tags: readonly string[]
  readonly owners: readonly string[]
  /** Default values of `{{ params.x }}`; a run's `conf` overrides them. */
  readonly params: Readonly<Record<string, unknown>>
  /** JSON Schemas of those params that have one. A run whose params do not fit is refused. */
  readonly paramSchemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly deadlines: readonly DeadlineDocument[]
  readonly callbacks: { readonly onSuccess: boolean; readonly onFailure: boolean }
  /** Each one after the group that it is in. */
  readonly groups: readonly GroupDocument[]
  /** Folders below the DAG's file in which template files are looked for. */
  readonly templateSearchPath: readonly string[]
  /** Whether a field that is one template keeps the type of its value. */
  readonly rendersNative: boolean
  /** In the order of the file. */
  readonly tasks: readonly TaskDocument[]
}

/** A time by which a run has to be through; its callback is called when it is not. */
export interface DeadlineDocument {
  readonly reference:
    | { readonly kind: 'queuedAt' }
    | { readonly kind: 'logicalDate' }
    | { readonly kind: 'fixed'; readonly at: string }
    /** The mean of the last `runs` successful runs, from the time the run is queued; none while there are fewer than `atLeast`. */
    | { readonly kind: 'averageRuntime'; readonly runs: number; readonly atLeast: number }
  /** Added to the reference; may be negative. */
  readonly intervalSeconds: number
}

export interface GroupDocument {
  /** Whole id, with those of the groups around it in front unless told otherwise. */
  readonly groupId: string
  readonly parent: string | null
  readonly tooltip: string | null
  /** A mapped group has all of its tasks once for each element. */
  readonly expand: ExpandDocument | null
}

/** A value that is known, or what a task will have answered. */
export type ValueSource = { readonly task: string } | { readonly value: unknown }

/** A list, or several one after the other. */
export type ListSource = ValueSource | { readonly concat: readonly ValueSource[] }

/** What an input of a task is; in a mapped group also the group's element, or (with a name) one value of it. */
export type InputSource = ValueSource | { readonly group: string; readonly element: string | null }

/** What a mapped task or group is made once for each of. Indices count from 0; in a product the last name turns fastest. */
export type ExpandDocument =
  | { readonly kind: 'product'; readonly inputs: Readonly<Record<string, ListSource>> }
  /** Elements of the same place go together; the shortest list ends it unless there is something to fill in. */
  | { readonly kind: 'zip'; readonly inputs: Readonly<Record<string, ListSource>>; readonly fill: { readonly value: unknown } | null }
  /** Each element is an object that has all the names. */
  | { readonly kind: 'records'; readonly from: ListSource }

export interface AssetDocument {
  readonly name: string
  readonly uri: string
  readonly group: string
  readonly extra: Readonly<Record<string, unknown>>
}

/** Which assets must have been updated since the last run. */
export type AssetCondition =
  | { readonly asset: AssetDocument }
  | { readonly alias: string }
  | { readonly all: readonly AssetCondition[] }
  | { readonly any: readonly AssetCondition[] }

export type AssetReference = { readonly asset: AssetDocument } | { readonly alias: string }

export interface SensorDocument {
  /** `poke` waits in a worker, `reschedule` gives the slot back between two looks, `deferred` waits without one. */
  readonly mode: 'poke' | 'reschedule' | 'deferred'
  readonly pokeIntervalSeconds: number
  readonly exponentialBackoff: boolean
  readonly maxWaitSeconds: number | null
  /** Counts from the first look; retries do not begin it anew. */
  readonly timeoutSeconds: number
  /** Skipped, not failed, when the time is over. */
  readonly softFail: boolean
}

export interface TaskDocument {
  /** Whole id, with its group's in front. */
  readonly taskId: string
  readonly groupId: string | null
  /** `DataprocCreateCluster`, `function` … */
  readonly operator: string
  readonly owner: string
  readonly docMd: string | null
  /** The operator's arguments with their templates as they were written. */
  readonly args: unknown
  /** Ids of the tasks right before and right after this one. */
  readonly upstream: readonly string[]
  readonly downstream: readonly string[]
  /** Which task's output becomes which input of a function; constants stand under `value`. Elements of a mapped task are in `expand`. */
  readonly input: Readonly<Record<string, InputSource>>
  readonly triggerRule: TriggerRule
  readonly retries: number
  readonly retryDelaySeconds: number
  /** Each wait is this many times the one before; 0 for the same wait every time. */
  readonly retryBackoff: number
  readonly maxRetryDelaySeconds: number | null
  readonly executionTimeoutSeconds: number | null
  readonly dependsOnPast: boolean
  readonly waitForDownstream: boolean
  readonly ignoreFirstDependsOnPast: boolean
  /** Waits for the run before also when its trigger rule already says that it will be skipped. */
  readonly waitForPastDependsBeforeSkipping: boolean
  readonly pool: string
  readonly poolSlots: number
  readonly priorityWeight: number
  /** Whether the weights of all tasks after it, of all before it, or none are added to its own. */
  readonly weightRule: 'downstream' | 'upstream' | 'absolute'
  /** How many instances of this task may be active at the same time: over all runs, and in one run. */
  readonly maxActivePerDag: number | null
  readonly maxActivePerRun: number | null
  readonly role: 'work' | 'setup' | 'teardown'
  /** Of a teardown: the setups that it tears down. It runs when they were done and one of them succeeded. */
  readonly setups: readonly string[]
  /** A teardown that fails fails the run. Others always do. */
  readonly failsRun: boolean
  readonly expand: ExpandDocument | null
  /** Rendered when the instance of a mapped task has run: its name on the pages. */
  readonly mapIndexTemplate: string | null
  /** Skips tasks after it by itself, and how: see `SkipDecision`. `latestOnly` is decided without a worker. */
  readonly flow: 'none' | 'branch' | 'shortCircuit' | 'latestOnly'
  readonly sensor: SensorDocument | null
  readonly callbacks: {
    readonly onSuccess: boolean
    readonly onFailure: boolean
    readonly onRetry: boolean
    readonly onExecute: boolean
    readonly onSkipped: boolean
  }
  readonly inlets: readonly AssetReference[]
  /** Updated by every success of this task. */
  readonly outlets: readonly AssetReference[]
}
