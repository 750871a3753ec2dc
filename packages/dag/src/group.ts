/** A group of tasks: drawn as one, joined as one, and perhaps once for each element. */
import type { Expansion } from './expand.ts'
import { sourceTasks } from './expand.ts'
import { Step } from './step.ts'
import type { Task } from './task.ts'
import type { TaskDefaults } from './task-options.ts'

export interface GroupOptions {
  /** Whether ids of what is in it begin with its own and a point. Default true. */
  readonly prefixGroupId?: boolean
  /** Goes before the `defaultArgs` of the DAG and of the groups around it. */
  readonly defaultArgs?: TaskDefaults
  /** Shown on the pages. */
  readonly tooltip?: string
  /** Groups and tasks that come before all of it. The same as `.after(…)`. */
  readonly dependsOn?: Step | string | readonly (Step | string)[]
}

/** What a group's builder has answered, seen from outside: of a mapped group each task answers the list of all. */
export type MappedResult<Result> =
  Result extends Task<infer Output>
    ? Task<Output[]>
    : Result extends Readonly<Record<string, unknown>>
      ? { readonly [Name in keyof Result]: MappedResult<Result[Name]> }
      : Result

/**
 * Edges to a group go to those of its tasks that have none of it before them, edges from it start at those that have none of it after them;
 * a teardown at the end does not count, so that what follows does not wait for it.
 */
export class Group<Result = unknown> extends Step {
  readonly options: GroupOptions & { readonly expand?: Expansion }
  readonly members: (Task | Group)[] = []
  /** Of a group that is not in another one 0. */
  readonly depth: number
  /** What its builder has answered: the tasks that others may take as input. */
  result!: Result

  constructor(id: string, options: Group['options'], group: Group | null) {
    super(id, group)
    this.options = options
    this.depth = group ? group.depth + 1 : 0
    this.after(options.dependsOn ?? [])
    if (options.expand) this.after(sourceTasks(options.expand))
  }

  /** Goes before the ids of what is in it. */
  get prefix(): string {
    return (this.options.prefixGroupId ?? true) ? `${this.id}.` : ''
  }
}

/** The mapped group that `step` is in; null when it is in none. */
export function mappedGroupOf(step: Step): Group | null {
  let group = step.group
  while (group && !group.options.expand) group = group.group
  return group
}
