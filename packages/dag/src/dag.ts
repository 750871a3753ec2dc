/** How a DAG is written: `dag(id, options, build)`. */
import type { DagBuilder } from './builder.ts'
import { branchOperator, EMPTY, LATEST_ONLY, shortCircuitOperator } from './control-flow.ts'
import { dagDocument } from './dag-document.ts'
import type { DagOptions } from './dag-options.ts'
import { DagDefinitionError, Place } from './definition-error.ts'
import type { DagDocument } from './document.ts'
import { joinTasks } from './edges.ts'
import { elementHandles } from './expand.ts'
import { Group } from './group.ts'
import { sensorDocument, sensorOperator } from './sensor.ts'
import type { Step } from './step.ts'
import { callbackList, Task, type Work } from './task.ts'
import type { Callback, TaskContext } from './task-context.ts'
import type { TaskDefaults, TaskOptions } from './task-options.ts'

const BRAND = Symbol.for('daggerboard.dag')

/** A DAG that has been written. Export it from its file: that is how it is found. */
export interface Dag {
  readonly [BRAND]: true
  readonly id: string
  readonly document: DagDocument
  readonly tasks: ReadonlyMap<string, Task>
  readonly groups: ReadonlyMap<string, Group>
  /** The author's functions, by when they are called. */
  readonly callbacks: { readonly onSuccess: readonly Callback[]; readonly onFailure: readonly Callback[] }
  /** Those of the deadlines, in the order of the document. */
  readonly deadlineCallbacks: readonly (readonly Callback[])[]
}

/** Whether an export of a file is a DAG, also when the file was given another copy of this package. */
export const isDag = (value: unknown): value is Dag => typeof value === 'object' && value !== null && BRAND in value

/**
 * Writes a DAG. `build` is called at once with the means to add tasks; nothing runs and no template is rendered here.
 * Throws `DagDefinitionError` with all that is wrong: ids, dates, durations, unknown or foreign tasks, circles.
 *
 * @example
 * export default dag('daily_report', { schedule: '0 5 * * 1', startDate: '2019-10-07' }, ({ task }) => {
 *   const rows = task('extract', async ({ log }) => [1, 2, 3])
 *   const total = task('total', async ({ input }) => input.rows.length, { input: { rows } })
 *   task('clean_up', async () => {}, { triggerRule: 'all_done' }).after(total)
 * })
 */
export function dag(id: string, options: DagOptions, build: (builder: DagBuilder) => void): Dag {
  const place = new Place()
  const steps = new StepsOfDag()
  build(steps.builder(null, options.defaultArgs ?? {}))
  const problems = [...steps.problems, ...idProblems('DAG', id), ...joinTasks(id, steps)]
  const [tasks, groups] = [steps.only(Task), steps.only(Group)]
  const document = dagDocument(id, options, [...groups.values()], tasks, problems)
  if (problems.length > 0) throw new DagDefinitionError(`DAG "${id}" cannot be read${place}.`, problems)
  return {
    [BRAND]: true,
    id,
    document,
    tasks,
    groups,
    callbacks: { onSuccess: callbackList(options.onSuccess), onFailure: callbackList(options.onFailure) },
    deadlineCallbacks: (options.deadlines ?? []).map(({ callback }) => callbackList(callback)),
  }
}

const idProblems = (noun: string, id: string): string[] =>
  /^[\w.-]{1,250}$/.test(id)
    ? []
    : [`The ${noun} id "${id}" may only have letters, digits, "-", "_" and ".", at most 250 of them. Choose another.`]

/** Gathers what a DAG's builder adds. */
class StepsOfDag {
  readonly named = new Map<string, Task | Group>()
  readonly all: (Task | Group)[] = []
  readonly problems: string[] = []

  only<Kind extends Task | Group>(kind: abstract new (...args: never) => Kind): Map<string, Kind> {
    const found = new Map<string, Kind>()
    for (const [id, step] of this.named) if (step instanceof kind) found.set(id, step as Kind)
    return found
  }

  builder(group: Group | null, defaults: TaskDefaults): DagBuilder {
    const add = (taskId: string, work: Work, options: TaskOptions = {}): Task =>
      this.#add(new Task(`${group?.prefix ?? ''}${taskId}`, work, { ...defaults, ...options }, group))
    const addGroup = (groupId: string, options: Group['options'], build: (builder: DagBuilder) => unknown): Group => {
      const added = this.#add(new Group(`${group?.prefix ?? ''}${groupId}`, options, group))
      const inner = this.builder(added, { ...defaults, ...options.defaultArgs })
      added.result = build(options.expand ? Object.assign(inner, { element: elementHandles(added.id) }) : inner)
      return added
    }
    const builder: DagBuilder = {
      task: add as DagBuilder['task'],
      group: addGroup as DagBuilder['group'],
      branch: (taskId, choose, { targets = [], ...options } = {}) => {
        const task: Task = add(
          taskId,
          branchOperator(() => task, this.named, choose as never),
          options,
        )
        return task.before(targets as readonly (string | Step)[]) as Task<readonly string[]>
      },
      shortCircuit: (taskId, test, { ignoreDownstreamTriggerRules = true, ...options } = {}) =>
        add(taskId, shortCircuitOperator(test as never, ignoreDownstreamTriggerRules), options) as Task<never>,
      latestOnly: (taskId, options) => add(taskId, LATEST_ONLY, options) as Task<null>,
      empty: (taskId, options) => add(taskId, EMPTY, options) as Task<null>,
      sensor: (taskId, look, options = {}) =>
        add(
          taskId,
          sensorOperator('Sensor', {}, this.#sensor(taskId, options), (_args, context: TaskContext) => look(context as never)),
          options,
        ) as never,
    }
    return builder
  }

  #add<Kind extends Task | Group>(step: Kind): Kind {
    const noun = step instanceof Group ? 'group' : 'task'
    this.problems.push(...idProblems(noun, step.id))
    this.all.push(step)
    const first = this.named.get(step.id)
    if (first) {
      const what = step instanceof Group ? 'Group' : 'Task'
      this.problems.push(`${what} "${step.id}" is defined twice${first.place} and again${step.place}. Give one of them another id.`)
    } else this.named.set(step.id, step)
    step.group?.members.push(step)
    return step
  }

  #sensor(taskId: string, options: Parameters<typeof sensorDocument>[0]): ReturnType<typeof sensorDocument> {
    try {
      return sensorDocument(options)
    } catch (error) {
      if (!(error instanceof DagDefinitionError)) throw error
      this.problems.push(...error.problems.map((problem) => `Task "${taskId}"${new Place()}: ${problem}`))
      return sensorDocument({})
    }
  }
}
