/** One turn of the scheduler: the moves made on the board, to be committed together and told afterwards. Pure but for the board. */
import { newId } from '../core/id.ts'
import type { AssetEvent, QueuedAssetEvent } from './asset.ts'
import { toAttempt } from './attempt.ts'
import type { Backfill, BackfillDate } from './backfill.ts'
import type { Board } from './board.ts'
import type { BoardRun } from './board-run.ts'
import { type Cancellation, OF_LOST_TRY, type TriggerWait } from './cancellation.ts'
import { tryOf } from './clear.ts'
import { type Changes, type DagRun, type DagRunState, moveRun, runKey } from './dag-run.ts'
import type { Subject } from './fault.ts'
import type { Notice } from './notice.ts'
import { instanceKey, isDone, type MoveFacts, moveInstance, type TaskInstance, type TaskInstanceState } from './task-instance.ts'
import type { Attempt, AttemptResult, CallbackCall } from './task-runner.ts'
import type { TaskTry } from './task-try.ts'

export class Turn {
  readonly board: Board
  readonly now: Date
  readonly #created = new Map<string, DagRun>()
  readonly #runs = new Map<string, DagRun>()
  readonly #added = new Map<string, TaskInstance>()
  readonly #instances = new Map<string, TaskInstance>()
  readonly #deleted = new Map<string, TaskInstance>()
  readonly #tries: TaskTry[] = []
  readonly xcoms: Changes['xcoms'][number][] = []
  readonly xcomsCleared: Changes['xcomsCleared'][number][] = []
  /** Every state that something came to, in order, for the events, and on whose behalf. */
  readonly notices: { readonly notice: Notice; readonly by: string }[] = []
  readonly attempts: Attempt[] = []
  /** Tokens of tries that are to be ended. */
  readonly cancelled: string[] = []
  /** Deferred instances whose wait is to be begun. */
  readonly waits: TaskInstance[] = []
  /** Deferred instances, as they were, whose wait is over. */
  readonly waitsEnded: TaskInstance[] = []
  /** Waits that are to be cancelled with all that they have begun elsewhere, and those that have been. */
  readonly cancellations: Cancellation[] = []
  readonly cancellationsDone: string[] = []
  readonly calls: CallbackCall[] = []
  readonly called: string[] = []
  /** Successes that update assets. */
  readonly updates: { readonly instance: TaskInstance; readonly by: string; readonly result: AttemptResult & { state: 'success' } }[] = []
  readonly assetEvents: AssetEvent[] = []
  readonly assetsQueued: QueuedAssetEvent[] = []
  readonly assetsConsumed: Changes['assetsConsumed'][number][] = []
  readonly backfillDates: BackfillDate[] = []
  readonly #backfills = new Map<number, Backfill>()
  /** Counts what is to be kept of this turn. */
  moves = 0
  /** Deadlines that have gone by. */
  readonly missed: { readonly run: DagRun; readonly index: number; readonly at: string }[] = []
  /** What is done once all of it is durable. */
  readonly onKept: (() => void)[] = []
  /** Runs that have failed by themselves in this turn. */
  readonly failed: DagRun[] = []

  constructor(board: Board, now: Date) {
    this.board = board
    this.now = now
  }

