/** The loop around the state machine: hears, decides, commits, tells, and only then starts what it has decided. */
import { AppError, messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Service } from '../core/service.ts'
import { Board, runKey, type UnfinishedRun } from './board.ts'
import type { DagRecord, DagStore } from './dag.ts'
import { type DagRun, type DagRunStore, isFinished, scheduledRun } from './dag-run.ts'
import { KnownDags, nextRun } from './known-dags.ts'
import { manualRun, type RunRequest } from './manual-run.ts'
import { tell } from './notice.ts'
import { isActive, type TaskInstance, type TaskInstanceStore } from './task-instance.ts'
import type { Attempt, TaskRunner } from './task-runner.ts'
import type { DueRun } from './timetable.ts'
import { type Report, Turn } from './turn.ts'

export interface SchedulerLimits {
  /** How many tasks may hold a slot at the same time, over all DAGs. */
  readonly parallelism: number
}

export interface SchedulerOptions {
  readonly dags: DagStore
  readonly runs: DagRunStore
  readonly instances: TaskInstanceStore
  readonly runner: TaskRunner
  readonly clock: Clock
  readonly events: Events
  readonly logger?: Logger
  readonly limits?: Partial<SchedulerLimits>
}

const DEFAULT_PARALLELISM = 32
/** How many missed runs one turn creates, or finds created; the next turn follows at once. */
const MAX_CREATED_PER_TURN = 20
const MAX_REST_MS = 60_000
const REST_AFTER_ERROR_MS = 1_000

