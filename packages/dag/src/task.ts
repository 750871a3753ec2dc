/** One task of a DAG: what it does, what comes before it, and how often it is tried. */
import { Place } from './definition-error.ts'
import type { Duration } from './duration.ts'
import type { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'
import type { TriggerRule } from './trigger-rule.ts'

/** What `defaultArgs` of a DAG gives to every task that does not say otherwise. */
export interface TaskDefaults {
  /** Shown on the pages. Default `airflow`. */
  readonly owner?: string
  /** How often a failed task is tried again. Default 0. */
  readonly retries?: number
  /** The wait before each new try. Default 5 minutes. */
  readonly retryDelay?: Duration
  /** Makes each wait longer: true doubles it, a number multiplies by it; jitter that never changes for one try is added. Default false. */
  readonly retryExponentialBackoff?: boolean | number
  /** No wait is longer than this, however it has grown. */
  readonly maxRetryDelay?: Duration
  /** A try that runs longer is ended with all its child processes and counts as failed. Default: no limit. */
  readonly executionTimeout?: Duration
  /** Default `all_success`. */
  readonly triggerRule?: TriggerRule
}

/** Tasks whose outputs a function is given, or constants, by name. */
export type Inputs = Readonly<Record<string, unknown>>

/** What a function gets for its inputs: the output of each task, each constant as it is. */
export type InputValues<In extends Inputs> = { readonly [Name in keyof In]: In[Name] extends Task<infer Output> ? Output : In[Name] }

export interface TaskOptions<In extends Inputs = Inputs> extends TaskDefaults {
  /** Tasks, or ids of tasks, that come before this one. The same as `.after(…)`. */
  readonly dependsOn?: Task | string | readonly (Task | string)[]
  /** Outputs of other tasks that the function is given; each one also draws the edge. */
  readonly input?: In
}

/** What a plain function gets: the context of the try, with the outputs that it asked for. */
export interface FunctionContext<Input = Readonly<Record<string, never>>> extends Omit<TaskContext, 'input'> {
  readonly input: Input
}

/** A plain function as a task. Its answer must be JSON and becomes the task's output. */
export type TaskFunction<Input, Output> = (context: FunctionContext<Input>) => Output | Promise<Output>

// biome-ignore lint/suspicious/noExplicitAny: what a task does is opaque here; its types were checked where it was written.
export type Work = Operator<any, any> | TaskFunction<any, any>

/** A task in a DAG. `Output` is what tasks that take it as input are given. Made by the `task` that `dag()` passes to its builder. */
export class Task<Output = unknown> {
  readonly id: string
  readonly work: Work
  readonly options: TaskOptions
  /** Ids of the tasks right before this one, in the order in which they were named. */
  readonly upstream = new Set<string>()
  /** Tasks of which this one's edges were drawn with the task itself, to notice those of another DAG. */
  readonly neighbours = new Set<Task>()
  readonly place = new Place()
  /** Only a type: carries `Output` so that inputs can be checked. */
  declare readonly output: Output

  constructor(id: string, work: Work, options: TaskOptions) {
    this.id = id
    this.work = work
    this.options = options
    const { dependsOn = [], input = {} } = options
    for (const before of Array.isArray(dependsOn) ? dependsOn : [dependsOn]) this.#dependOn(before)
    for (const value of Object.values(input)) if (value instanceof Task) this.#dependOn(value)
  }

  /** This task runs before each of `tasks`. Answers this task. */
  before(...tasks: readonly (Task | readonly Task[])[]): this {
    for (const task of tasks.flat()) {
      task.#dependOn(this)
      this.neighbours.add(task)
    }
    return this
  }

  /** This task runs after each of `tasks`. Answers this task. */
  after(...tasks: readonly (Task | readonly Task[])[]): this {
    for (const task of tasks.flat()) this.#dependOn(task)
    return this
  }

  #dependOn(task: Task | string): void {
    this.upstream.add(typeof task === 'string' ? task : task.id)
    if (typeof task !== 'string') this.neighbours.add(task)
  }
}

/**
 * Draws edges along a line; a list stands side by side: `chain(create, submit, [remove, build])`
 * puts `submit` after `create`, and `remove` and `build` each after `submit`.
 */
export function chain(...steps: readonly (Task | readonly Task[])[]): void {
  for (const [i, step] of steps.entries()) {
    const next = steps[i + 1]
    if (next) for (const task of [step].flat()) task.before(next)
  }
}
