/** The contract between an operator and whatever runs it. */
import type { SensorDocument } from './document.ts'
import type { DeferredEvent } from './outcome.ts'
import type { TaskContext } from './task-context.ts'

/**
 * What a task does. `args` is plain data; every string in it is a template that is rendered when the task runs, never before.
 * `run` gets the rendered args. Its answer must be JSON and becomes the task's XCom `return_value`.
 *
 * An operator that waits for something remote should not hold a worker: its `run` throws `new Defer(…)`, and `resume` goes on with what came of it.
 */
export interface Operator<Args = unknown, Output = unknown> {
  /** The name shown on the pages, such as `DataprocCreateCluster`. */
  readonly name: string
  readonly args: Args
  run(args: Args, context: TaskContext): Promise<Output>
  /**
   * Goes on after a wait, in any worker, with the args as they were rendered. May defer again. Left out, the event becomes the output and an error
   * fails the task.
   */
  resume?(args: Args, event: DeferredEvent, context: TaskContext): Promise<Output>
  /**
   * Waits by name, for `Defer({ trigger })`. Each runs in a process that many share: it must be asynchronous, may be begun more than once, and gets
   * the args of the `Defer`. What it answers must be JSON. When the task is cancelled by somebody, `context.signal` aborts with the reason.
   */
  readonly triggers?: Readonly<Record<string, Trigger>>
  /**
   * Ends what was begun elsewhere; called when a deferred task is cancelled. `waited` are the args of its `Defer`. Null: a try was lost with its platform
   * and no other one comes; it may have begun something, which its XComs or the `idempotencyKey` tell.
   */
  cancel?(args: Args, context: TaskContext, waited: unknown): Promise<void>
  /** Which top-level args are templates; default all of them. */
  readonly templateFields?: readonly string[]
  /** A template field that ends so is the path of a file whose text is the template, such as `['.sh']`. Default none. */
  readonly templateExtensions?: readonly string[]
  /** Its `Output` is a `Decision`, which skips tasks after it; what others get is the output in it. */
  readonly flow?: 'branch' | 'shortCircuit' | 'latestOnly'
  /** It looks again and again, in this manner. */
  readonly sensor?: SensorDocument
}

// biome-ignore lint/suspicious/noExplicitAny: the args come from the operator's own `Defer`.
export type Trigger = (args: any, context: TaskContext) => Promise<unknown>

/**
 * An operator of which some args are only known for each instance of a mapped task. `args` are the others; their templates are rendered. What is
 * mapped is not: `make` gets both, and its operator is run with its args as they are. Made by `partial`.
 */
export interface MappedOperator<Mapped = Readonly<Record<string, unknown>>, Output = unknown> {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: what the operator is given was checked where it was written.
  make(args: any): Operator<any, Output>
  /** Only a type: the args that have to be mapped. */
  readonly mapped?: (mapped: Mapped) => void
}
