/** One task of a DAG: what it does and what comes before it. */

import type { ElementOf, MappedOutput } from './expand.ts'
import { mapOver, sourceTasks } from './expand.ts'
import type { Group } from './group.ts'
import type { MappedOperator, Operator } from './operator.ts'
import { isStep, Step } from './step.ts'
import type { Callback, Callbacks } from './task-context.ts'
import { type FunctionContext, TASK_CALLBACKS, type TaskOptions } from './task-options.ts'

/** A plain function as a task. Its answer must be JSON and becomes the task's output. */
export type TaskFunction<Input, Output> = (context: FunctionContext<Input>) => Output | Promise<Output>

// biome-ignore lint/suspicious/noExplicitAny: what a task does is opaque here; its types were checked where it was written.
export type Work = Operator<any, any> | MappedOperator<any, any> | TaskFunction<any, any>

/** A setup prepares something for the tasks after it, a teardown removes it when they are through, whatever came of them. */
export type TaskRole = 'work' | 'setup' | 'teardown'

/** A task in a DAG. `Output` is what tasks that take it as input are given. Made by the `task` that `dag()` passes to its builder. */
export class Task<Output = unknown> extends Step {
  readonly work: Work
  /** With those of `defaultArgs`. */
  readonly options: TaskOptions
  /** Ids of the tasks right before and right after this one, groups resolved; complete once `dag()` has answered. */
  readonly upstream = new Set<string>()
  readonly downstream = new Set<string>()
  /** The author's functions, by when they are called. */
  readonly callbacks: Readonly<Record<(typeof TASK_CALLBACKS)[number], readonly Callback[]>>
  /** Only a type: carries `Output` so that inputs can be checked. */
  declare readonly output: Output
  #role: TaskRole = 'work'
  #failsRun = true

  constructor(id: string, work: Work, options: TaskOptions, group: Group | null = null) {
    super(id, group)
    this.work = work
    this.options = options
    this.callbacks = Object.fromEntries(TASK_CALLBACKS.map((name) => [name, callbackList(options[name])])) as Task['callbacks']
    const { dependsOn = [], input = {}, expand } = options
    this.after(dependsOn)
    for (const value of Object.values(input)) if (isStep(value)) this.after(value)
    if (expand) this.after(sourceTasks(expand))
  }

  get role(): TaskRole {
    return this.#role
  }

  /** Whether the run fails when this task has, as the last one of its line. Teardowns only do when told to. */
  get failsRun(): boolean {
    return this.#failsRun
  }

  /** Prepares something for the tasks after it: cleared together with them. */
  asSetup(): this {
    this.#role = 'setup'
    return this
  }

  /**
   * Removes what `setups` have prepared (or those right before it): it runs when all before it have ended and a setup has succeeded, also when the
   * run was ended by hand. It does not count for the state of the run, unless `onFailureFailDagRun`. `setups` become setups and come before it.
   */
  asTeardown(options: { readonly setups?: Task | readonly Task[]; readonly onFailureFailDagRun?: boolean } = {}): this {
    this.#role = 'teardown'
    this.#failsRun = options.onFailureFailDagRun ?? false
    for (const setup of [options.setups ?? []].flat()) {
      setup.asSetup()
      this.after(setup)
    }
    return this
  }

  /** Its output as a list made anew, element by element, to map over: see `mapOver`. */
  map<One>(apply: (element: ElementOf<Task<Output>>) => One): MappedOutput<One> {
    return mapOver(this as never, apply as never)
  }
}

export const callbackList = (given: Callbacks | undefined): readonly Callback[] => [given ?? []].flat() as Callback[]
