/** What the scheduler has in mind: the DAGs, the unfinished runs with their tasks, and who holds a slot. Stores keep the truth. */
import type { DagDocument } from '@daggerboard/dag'
import type { Backfill } from './backfill.ts'
import { partialDocument } from './backfill-plan.ts'
import { BoardRun, type BoardTask } from './board-run.ts'
import type { DagRecord } from './dag.ts'
import { type DagPlan, planOf } from './dag-plan.ts'
import { type DagRun, isFinished, runKey } from './dag-run.ts'
import { Heap } from './heap.ts'
import { limitsFreed, lineKey } from './limits.ts'
import { Quarantine } from './quarantine.ts'
import { ReadyQueue } from './ready-queue.ts'
import { Slots } from './slots.ts'
import { instanceKey, type TaskInstance } from './task-instance.ts'
import type { DataInterval, DueRun, Timetable } from './timetable.ts'

export interface KnownDag {
  readonly record: DagRecord
  readonly plan: DagPlan
  readonly timetable: Timetable
  /** The interval of the latest scheduled run. */
  lastInterval: DataInterval | null
  /** The next run, once it has been worked out. */
  due: DueRun | null | undefined
}

/** The unfinished runs of one DAG. */
export interface RunsOfDag {
  readonly all: Set<BoardRun>
  readonly running: Set<BoardRun>
  /** Those that wait to run, for the DAG and for each of its backfills, which have limits of their own; some may have moved on since. */
  readonly queued: Map<number | null, Heap<BoardRun>>
  /** How many of all belong to backfills. */
  ofBackfills: number
}

/** Something to be looked at when its time has come, if it is still as it was. */
export type Wake = { readonly at: number } & (
  | { readonly kind: 'instance'; readonly run: BoardRun; readonly taskId: string; readonly mapIndex: number; readonly revision: number }
  | { readonly kind: 'run'; readonly run: BoardRun }
  | { readonly kind: 'dag'; readonly dagId: string }
)

const LEAST_WAKES_KEPT = 1000

const newRuns = (): RunsOfDag => ({ all: new Set(), running: new Set(), queued: new Map(), ofBackfills: 0 })

/** Those that are due longest first; runs of a backfill in its order. */
const comesBefore = ({ run: a }: BoardRun, { run: b }: BoardRun): boolean =>
  a.backfill && b.backfill ? a.backfill.ordinal < b.backfill.ordinal : a.runAfter < b.runAfter

export class Board {
  readonly dags = new Map<string, KnownDag>()
  /** Those that are not complete, and those of which there are runs, by number. */
  readonly backfills = new Map<number, Backfill>()
  /** How many dates of a backfill still wait for their run, once it has been found out. */
  readonly remainingDates = new Map<number, number>()
  readonly runs = new Map<string, BoardRun>()
  readonly slots = new Slots()
  readonly ready = new ReadyQueue()
  /** Runs and DAGs that the scheduler cannot go on with. */
  readonly quarantine = new Quarantine()
  readonly wakes = new Heap<Wake>((a, b) => a.at < b.at)
  /** Runs in which something happened. */
  readonly toAdvance = new Set<BoardRun>()
  /** DAGs that may have room for a run that waits. */
  readonly toPromote = new Set<string>()
  /** DAGs whose schedule may bring a run. */
  readonly toSchedule = new Set<string>()
  readonly #byDag = new Map<string, RunsOfDag>()
  readonly #byAttempt = new Map<string, TaskInstance>()
  /** How many slots of each pool tasks have waited for. */
  readonly #poolSizes = new Map<string, Set<number>>()
  readonly #partial = new WeakMap<DagDocument, Map<string, DagPlan>>()
  readonly #dagWakes = new Map<string, number>()
  #ended: BoardRun[] = []
  #wakesKept = LEAST_WAKES_KEPT

  runsOf(dagId: string): RunsOfDag {
    let found = this.#byDag.get(dagId)
    if (!found) {
      found = newRuns()
      this.#byDag.set(dagId, found)
    }
    return found
  }

  /** How many instances of a task are active: in one run, or in all. */
  activeOfTask(dagId: string, taskId: string, runId: string | null): number {
    let count = 0
    for (const of of runId === null ? this.runsOf(dagId).running : [this.runs.get(runKey({ dagId, runId }))]) {
      const counts = of?.tasks.get(taskId)?.counts
      if (counts) count += counts.queued + counts.running + counts.restarting
    }
    return count
  }

  /** The instance whose try under way has this token. */
  findAttempt(attemptId: string): TaskInstance | undefined {
    return this.#byAttempt.get(attemptId)
  }