  get changes(): Changes {
    return {
      created: [...this.#created.values()],
      runs: [...this.#runs.values()],
      added: [...this.#added.values()],
      instances: [...this.#instances.values()],
      deleted: [...this.#deleted.values()],
      tries: this.#tries,
      xcoms: this.xcoms,
      xcomsCleared: this.xcomsCleared,
      callbacks: this.calls,
      callbacksDone: this.called,
      cancellations: this.cancellations,
      cancellationsDone: this.cancellationsDone,
      assetEvents: this.assetEvents,
      assetsQueued: this.assetsQueued,
      assetsConsumed: this.assetsConsumed,
      backfills: [...this.#backfills.values()],
      backfillDates: this.backfillDates,
    }
  }

  get isEmpty(): boolean {
    return !Object.values(this.changes).some((rows) => rows.length > 0) && this.notices.length === 0
  }

  /** All that this turn has moved something of. */
  get subjects(): Subject[] {
    const { created, runs, added, instances, deleted, tries, xcoms, xcomsCleared, callbacks, assetsConsumed, backfills, backfillDates } =
      this.changes
    const found = new Map<string, Subject>()
    const add = (subject: Subject) => found.set(JSON.stringify(subject), subject)
    for (const { dagId, backfill } of created)
      add(backfill ? { kind: 'backfill', dagId, backfillId: backfill.id } : { kind: 'schedule', dagId })
    for (const rows of [runs, added, instances, deleted, tries, xcoms, xcomsCleared, callbacks])
      for (const { dagId, runId } of rows) if (!this.#created.has(runKey({ dagId, runId }))) add({ kind: 'run', dagId, runId })
    for (const { dagId } of assetsConsumed) add({ kind: 'schedule', dagId })
    for (const { dagId, id } of backfills) add({ kind: 'backfill', dagId, backfillId: id })
    for (const { backfillId } of backfillDates) {
      const dagId = this.board.backfills.get(backfillId)?.dagId
      if (dagId) add({ kind: 'backfill', dagId, backfillId })
    }
    return [...found.values()]
  }

  /** The new runs of this turn, which the store does not know yet. */
  get created(): Iterable<DagRun> {
    return this.#created.values()
  }

  /** The new run of this turn for a logical date. */
  createdFor(dagId: string, logicalDate: string): DagRun | null {
    for (const run of this.#created.values()) if (run.dagId === dagId && run.logicalDate === logicalDate) return run
    return null
  }

  /** Puts a new run on the board. */
  create(run: DagRun): BoardRun {
    this.moves += 1
    this.#created.set(runKey(run), run)
    this.#tell(run, run.createdBy)
    return this.board.putRun(run)
  }

  /** The run as it is from now on, told of when its state is another. */
  putRun(run: DagRun): BoardRun {
    this.moves += 1
    const key = runKey(run)
    const before = this.board.runs.get(key)?.run
    if (this.#created.has(key)) this.#created.set(key, run)
    else this.#runs.set(key, run)
    if (before?.state !== run.state) this.#tell(run, run.createdBy)
    return this.board.putRun(run)
  }

  moveRun(of: BoardRun, state: DagRunState): void {
    this.putRun({ ...moveRun(of.run, state, this.now), decidedAt: this.now.toISOString() })
  }

  move(of: BoardRun, instance: TaskInstance, state: TaskInstanceState, facts: MoveFacts = {}): TaskInstance {
    const moved = moveInstance(instance, state, this.now, facts)
    this.put(of, moved)
    return moved
  }

  /** An instance that has changed, or a new one. */
  put(of: BoardRun, instance: TaskInstance): void {
    this.moves += 1
    const key = instanceKey(instance)
    const isNew = instance.revision === 0 || this.#added.has(key)
    if (isNew) this.#added.set(key, instance)
    else this.#instances.set(key, instance)
    const before = of.find(instance.taskId, instance.mapIndex)?.state
    this.board.putInstance(of, instance)
    if (instance.state !== 'none' && instance.state !== before) this.#tell(instance, of.run.createdBy)
    if (of.plan?.looksBack && (isDone(instance.state) || (before && isDone(before)))) this.#tellNextRun(of, instance)
  }

  /** Instances take the place of one. */
  replace(of: BoardRun, instance: TaskInstance, others: readonly TaskInstance[]): void {
    const key = instanceKey(instance)
    if (!this.#added.delete(key)) this.#deleted.set(key, instance)
    this.#instances.delete(key)
    this.board.deleteInstance(of, instance)
    for (const other of others) this.put(of, other)
  }

  /** Takes back what this turn has moved of a run that is deleted, or of all runs of a DAG. */
  drop(dagId: string, runId: string | null): void {
    const isGone = (one: { readonly dagId: string; readonly runId: string }) =>
      one.dagId === dagId && (runId === null || one.runId === runId)
    for (const rows of [this.#created, this.#runs, this.#added, this.#instances, this.#deleted])
      for (const [key, one] of rows) if (isGone(one)) rows.delete(key)
    for (const rows of [this.#tries, this.xcoms, this.xcomsCleared, this.calls] as { readonly dagId: string; readonly runId: string }[][])
      rows.splice(0, rows.length, ...rows.filter((one) => !isGone(one)))
  }

  putBackfill(backfill: Backfill): void {
    this.moves += 1
    this.#backfills.set(backfill.id, backfill)
    this.board.putBackfill(backfill)
  }

  /** Keeps the last try of an instance before something comes after it. */
  keepTry(instance: TaskInstance): void {
    const one = tryOf(instance)
    if (one) this.#tries.push(one)
  }

  keepTries(tries: readonly TaskTry[]): void {
    this.#tries.push(...tries)
  }

  /** Ends whatever works for an instance, as it was before it moved on. */
  cancel(instance: TaskInstance): void {
    if (instance.attemptId) this.cancelled.push(instance.attemptId)
    const { deferral, lostAttempts, state } = instance
    if (deferral?.wait.kind === 'trigger' && deferral.event === null) this.#cancelBegun(instance, deferral.wait)
    // The try that was to take it over has not begun.
    else if (!deferral && lostAttempts > 0 && (state === 'scheduled' || state === 'queued')) this.cancelLost(instance)
  }

  /** Has an operator end what a lost try may have begun elsewhere, since no other try takes it over. */
  cancelLost(instance: TaskInstance): void {
    if (instance.operator !== 'function') this.#cancelBegun(instance, OF_LOST_TRY)
  }

  #cancelBegun(instance: TaskInstance, wait: TriggerWait): void {
    const { dagId, taskId } = instance
    const of = this.board.runs.get(runKey(instance))
    const dag = this.board.dags.get(dagId)
    const planned = of?.tasks.get(taskId)?.planned
    if (!of || !dag || !planned) return
    const id = newId()
    this.cancellations.push({ id, attempt: { ...toAttempt(dag, of, planned, instance), attemptId: id }, wait })
  }

  #tell(notice: Notice, by: string): void {
    this.notices.push({ notice, by })
  }

  /** The same task of the next run may have waited for this, and with it the tasks that wait for what comes after them. */
  #tellNextRun(of: BoardRun, { taskId }: TaskInstance): void {
    for (const next of this.board.runsOf(of.run.dagId).running) {
      if (next.past?.runId !== of.run.runId) continue
      const ids = [taskId, ...(of.plan?.tasks.get(taskId)?.document.upstream ?? [])]
      for (const id of ids) {
        const task = next.tasks.get(id)
        if (task && task.counts.none > 0) next.mark(task, null)
      }
      this.board.toAdvance.add(next)
    }
  }
}
