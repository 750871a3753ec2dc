/** A run that is not over, as the scheduler has it in mind: its instances by task, counted, and which tasks are to be looked at. */
import type { DagPlan, PlannedTask } from './dag-plan.ts'
import { type DagRun, runKey } from './dag-run.ts'
import { Heap } from './heap.ts'
import { isDone, TASK_INSTANCE_MOVES, type TaskInstance, type TaskInstanceState } from './task-instance.ts'

export type StateCounts = Record<TaskInstanceState, number>

const zeros = Object.fromEntries(Object.keys(TASK_INSTANCE_MOVES).map((state) => [state, 0])) as StateCounts

/** The instances of one task in one run. */
export class BoardTask {
  readonly taskId: string
  /** Null when the file no longer has it. */
  planned: PlannedTask | null
  readonly instances = new Map<number, TaskInstance>()
  readonly counts: StateCounts = { ...zeros }
  /** Which indices are to be looked at; null for all. Undefined while nothing is. */
  dirty: Set<number> | null | undefined = undefined

  constructor(taskId: string, planned: PlannedTask | null) {
    this.taskId = taskId
    this.planned = planned
  }

  /** It stands for itself still: not mapped, or not yet. */
  get single(): TaskInstance | undefined {
    return this.instances.get(-1)
  }

  get isDone(): boolean {
    const { success, failed, skipped, upstream_failed: unmet, removed } = this.counts
    return success + failed + skipped + unmet + removed === this.instances.size
  }
}

/** How the tasks of the run before stand, for those that look back. Null: there is none. */
export interface Past {
  readonly runId: string
  /** States of a task's instances there; nothing for a task that it does not have. */
  states(taskId: string): readonly TaskInstanceState[]
}

export class BoardRun {
  readonly key: string
  run: DagRun
  plan: DagPlan | null = null
  /** The plan with which its instances were last compared. */
  reconciledWith: DagPlan | null = null
  readonly tasks = new Map<string, BoardTask>()
  readonly counts: StateCounts = { ...zeros }
  size = 0
  /** The scheduler cannot go on with it: what is told of it is recorded, and nothing else is done. */
  isHeld = false
  /** Of a backfill of some tasks: others that it has had before are to run again. Stays so until the run is over. */
  hasOthersCleared = false
  /** Where the interval before its own begins; undefined until somebody asks. */
  previousIntervalStart: string | null | undefined = undefined
  /** Undefined until it has been looked up. */
  past: Past | null | undefined = undefined
  /** Tasks of this run that some earlier run of the DAG has had: found out for those that ask. */
  readonly ranBefore = new Map<string, boolean>()
  /** How many instances carry the decision of a branch. */
  skips = 0
  #dirty = new Heap<BoardTask>((a, b) => positionOf(a) < positionOf(b))

  constructor(run: DagRun) {
    this.run = run
    this.key = runKey(run)
  }

  get unfinished(): number {
    const { success, failed, skipped, upstream_failed: unmet, removed } = this.counts
    return this.size - success - failed - skipped - unmet - removed
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0
  }

  find(taskId: string, mapIndex: number): TaskInstance | undefined {
    return this.tasks.get(taskId)?.instances.get(mapIndex)
  }

  *instances(): Generator<TaskInstance> {
    for (const task of this.tasks.values()) yield* task.instances.values()
  }

  /** The run follows another document from now on. Everything is looked at. */
  follow(plan: DagPlan): void {
    this.plan = plan
    for (const task of this.tasks.values()) {
      task.planned = plan.tasks.get(task.taskId) ?? null
      task.dirty = undefined
    }
    this.#dirty.clear()
    this.markAll()
  }

  markAll(): void {
    for (const task of this.tasks.values()) if (task.counts.none > 0) this.mark(task, null)
  }

  /** The task is to be looked at: all of its instances, or one. */
  mark(task: BoardTask, mapIndex: number | null): void {
    if (task.dirty === null || task.planned === null) return
    if (task.dirty === undefined) this.#dirty.push(task)
    if (mapIndex === null) task.dirty = null
    else task.dirty = (task.dirty ?? new Set()).add(mapIndex)
  }

  /** The first in topological order of the tasks to be looked at, with the indices. It is taken off the list. */
  nextDirty(): { task: BoardTask; indices: ReadonlySet<number> | null } | null {
    const task = this.#dirty.pop()
    if (!task) return null
    const indices = task.dirty ?? null
    task.dirty = undefined
    return { task, indices }
  }

  /** Takes the instance in, counts it, and marks what has to look at it. Answers the one before it. */
  put(instance: TaskInstance): TaskInstance | undefined {
    const task = this.#task(instance.taskId)
    const before = task.instances.get(instance.mapIndex)
    task.instances.set(instance.mapIndex, instance)
    if (before) this.#count(task, before, -1)
    this.#count(task, instance, 1)
    if (before?.state === instance.state) return before
    if (instance.state === 'none') this.mark(task, instance.mapIndex)
    if (isDone(instance.state) || (before && isDone(before.state)) || !before) this.#tellFollowers(task, instance)
    return before
  }

  /** Forgets an instance that has given way to others of its task. */
  delete(instance: TaskInstance): void {
    const task = this.#task(instance.taskId)
    if (!task.instances.delete(instance.mapIndex)) return
    this.#count(task, instance, -1)
  }

  #task(taskId: string): BoardTask {
    const known = this.tasks.get(taskId)
    if (known) return known
    const added = new BoardTask(taskId, this.plan?.tasks.get(taskId) ?? null)
    this.tasks.set(taskId, added)
    return added
  }

  #count(task: BoardTask, instance: TaskInstance, change: 1 | -1): void {
    task.counts[instance.state] += change
    this.counts[instance.state] += change
    this.size += change
    if (instance.skip) this.skips += change
  }

  #tellFollowers({ planned }: BoardTask, { mapIndex, state }: TaskInstance): void {
    if (!planned || !isDone(state)) return
    for (const next of planned.downstream) this.#tell(planned, next, mapIndex)
    for (const watcher of planned.watchers) this.#tell(planned, watcher, mapIndex)
  }

  #tell(from: PlannedTask, next: PlannedTask, mapIndex: number): void {
    const task = this.tasks.get(next.taskId)
    if (!task || task.counts.none === 0) return
    this.mark(task, isSameGroup(from, next) && mapIndex >= 0 && task.single === undefined ? mapIndex : null)
  }
}

/** In a mapped group each element goes its own way. */
export const isSameGroup = (a: PlannedTask, b: PlannedTask): boolean => a.mappedGroup !== null && a.mappedGroup === b.mappedGroup

const positionOf = ({ planned }: BoardTask): number => planned?.position ?? 0
