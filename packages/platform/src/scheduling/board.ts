/** What the scheduler has in mind: the DAGs, the unfinished runs with their tasks, and who holds a slot. Stores keep the truth. */
import type { DagDocument } from '@daggerboard/dag'
import type { DagRecord } from './dag.ts'
import { type DagRun, isFinished } from './dag-run.ts'
import { isActive, type TaskInstance } from './task-instance.ts'
import type { DataInterval, DueRun, Timetable } from './timetable.ts'

export interface KnownDag {
  readonly record: DagRecord
  readonly timetable: Timetable
  /** The interval of the latest scheduled run. */
  lastInterval: DataInterval | null
  /** The next run, once it has been worked out. */
  due: DueRun | null | undefined
}

export interface UnfinishedRun {
  run: DagRun
  readonly instances: Map<string, TaskInstance>
  /** The document with which the instances were last reconciled. */
  document: DagDocument | null
  /** Something happened that may have made tasks ready. */
  isDirty: boolean
  /** When the next retry is due. */
  wakeAt: Date | null
}

export const runKey = ({ dagId, runId }: { dagId: string; runId: string }): string => `${dagId}/${runId}`

const NO_RUNS: ReadonlySet<UnfinishedRun> = new Set()

export class Board {
  readonly dags = new Map<string, KnownDag>()
  readonly runs = new Map<string, UnfinishedRun>()
  /** Tasks that wait for a slot, longest wait first. */
  readonly ready = new Map<string, TaskInstance>()
  readonly #runsByDag = new Map<string, Set<UnfinishedRun>>()
  readonly #byAttempt = new Map<string, TaskInstance>()
  readonly #activeByDag = new Map<string, number>()
  #active = 0

  get activeTasks(): number {
    return this.#active
  }

  activeTasksOf(dagId: string): number {
    return this.#activeByDag.get(dagId) ?? 0
  }

  runsOf(dagId: string): ReadonlySet<UnfinishedRun> {
    return this.#runsByDag.get(dagId) ?? NO_RUNS
  }

  /** The instance whose try under way has this token. */
  findAttempt(attemptId: string): TaskInstance | undefined {
    return this.#byAttempt.get(attemptId)
  }

  putRun(run: DagRun): UnfinishedRun {
    const key = runKey(run)
    const known = this.runs.get(key)
    if (known) {
      known.run = run
      known.isDirty = true
      return known
    }
    const added: UnfinishedRun = { run, instances: new Map(), document: null, isDirty: true, wakeAt: null }
    this.runs.set(key, added)
    this.#runsByDag.set(run.dagId, (this.#runsByDag.get(run.dagId) ?? new Set()).add(added))
    return added
  }

  putInstance(of: UnfinishedRun, instance: TaskInstance): void {
    const key = `${runKey(instance)}/${instance.taskId}`
    const before = of.instances.get(instance.taskId)
    if (before?.attemptId) this.#byAttempt.delete(before.attemptId)
    if (instance.attemptId) this.#byAttempt.set(instance.attemptId, instance)
    const change = Number(isActive(instance.state)) - Number(before ? isActive(before.state) : false)
    this.#active += change
    this.#activeByDag.set(instance.dagId, this.activeTasksOf(instance.dagId) + change)
    if (instance.state === 'scheduled') this.ready.set(key, instance)
    else this.ready.delete(key)
    of.instances.set(instance.taskId, instance)
    of.isDirty = true
  }

  /** Forgets the runs that have ended. */
  sweep(): void {
    for (const [key, unfinished] of this.runs) {
      const { run, instances } = unfinished
      if (isFinished(run.state) && ![...instances.values()].some(({ state }) => isActive(state))) {
        for (const taskId of instances.keys()) this.ready.delete(`${key}/${taskId}`)
        this.runs.delete(key)
        this.#runsByDag.get(run.dagId)?.delete(unfinished)
      }
    }
  }

  clearRuns(): void {
    this.runs.clear()
    this.#runsByDag.clear()
    this.ready.clear()
    this.#byAttempt.clear()
    this.#activeByDag.clear()
    this.#active = 0
  }
}
