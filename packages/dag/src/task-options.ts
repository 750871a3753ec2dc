/** What may be said of a task. */
import type { Asset, AssetAlias } from './asset.ts'
import type { Duration } from './duration.ts'
import type { Element, Expansion } from './expand.ts'
import type { Kept } from './kept.ts'
import type { RetryRule } from './retry-policy.ts'
import type { Step } from './step.ts'
import type { Task } from './task.ts'
import type { Callbacks, TaskContext } from './task-context.ts'
import type { TriggerRule } from './trigger-rule.ts'

export const TASK_CALLBACKS = ['onSuccess', 'onFailure', 'onRetry', 'onExecute', 'onSkipped'] as const

export const WEIGHT_RULES = ['downstream', 'upstream', 'absolute'] as const

/** What `defaultArgs` of a DAG or group gives to every task that does not say otherwise. */
export interface TaskDefaults {
  /** Shown on the pages. Default `airflow`. */
  readonly owner?: string
  /** How often a failed task is tried again. Default 0. */
  readonly retries?: number
  /** The wait before each new try. Default 5 minutes. */
  readonly retryDelay?: Duration
  /** Makes each wait longer: true doubles it, a number other than 1 multiplies by it; jitter that never changes for one try is added. Default false. */
  readonly retryExponentialBackoff?: boolean | number
  /** No wait grows beyond this. Without backoff waits do not grow, and this says nothing. */
  readonly maxRetryDelay?: Duration
  /** Which errors are worth another try; the first rule that fits decides. */
  readonly retryPolicy?: readonly RetryRule[]
  /** A try that runs longer is ended with all its child processes and counts as failed. Default: no limit. */
  readonly executionTimeout?: Duration
  /** Default `all_success`. */
  readonly triggerRule?: TriggerRule
  /** Waits until the same task has succeeded, or was skipped, in the run before. Default false. */
  readonly dependsOnPast?: boolean
  /** Waits until the tasks right after the same task are through in the run before, too. Default false. */
  readonly waitForDownstream?: boolean
  /** A task that was not in the run before, and never ran, need not wait for it. Default true. */
  readonly ignoreFirstDependsOnPast?: boolean
  /** Waits for the run before also when its trigger rule already says that it will be skipped. Default false. */
  readonly waitForPastDependsBeforeSkipping?: boolean
  /** Default `default_pool`. */
  readonly pool?: string
  /** How many slots of the pool it takes. Default 1. */
  readonly poolSlots?: number
  /** Of tasks that could run, the heaviest go first. Default 1. */
  readonly priorityWeight?: number
  /** Whether the weights of all tasks after it (the default), of all before it, or none are added to its own. */
  readonly weightRule?: (typeof WEIGHT_RULES)[number]
  /** How many instances of this task may be active at the same time, over all runs of the DAG. Default: no limit. */
  readonly maxActivePerDag?: number
  /** The same within one run. */
  readonly maxActivePerRun?: number
  /** Called by a worker after the task has got that far by itself; not when somebody marks it by hand. */
  readonly onSuccess?: Callbacks
  /** After the last try. */
  readonly onFailure?: Callbacks
  /** After a failed try that another one follows. */
  readonly onRetry?: Callbacks
  /** Right before a try begins. */
  readonly onExecute?: Callbacks
  /** After the task has thrown `SkipTask`. */
  readonly onSkipped?: Callbacks
}

/** Tasks whose outputs a function is given, elements of its mapped group, or constants, by name. */
export type Inputs = Readonly<Record<string, unknown>>

/** What a function gets for its inputs: the output of each task as JSON keeps it, each constant as it is. */
export type InputValues<In extends Inputs> = {
  readonly [Name in keyof In]: In[Name] extends Task<infer Output> ? Kept<Output> : In[Name] extends Element<infer Value> ? Value : In[Name]
}

export interface TaskOptions<In extends Inputs = Inputs> extends TaskDefaults {
  /** Tasks, groups, or ids of them, that come before this one. The same as `.after(…)`. */
  readonly dependsOn?: Step | string | readonly (Step | string)[]
  /** Outputs of other tasks that the function is given; each one also draws the edge. */
  readonly input?: In
  /** Makes it a mapped task: once for each element. Its output is the list of theirs. */
  readonly expand?: Expansion
  /** A template for the name of each instance of a mapped task, rendered when it has run. */
  readonly mapIndexTemplate?: string
  /** Markdown that the pages show. */
  readonly docMd?: string
  /** Assets that it reads. */
  readonly inlets?: readonly (Asset | AssetAlias)[]
  /** Assets that every success of it updates. */
  readonly outlets?: readonly (Asset | AssetAlias)[]
  /** How the operator's arguments are rendered, where it should not be as the operator says. */
  readonly template?: {
    /** Which top-level arguments are templates. */
    readonly fields?: readonly string[]
    /** Arguments that end so are paths of files whose text is the template, such as `['.sql']`. */
    readonly extensions?: readonly string[]
  }
}

/** What a plain function gets: the context of the try, with the outputs that it asked for. */
export interface FunctionContext<Input = Readonly<Record<string, never>>> extends Omit<TaskContext, 'input'> {
  readonly input: Input
}
