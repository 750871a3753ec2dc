/** One turn of the scheduler: the moves made on the board, to be committed together and told afterwards. Pure but for the board. */
import { newId } from '../core/id.ts'
import type { Board, KnownDag, UnfinishedRun } from './board.ts'
import { runKey } from './board.ts'
import { type Changes, type DagRun, type DagRunState, moveRun } from './dag-run.ts'
import { decide, reconcile } from './decide.ts'
import type { Notice } from './notice.ts'
import { retryDelaySeconds } from './retry.ts'
import { isActive, isDone, type MoveFacts, moveInstance, type TaskInstance, type TaskInstanceState } from './task-instance.ts'
import type { Attempt, AttemptResult } from './task-runner.ts'
import type { TaskTry } from './task-try.ts'
import { RETURN_VALUE, type XCom } from './xcom.ts'

/** What a runner says of an attempt. */
export type Report = { readonly attemptId: string } & (
  | { readonly kind: 'started' }
  | { readonly kind: 'ended'; readonly result: AttemptResult }
)

/** A task whose try was lost this often with the platform is taken to be what ends it. */
const MAX_LOST_ATTEMPTS = 3

export class Turn {
  readonly #board: Board
  readonly #now: Date
  readonly #created = new Map<string, DagRun>()
  readonly #added = new Map<string, TaskInstance>()
  readonly #tries: TaskTry[] = []
  readonly #runs = new Map<string, DagRun>()
  readonly #instances = new Map<string, TaskInstance>()
  readonly #xcoms: XCom[] = []
  readonly #xcomsCleared: Changes['xcomsCleared'][number][] = []
  /** Every state that something came to, in order, for the events. */
  readonly notices: Notice[] = []
  readonly attempts: Attempt[] = []
  readonly cancelled: string[] = []

  constructor(board: Board, now: Date) {
    this.#board = board
    this.#now = now
  }