export class Scheduler implements Service {
  readonly #options: SchedulerOptions
  readonly #logger: Logger
  readonly #parallelism: number
  readonly #board = new Board()
  readonly #dags: KnownDags
  readonly #attempts = new Map<string, AbortController>()
  #inbox: Report[] = []
  #boardIsOld = true
  #isStopped = true
  #wakeUp = new AbortController()
  #loop: Promise<void> | null = null
  #last: Promise<unknown> = Promise.resolve()
  #lastTurnAt: Date | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.#parallelism = options.limits?.parallelism ?? DEFAULT_PARALLELISM
    this.#dags = new KnownDags({ board: this.#board, dags: options.dags, runs: options.runs, logger: this.#logger })
  }

  /** When the last turn was made and kept: a scheduler that rests makes one a minute. */
  get lastTurnAt(): Date | null {
    return this.#lastTurnAt
  }

  /** Takes up what an earlier platform left unfinished, and begins. */
  async start(): Promise<void> {
    if (!this.#isStopped) return
    this.#isStopped = false
    await this.#inTurn(() => {})
    this.#loop = this.#run()
  }

  /** Ends the tries under way without recording how they end: the next start takes them up as lost. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#loop
    for (const attempt of this.#attempts.values()) attempt.abort()
    this.#attempts.clear()
    await this.#options.runner.stop()
  }

  /** Documents, files or switches of DAGs have changed. */
  dagsChanged(): void {
    this.#dags.expire()
    this.#wake()
  }

  /** Creates a run by hand; of a paused DAG it waits as `queued`. Throws `not_found`, `invalid`, `conflict`. */
  trigger(dagId: string, request: RunRequest, by: string): Promise<DagRun> {
    return this.#inTurn(async (turn) => {
      const dag = await this.#dags.find(dagId)
      const run = manualRun(dag.record, dag.timetable, request, this.#options.clock.now(), by)
      await this.#refuseTwin(run)
      turn.add(run, dag)
      return run
    })
  }

  /** Ends an unfinished run by hand and stops its tasks. Throws `not_found`, or `conflict` when it has ended already. */
  async endRun(dagId: string, runId: string, state: 'success' | 'failed', by: string): Promise<DagRun> {
    const key = runKey({ dagId, runId })
    await this.#inTurn(async (turn) => {
      const found = this.#board.runs.get(key)
      if (found && !isFinished(found.run.state)) return turn.end(found, state, by)
      const run = await this.#options.runs.find(dagId, runId)
      if (!run)
        throw new AppError('not_found', `There is no run "${runId}" of DAG "${dagId}". GET /api/v2/dags/${dagId}/dagRuns lists them.`)
      if (run.state !== state) {
        throw new AppError('conflict', `Run "${runId}" of DAG "${dagId}" cannot be marked ${state}: it has ended as ${run.state} already.`)
      }
    })
    return (await this.#options.runs.find(dagId, runId)) as DagRun
  }

  async setPaused(dagId: string, isPaused: boolean): Promise<DagRecord> {
    await this.#exclusively(async () => {
      await this.#dags.find(dagId)
      await this.#options.dags.setPaused(dagId, isPaused)
    })
    this.dagsChanged()
    return (await this.#options.dags.find(dagId)) as DagRecord
  }

  /** The next run that the schedule of a DAG will bring, also while it is paused; null when there is none. */
  nextRun(dagId: string): DueRun | null {
    const dag = this.#board.dags.get(dagId)
    return dag && !dag.record.isStale ? nextRun(dag, this.#options.clock.now()) : null
  }

  /** One turn. Answers how many milliseconds there is nothing to do, if nobody wakes the scheduler. */
  poll(): Promise<number> {
    let heard: Report[] = []
    return this.#inTurn(async (turn) => {
      heard = this.#inbox
      this.#inbox = []
      for (const report of heard) turn.hear(report)
      const hasMore = await this.#createDueRuns(turn)
      turn.promote()
      turn.advance()
      turn.queue(this.#parallelism)
      return hasMore ? 0 : this.#restMs(this.#options.clock.now())
    }).then(
      (restMs) => {
        this.#lastTurnAt = this.#options.clock.now()
        return restMs
      },
      (error: unknown) => {
        this.#inbox = [...heard, ...this.#inbox]
        throw error
      },
    )
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#wakeUp = new AbortController()
      const rest = await this.poll().catch((error: unknown) => {
        this.#logger.error('The scheduler could not finish a turn.', { error: messageOf(error) })
        return REST_AFTER_ERROR_MS
      })
      await this.#options.clock.sleep(rest, this.#wakeUp.signal)
    }
  }

  #wake(): void {
    this.#wakeUp.abort()
  }

  /** Turns and commands follow each other, so that none sees the board half moved. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /** What `work` moves is committed as a whole; when that fails, the board is read again from the store before anything else. */
  #inTurn<T>(work: (turn: Turn) => T | Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      await this.#dags.refresh()
      if (this.#boardIsOld) await this.#loadRuns()
      const turn = new Turn(this.#board, this.#options.clock.now())
      try {
        const result = await work(turn)
        await this.#commit(turn)
        return result
      } catch (error) {
        this.#boardIsOld = !turn.isEmpty
        throw error
      }
    })
  }

  /** Makes the turn durable, then tells it, then starts and stops what it says. */
  async #commit(turn: Turn): Promise<void> {
    if (!turn.isEmpty) await this.#options.runs.record(turn.changes)
    for (const notice of turn.notices) tell(this.#options.events, notice, this.#board.runs.get(runKey(notice))?.run.createdBy ?? 'system')
    for (const attemptId of turn.cancelled) this.#attempts.get(attemptId)?.abort()
    for (const attempt of turn.attempts) this.#launch(attempt)
    this.#board.sweep()
    if (turn.notices.length > 0 || turn.cancelled.length > 0) this.#wake()
  }

  #launch(attempt: Attempt): void {
    const { attemptId } = attempt
    const controller = new AbortController()
    this.#attempts.set(attemptId, controller)
    const report = (told: Report) => {
      if (this.#isStopped && controller.signal.aborted) return
      this.#inbox.push(told)
      this.#wake()
    }
    this.#options.runner
      .run(attempt, controller.signal, () => report({ attemptId, kind: 'started' }))
      .catch((error: unknown) => {
        this.#logger.error('A task could not be run.', { dagId: attempt.dagId, taskId: attempt.taskId, error: messageOf(error) })
        return { state: 'failed' as const, detail: `The task could not be run: ${messageOf(error)}`, isFinal: false, renderedFields: null }
      })
      .then((result) => {
        this.#attempts.delete(attemptId)
        report({ attemptId, kind: 'ended', result })
      })
  }

  /** Unpaused DAGs get the runs that are due. True when there is more to do at once. */
  async #createDueRuns(turn: Turn): Promise<boolean> {
    const { clock, runs } = this.#options
    const now = clock.now()
    let created = 0
    for (const dag of this.#board.dags.values()) {
      const { record } = dag
      if (record.isPaused || record.isStale || record.hasImportErrors) continue
      for (let active = this.#board.runsOf(record.dagId).size; active < record.document.maxActiveRuns; ) {
        if (!dag.due || dag.due.runAfter <= now) dag.due = nextRun(dag, now)
        if (!dag.due || dag.due.runAfter > now) break
        if (created >= MAX_CREATED_PER_TURN) return true
        const run = scheduledRun(record.dagId, dag.due, now)
        const twin = (await runs.findByLogicalDate(record.dagId, run.logicalDate as string)) ?? (await runs.find(record.dagId, run.runId))
        dag.lastInterval = dag.due.interval
        dag.due = undefined
        created += 1
        // Somebody has triggered a run for exactly this date already: that one stands.
        if (twin) continue
        turn.add(run, dag)
        active += 1
      }
    }
    return false
  }

  #restMs(now: Date): number {
    const times = [now.getTime() + MAX_REST_MS]
    for (const { record, due } of this.#board.dags.values())
      if (due && !record.isPaused && due.runAfter > now) times.push(due.runAfter.getTime())
    for (const { run, wakeAt } of this.#board.runs.values()) {
      if (wakeAt) times.push(wakeAt.getTime())
      if (run.state === 'queued' && new Date(run.runAfter) > now) times.push(new Date(run.runAfter).getTime())
    }
    return Math.max(0, Math.min(...times) - now.getTime())
  }

  /** Reads the unfinished runs again. Tries that nobody is working on any more are lost. */
  async #loadRuns(): Promise<void> {
    const { runs, instances, clock } = this.#options
    const unfinished = await runs.listUnfinished()
    const loaded = await Promise.all(unfinished.map(async (run) => ({ run, own: await instances.listOfRun(run.dagId, run.runId) })))
    this.#board.clearRuns()
    const lost: { of: UnfinishedRun; instance: TaskInstance }[] = []
    for (const { run, own } of loaded) {
      const of = this.#board.putRun(run)
      for (const instance of own) {
        this.#board.putInstance(of, instance)
        if (isActive(instance.state) && !this.#isUnderWay(instance.attemptId)) lost.push({ of, instance })
      }
    }
    await this.#dags.refreshIntervals()
    const turn = new Turn(this.#board, clock.now())
    for (const { of, instance } of lost) turn.lose(of, instance)
    await this.#commit(turn)
    this.#boardIsOld = false
  }

  #isUnderWay(attemptId: string | null): boolean {
    return attemptId !== null && (this.#attempts.has(attemptId) || this.#inbox.some((report) => report.attemptId === attemptId))
  }

  async #refuseTwin(run: DagRun): Promise<void> {
    const { runs } = this.#options
    const sameDate = run.logicalDate && (await runs.findByLogicalDate(run.dagId, run.logicalDate))
    const twin = sameDate || (await runs.find(run.dagId, run.runId))
    if (!twin) return
    throw new AppError(
      'conflict',
      `DAG "${run.dagId}" already has the run "${twin.runId}" for ${sameDate ? `the logical date ${run.logicalDate}` : 'this id'}. Give another logical_date or dag_run_id.`,
    )
  }
}