  /** When the next time comes at which there is something to do; null when there is none. */
  nextWake(): number | null {
    for (let next = this.wakes.peek(); next; next = this.wakes.peek()) {
      if (this.#isWanted(next)) return next.at
      this.wakes.pop()
    }
    return null
  }

  #isWanted(wake: Wake): boolean {
    if (wake.kind === 'dag') return this.#dagWakes.get(wake.dagId) === wake.at
    if (this.runs.get(wake.run.key) !== wake.run) return false
    return wake.kind === 'run' || wake.run.find(wake.taskId, wake.mapIndex)?.revision === wake.revision
  }

  putDag(dag: KnownDag): void {
    const { dagId } = dag.record
    this.dags.set(dagId, dag)
    this.toSchedule.add(dagId)
    this.toPromote.add(dagId)
    for (const run of this.#byDag.get(dagId)?.running ?? []) this.toAdvance.add(run)
  }

  putBackfill(backfill: Backfill): void {
    this.backfills.set(backfill.id, backfill)
    this.toPromote.add(backfill.dagId)
  }

  putRun(run: DagRun): BoardRun {
    const key = runKey(run)
    const known = this.runs.get(key)
    const of = known ?? new BoardRun(run)
    const before = known?.run.state
    const wasOfBackfill = known?.run.backfill != null
    of.run = run
    if (!known) {
      this.runs.set(key, of)
      of.isHeld = this.quarantine.holds(run)
      // Which of its tasks it follows is known once its instances are: see planFor.
      of.plan = this.dags.get(run.dagId)?.plan ?? null
      this.#forgetPasts(of)
    }
    const own = this.runsOf(run.dagId)
    own.all.add(of)
    own.ofBackfills += Number(run.backfill !== null) - Number(wasOfBackfill)
    if (run.state === 'running') own.running.add(of)
    else own.running.delete(of)
    if (run.state === 'queued' && before !== 'queued' && !of.isHeld) {
      const lane = run.backfill?.id ?? null
      const queue = own.queued.get(lane) ?? new Heap(comesBefore)
      own.queued.set(lane, queue)
      queue.push(of)
    }
    if (run.state === 'queued' || isFinished(run.state)) this.toPromote.add(run.dagId)
    if (isFinished(run.state)) this.#ended.push(of)
    this.toAdvance.add(of)
    if (before !== run.state && !of.isHeld) this.#wakeRun(of)
    return of
  }

  putInstance(of: BoardRun, instance: TaskInstance): void {
    const before = of.put(instance)
    if (before?.attemptId) this.#byAttempt.delete(before.attemptId)
    if (before?.state === 'scheduled') this.ready.remove(instanceKey(before))
    if (instance.attemptId) this.#byAttempt.set(instance.attemptId, instance)
    if (this.slots.move(before, instance) && before) this.#release(before)
    if (instance.state === 'scheduled' && !of.isHeld) {
      const runDate = of.run.logicalDate ?? of.run.runAfter
      const task = of.tasks.get(instance.taskId)?.planned?.document
      const sizes = this.#poolSizes.get(instance.pool)
      if (sizes) sizes.add(instance.poolSlots)
      else this.#poolSizes.set(instance.pool, new Set([instance.poolSlots]))
      this.ready.add(instanceKey(instance), lineKey(instance, task), instance, { runDate, isBackfill: of.run.backfill !== null })
    }
    if (instance.retryAt !== null) this.#wakeInstance(of, instance, instance.retryAt)
    if (instance.state === 'deferred' && instance.deferral) {
      const { wait, timeoutAt } = instance.deferral
      if (wait.kind === 'time') this.#wakeInstance(of, instance, wait.at)
      if (timeoutAt !== null) this.#wakeInstance(of, instance, timeoutAt)
    }
    this.toAdvance.add(of)
  }

  deleteInstance(of: BoardRun, instance: TaskInstance): void {
    of.delete(instance)
    this.#leave(instance)
  }

  /** Forgets the runs that have ended. Answers them. */
  sweep(): BoardRun[] {
    const gone = this.#ended.filter((of) => isFinished(of.run.state) && this.runs.get(of.key) === of)
    this.#ended = []
    for (const of of gone) this.forget(of)
    // Times far away must not keep what has ended long before.
    if (this.wakes.size > this.#wakesKept) {
      this.wakes.filter((wake) => this.#isWanted(wake))
      this.#wakesKept = Math.max(LEAST_WAKES_KEPT, 2 * this.wakes.size)
    }
    return gone
  }

  forget(of: BoardRun): void {
    for (const instance of of.instances()) this.#leave(instance)
    this.quarantine.runGone(of.run)
    this.runs.delete(of.key)
    this.toAdvance.delete(of)
    const own = this.runsOf(of.run.dagId)
    if (own.all.delete(of) && of.run.backfill) own.ofBackfills -= 1
    own.running.delete(of)
    if (own.all.size === 0) this.#byDag.delete(of.run.dagId)
    this.toPromote.add(of.run.dagId)
    this.toSchedule.add(of.run.dagId)
  }

  /**
   * The plan that a run follows: that of its DAG's document, or of only the tasks of its backfill. Where somebody has cleared other tasks that such a
   * run has had before the backfill took it over, all that it has are a part of it again.
   */
  planFor(run: DagRun): DagPlan | null {
    const dag = this.dags.get(run.dagId)
    if (!dag) return null
    const tasks = run.backfill ? this.backfills.get(run.backfill.id)?.tasks : null
    if (!tasks) return dag.plan
    const { document } = dag.record
    const partial = this.#partialPlan(document, tasks)
    const of = this.runs.get(runKey(run))
    const isOther = ({ taskId, instances, counts }: BoardTask) =>
      counts.removed < instances.size && !partial.tasks.has(taskId) && dag.plan.tasks.has(taskId)
    const others = [...(of?.tasks.values() ?? [])].filter(isOther)
    if (of && others.some((task) => !task.isDone)) of.hasOthersCleared = true
    if (!of?.hasOthersCleared || others.length === 0) return partial
    return this.#partialPlan(document, [...tasks, ...others.map(({ taskId }) => taskId).sort()])
  }

  #partialPlan(document: DagDocument, tasks: readonly string[]): DagPlan {
    let known = this.#partial.get(document)
    if (!known) {
      known = new Map()
      this.#partial.set(document, known)
    }
    const key = tasks.join('\n')
    const found = known.get(key) ?? planOf(partialDocument(document, tasks))
    known.set(key, found)
    return found
  }

  clearRuns(): void {
    this.runs.clear()
    this.#byDag.clear()
    this.#byAttempt.clear()
    this.slots.clear()
    this.ready.clear()
    this.wakes.clear()
    this.#dagWakes.clear()
    this.backfills.clear()
    this.remainingDates.clear()
    this.toAdvance.clear()
    this.#ended = []
    for (const dagId of this.dags.keys()) this.toSchedule.add(dagId)
  }

  /** The run is looked at when it has taken as long as its document allows. */
  wakeForTimeout(run: BoardRun): void {
    const { state, startedAt } = run.run
    const limit = run.plan?.document.runTimeoutSeconds ?? null
    if (state === 'running' && startedAt !== null && limit !== null)
      this.wakes.push({ at: Date.parse(startedAt) + limit * 1000, kind: 'run', run })
  }

  /** The DAG is looked at when its next run is due. */
  wakeDag(dagId: string, at: number): void {
    if (this.#dagWakes.get(dagId) === at) return
    this.#dagWakes.set(dagId, at)
    this.wakes.push({ at, kind: 'dag', dagId })
  }

  dagWoken(dagId: string, at: number): void {
    if (this.#dagWakes.get(dagId) === at) this.#dagWakes.delete(dagId)
    this.toSchedule.add(dagId)
  }

  *instances(): Generator<TaskInstance> {
    for (const of of this.runs.values()) yield* of.instances()
  }

  #wakeInstance(run: BoardRun, { taskId, mapIndex, revision }: TaskInstance, at: string): void {
    this.wakes.push({ at: Date.parse(at), kind: 'instance', run, taskId, mapIndex, revision })
  }

  #wakeRun(run: BoardRun): void {
    const { state, runAfter, deadlines } = run.run
    const at = (instant: number) => this.wakes.push({ at: instant, kind: 'run', run })
    if (state === 'queued') at(Date.parse(runAfter))
    this.wakeForTimeout(run)
    if (!isFinished(state)) for (const deadline of deadlines) if (deadline && !deadline.isMissed) at(Date.parse(deadline.at))
  }

  /** A run has come that others of its DAG may have to look back to. */
  #forgetPasts(of: BoardRun): void {
    if (!of.plan?.looksBack) return
    // Those that wait have not looked back yet.
    for (const other of this.runsOf(of.run.dagId).running) {
      other.past = undefined
      other.markAll()
      this.toAdvance.add(other)
    }
  }

  #leave(instance: TaskInstance): void {
    if (instance.attemptId) this.#byAttempt.delete(instance.attemptId)
    if (instance.state === 'scheduled') this.ready.remove(instanceKey(instance))
    if (this.slots.move(instance, undefined)) this.#release(instance)
  }

  #release(instance: TaskInstance): void {
    if (!this.ready.isHolding) return
    for (const limit of limitsFreed(instance, this.slots, this.#poolSizes.get(instance.pool) ?? [])) this.ready.release(limit)
  }
}
