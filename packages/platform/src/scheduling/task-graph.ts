/** The tasks of a DAG as a graph: what lies before and after which, in whole lines. Pure. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'

/** An id that the document does not have has no relatives. */
export class TaskGraph {
  readonly #tasks: ReadonlyMap<string, TaskDocument>
  readonly #groups: ReadonlyMap<string, DagDocument['groups'][number]>
  readonly #teardowns = new Map<string, Set<string>>()

  constructor(document: Pick<DagDocument, 'tasks' | 'groups'>) {
    this.#tasks = new Map(document.tasks.map((task) => [task.taskId, task]))
    this.#groups = new Map(document.groups.map((group) => [group.groupId, group]))
    for (const { taskId, setups } of document.tasks) {
      for (const setup of setups) this.#teardowns.set(setup, (this.#teardowns.get(setup) ?? new Set()).add(taskId))
    }
  }

  task(taskId: string): TaskDocument | undefined {
    return this.#tasks.get(taskId)
  }

  get ids(): string[] {
    return [...this.#tasks.keys()]
  }

  get groupIds(): string[] {
    return [...this.#groups.keys()]
  }

  /** The tasks of a group and of the groups in it. */
  tasksOfGroup(groupId: string): string[] {
    return this.ids.filter((taskId) => this.#groupsOf(taskId).includes(groupId))
  }

  /** The mapped group that a task is in. */
  mappedGroup(taskId: string): string | null {
    return this.#groupsOf(taskId).find((groupId) => this.#groups.get(groupId)?.expand) ?? null
  }

  /** The tasks whose answers say how often a task is made: by its own mapping, or by that of its groups. */
  mappedOver(taskId: string): string[] {
    const expansions = [this.#tasks.get(taskId)?.expand, ...this.#groupsOf(taskId).map((groupId) => this.#groups.get(groupId)?.expand)]
    return expansions.flatMap((expand) => {
      if (!expand) return []
      const sources = expand.kind === 'records' ? [expand.from] : Object.values(expand.inputs)
      return sources.flatMap((source) => ('task' in source ? [source.task] : []))
    })
  }

  before(taskId: string): Set<string> {
    return this.#reach(taskId, 'upstream')
  }

  after(taskId: string): Set<string> {
    return this.#reach(taskId, 'downstream')
  }

  /**
   * The setups and teardowns that a task needs around it: the setups before it whose teardowns come after it (or that have none),
   * with all of their teardowns; of a setup only its own teardowns, of a teardown nothing.
   */
  surroundings(taskId: string): Set<string> {
    const found = new Set(this.#teardowns.get(taskId))
    if ((this.#tasks.get(taskId)?.role ?? 'work') !== 'work') return found
    const after = this.after(taskId)
    for (const setup of this.before(taskId)) {
      if (this.#tasks.get(setup)?.role !== 'setup') continue
      const teardowns = [...(this.#teardowns.get(setup) ?? [])]
      if (teardowns.length > 0 && !teardowns.some((teardown) => after.has(teardown))) continue
      for (const one of [setup, ...teardowns]) found.add(one)
    }
    found.delete(taskId)
    return found
  }

  #groupsOf(taskId: string): string[] {
    const found: string[] = []
    let groupId = this.#tasks.get(taskId)?.groupId ?? null
    while (groupId !== null && !found.includes(groupId)) {
      found.push(groupId)
      groupId = this.#groups.get(groupId)?.parent ?? null
    }
    return found
  }

  #reach(taskId: string, direction: 'upstream' | 'downstream'): Set<string> {
    const found = new Set<string>()
    const open = [...(this.#tasks.get(taskId)?.[direction] ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue
      found.add(next)
      open.push(...(this.#tasks.get(next)?.[direction] ?? []))
    }
    return found
  }
}
