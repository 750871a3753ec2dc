/** What the builder of a DAG or group is given to add tasks with. */
import type { ElementHandles, Expansion, ExpansionValues } from './expand.ts'
import type { Group, GroupOptions, MappedResult } from './group.ts'
import type { MappedOperator, Operator } from './operator.ts'
import type { OutputOf } from './outcome.ts'
import type { Look, SensorOptions } from './sensor.ts'
import type { Step } from './step.ts'
import type { Task, TaskFunction } from './task.ts'
import type { FunctionContext, Inputs, InputValues, TaskOptions } from './task-options.ts'

type NoInputs = Readonly<Record<string, never>>
type Simple<In extends Inputs> = Omit<TaskOptions<In>, 'expand' | 'mapIndexTemplate'>
type Mapped<In extends Inputs, Of> = Omit<TaskOptions<In>, 'expand'> & { readonly expand: Of }

/** Where a branch goes on: the ids of tasks or groups right after it, or they themselves; null: nowhere. */
export type Choice<Id extends string = string> = Id | Step | readonly (Id | Step)[] | null

export interface DagBuilder {
  task: {
    /** Adds a mapped task whose operator gets the args that `partial` leaves open from the elements. */
    <Open, Output, Of extends Expansion>(
      id: string,
      operator: MappedOperator<Open, Output>,
      options: Mapped<NoInputs, Of & (ExpansionValues<Of> extends Open ? unknown : { readonly 'must give': Open })>,
    ): Task<OutputOf<Output>[]>
    /** Adds a task that runs `operator`; every string in its args is a template. */
    <Args, Output>(id: string, operator: Operator<Args, Output>, options?: Omit<Simple<Inputs>, 'input'>): Task<OutputOf<Output>>
    /** Adds a task that runs once for each element of `expand`; the function finds it beside its other inputs. Its output is the list of all. */
    <Output, Of extends Expansion, In extends Inputs = NoInputs>(
      id: string,
      run: TaskFunction<InputValues<NoInfer<In>> & ExpansionValues<NoInfer<Of>>, Output>,
      options: Mapped<In, Of>,
    ): Task<Awaited<Output>[]>
    /** Adds a task that runs a plain function; `options.input` names the tasks whose outputs it gets, and tsc checks that they fit. */
    <Output, In extends Inputs = NoInputs>(
      id: string,
      run: TaskFunction<InputValues<NoInfer<In>>, Output>,
      options?: Simple<In>,
    ): Task<Awaited<Output>>
  }
  group: {
    /** Adds a group with all its tasks once for each element of `expand`; from outside, the output of each task is the list of all. */
    <Result, Of extends Expansion>(
      id: string,
      options: GroupOptions & { readonly expand: Of },
      build: (builder: DagBuilder & { readonly element: ElementHandles<ExpansionValues<Of>> }) => Result,
    ): Group<MappedResult<Result>>
    /** Adds a group; what `build` answers is its `result`. */
    <Result>(id: string, options: GroupOptions, build: (builder: DagBuilder) => Result): Group<Result>
  }
  /** Adds a task that chooses which of those right after it go on; the others are skipped. `targets` come after it, and are all that may be chosen. */
  branch<const Id extends string = string, In extends Inputs = NoInputs>(
    id: string,
    choose: (context: FunctionContext<InputValues<NoInfer<In>>>) => Choice<NoInfer<Id>> | Promise<Choice<NoInfer<Id>>>,
    options?: Simple<In> & { readonly targets?: readonly (Id | Step)[] },
  ): Task<readonly string[]>
  /**
   * Adds a task that goes on when its function answers something true, and otherwise skips all tasks after it; or, with
   * `ignoreDownstreamTriggerRules: false`, only those right after it, so that the trigger rules of the others count.
   */
  shortCircuit<Output, In extends Inputs = NoInputs>(
    id: string,
    test: TaskFunction<InputValues<NoInfer<In>>, Output>,
    options?: Simple<In> & { readonly ignoreDownstreamTriggerRules?: boolean },
  ): Task<Awaited<Output>>
  /** Adds a task that skips those right after it, unless its run is the latest one of the schedule; runs by hand always go on. */
  latestOnly(id: string, options?: Omit<Simple<NoInputs>, 'input'>): Task<null>
  /** Adds a task that does nothing: a place where edges meet. */
  empty(id: string, options?: Omit<Simple<NoInputs>, 'input'>): Task<null>
  /** Adds a task that calls `look` until it answers true, or `{ done: true, value }`. */
  sensor<Value = null, In extends Inputs = NoInputs>(
    id: string,
    look: (context: FunctionContext<InputValues<NoInfer<In>>>) => Look<Value> | Promise<Look<Value>>,
    options?: Simple<In> & SensorOptions,
  ): Task<Value>
}