  get changes(): Changes {
    return {
      created: [...this.#created.values()],
      runs: [...this.#runs.values()],
      added: [...this.#added.values()],
      tries: this.#tries,
      instances: [...this.#instances.values()],
      xcoms: this.#xcoms,
      xcomsCleared: this.#xcomsCleared,
    }
  }

  get isEmpty(): boolean {
    return this.notices.length === 0 && this.#instances.size === 0 && this.#added.size === 0
  }

  /** Puts a new run on the board with all of its tasks. */
  add(run: DagRun, dag: KnownDag): void {
    this.#created.set(runKey(run), run)
    this.notices.push(run)
    const unfinished = this.#board.putRun(run)
    unfinished.document = dag.record.document
    for (const instance of reconcile(dag.record.document, run, unfinished.instances, this.#now)) this.#put(unfinished, instance)
  }

  /** Records what a runner says, if the attempt is still the one under way. */
  hear(report: Report): void {
    const found = this.#board.findAttempt(report.attemptId)
    const unfinished = found && this.#board.runs.get(runKey(found))
    if (!found || !unfinished) return
    const running = found.state === 'queued' ? this.#move(unfinished, found, 'running') : found
    if (report.kind === 'started') return
    const { result } = report
    const { renderedFields } = result
    if (result.state === 'success') {
      this.#move(unfinished, running, 'success', { renderedFields })
      const { output } = result
      if (output !== undefined && output !== null) {
        const { dagId, runId, taskId, mapIndex } = found
        this.#xcoms.push({ dagId, runId, taskId, mapIndex, key: RETURN_VALUE, value: output, at: this.#now.toISOString() })
      }
    } else if (result.state === 'skipped') {
      this.#move(unfinished, running, 'skipped', { detail: result.detail, renderedFields })
    } else if (result.state === 'failed') {
      this.#fail(unfinished, running, result.detail, result.isFinal, renderedFields)
    }
    this.#clearEarlierXComs(unfinished, running)
  }

  /**
   * A try whose platform ended under it. Not begun: it keeps its number and waits for a slot again. Begun: the task is tried again
   * at once without using up its retries, since it was not at fault; after three such losses in a row of tries it counts as failed.
   */
  lose(unfinished: UnfinishedRun, instance: TaskInstance): void {
    if (instance.state === 'queued') {
      this.#move(unfinished, instance, 'scheduled', { tryNumber: instance.tryNumber - 1 })
    } else if (instance.lostAttempts < MAX_LOST_ATTEMPTS) {
      this.#move(unfinished, instance, 'scheduled', {
        lostAttempts: instance.lostAttempts + 1,
        maxTries: instance.maxTries + 1,
        detail: `The platform ended during try ${instance.tryNumber}; the task is tried again.`,
      })
    } else {
      this.#fail(unfinished, instance, `The platform has ended during ${MAX_LOST_ATTEMPTS + 1} tries of this task.`, true, null)
    }
  }

  /** Lets queued runs start, those that are due longest first, as far as their DAG allows. */
  promote(): void {
    const running = new Map<string, number>()
    const queued: DagRun[] = []
    for (const { run } of this.#board.runs.values()) {
      if (run.state === 'running') running.set(run.dagId, (running.get(run.dagId) ?? 0) + 1)
      else if (run.state === 'queued' && new Date(run.runAfter) <= this.#now) queued.push(run)
    }
    for (const run of queued.sort((a, b) => a.runAfter.localeCompare(b.runAfter))) {
      const record = this.#board.dags.get(run.dagId)?.record
      const beside = running.get(run.dagId) ?? 0
      if (!record || record.isPaused || beside >= record.document.maxActiveRuns) continue
      running.set(run.dagId, beside + 1)
      this.#moveRun(run, 'running')
    }
  }

  /** Follows every run in which something happened or a retry is due. */
  advance(): void {
    for (const unfinished of this.#board.runs.values()) {
      const isDue = unfinished.isDirty || (unfinished.wakeAt && unfinished.wakeAt <= this.#now)
      if (unfinished.run.state === 'running' && isDue) this.#advanceRun(unfinished)
    }
  }

  /** Gives free slots to ready tasks, the longest waiting first; one that its DAG's limit holds back lets the others pass. */
  queue(parallelism: number): void {
    for (const instance of [...this.#board.ready.values()]) {
      if (this.#board.activeTasks >= parallelism) return
      const dag = this.#board.dags.get(instance.dagId)
      const unfinished = this.#board.runs.get(runKey(instance))
      const task = dag?.record.document.tasks.find(({ taskId }) => taskId === instance.taskId)
      if (!dag || !unfinished || !task || dag.record.isPaused || unfinished.run.state !== 'running') continue
      if (this.#board.activeTasksOf(instance.dagId) >= dag.record.document.maxActiveTasks) continue
      const queued = this.#move(unfinished, instance, 'queued', { attemptId: newId(), tryNumber: instance.tryNumber + 1 })
      this.attempts.push(toAttempt(dag, unfinished.run, queued, task))
    }
  }

  /** Ends a run by hand: what runs is stopped and counts as failed (or as the run does), what has not begun is skipped. */
  end(unfinished: UnfinishedRun, state: 'success' | 'failed', by: string): void {
    for (const instance of unfinished.instances.values()) {
      if (isDone(instance.state)) continue
      const detail = `The run was marked ${state} by ${by}.`
      if (instance.attemptId) this.cancelled.push(instance.attemptId)
      if (!isActive(instance.state)) this.#move(unfinished, instance, 'skipped', { detail })
      else if (state === 'failed') this.#move(unfinished, instance, 'failed', { detail })
      else this.#move(unfinished, instance, 'skipped', { detail })
    }
    this.#moveRun(unfinished.run, state)
  }

  #advanceRun(unfinished: UnfinishedRun): void {
    const record = this.#board.dags.get(unfinished.run.dagId)?.record
    if (!record) return
    if (unfinished.document !== record.document) {
      const changed = reconcile(record.document, unfinished.run, unfinished.instances, this.#now)
      for (const instance of changed) this.#put(unfinished, instance)
      unfinished.document = record.document
    }
    const decision = decide(record.document, unfinished.instances, this.#now)
    const isHeld = record.isPaused && decision.outcome === null
    if (!isHeld) for (const moved of decision.moves) this.#put(unfinished, moved)
    if (decision.outcome) this.#moveRun(unfinished.run, decision.outcome)
    unfinished.wakeAt = isHeld ? null : decision.wakeAt
    unfinished.isDirty = false
  }

  #fail(unfinished: UnfinishedRun, instance: TaskInstance, detail: string, isFinal: boolean, renderedFields: unknown): void {
    const { run } = unfinished
    const task = this.#board.dags.get(run.dagId)?.record.document.tasks.find(({ taskId }) => taskId === instance.taskId)
    if (isFinal || !task || instance.tryNumber > instance.maxTries) {
      this.#move(unfinished, instance, 'failed', { detail, renderedFields })
      return
    }
    const waitSeconds = retryDelaySeconds(task, {
      dagId: run.dagId,
      logicalDate: new Date(run.logicalDate ?? run.runAfter),
      tryNumber: instance.tryNumber,
    })
    const retryAt = new Date(this.#now.getTime() + waitSeconds * 1000).toISOString()
    this.#move(unfinished, instance, 'up_for_retry', { detail, renderedFields, retryAt })
  }

  /** Only now: a try may ask what the one before it has left, such as the id of a build that still runs, and join it. */
  #clearEarlierXComs(unfinished: UnfinishedRun, { dagId, runId, taskId, mapIndex, tryNumber, queuedAt }: TaskInstance): void {
    const isThrough = isDone(unfinished.instances.get(taskId)?.state ?? 'none')
    if (isThrough && tryNumber > 1 && queuedAt !== null) this.#xcomsCleared.push({ dagId, runId, taskId, mapIndex, before: queuedAt })
  }

  #move(unfinished: UnfinishedRun, instance: TaskInstance, state: TaskInstanceState, facts: MoveFacts = {}): TaskInstance {
    const moved = moveInstance(instance, state, this.#now, facts)
    this.#put(unfinished, moved)
    return moved
  }

  #put(unfinished: UnfinishedRun, instance: TaskInstance): void {
    this.#board.putInstance(unfinished, instance)
    const key = `${runKey(instance)}/${instance.taskId}`
    const isNew = this.#added.has(key) || instance.revision === 0
    ;(isNew ? this.#added : this.#instances).set(key, instance)
    if (instance.state !== 'none') this.notices.push(instance)
  }

  #moveRun(run: DagRun, state: DagRunState): void {
    const moved = moveRun(run, state, this.#now)
    this.#board.putRun(moved)
    const key = runKey(moved)
    ;(this.#created.has(key) ? this.#created : this.#runs).set(key, moved)
    this.notices.push(moved)
  }
}

function toAttempt({ record, timetable }: KnownDag, run: DagRun, instance: TaskInstance, task: Attempt['task']): Attempt {
  const { params, timezone, description, tags, owners, tasksPerWorker } = record.document
  const previous = record.document.schedule.kind === 'cron' ? timetable.inferManual(new Date(run.dataIntervalStart)) : null
  return {
    attemptId: instance.attemptId ?? '',
    dagId: run.dagId,
    runId: run.runId,
    taskId: instance.taskId,
    mapIndex: instance.mapIndex,
    tryNumber: instance.tryNumber,
    maxTries: instance.maxTries,
    runType: run.runType,
    logicalDate: run.logicalDate,
    dataIntervalStart: run.dataIntervalStart,
    dataIntervalEnd: run.dataIntervalEnd,
    previousIntervalStart: previous?.start.toISOString() ?? null,
    conf: run.conf,
    startedBy: run.createdBy,
    file: record.file,
    task,
    dag: { params, timezone, description, tags, owners, tasksPerWorker },
    resume: null,
    firstStartedAt: instance.firstStartedAt,
    rescheduleCount: instance.rescheduleCount,
    mapCount: null,
  }
}
