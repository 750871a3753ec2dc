/** Makes turns one after another: what a turn moves on the board is made durable, then told, and only then is work started and stopped. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { newId } from '../core/id.ts'
import type { Logger } from '../core/logger.ts'
import type { AssetStore } from './asset.ts'
import { AssetUpdates } from './asset-updates.ts'
import { toAttempt } from './attempt.ts'
import type { BackfillStore } from './backfill.ts'
import { Board } from './board.ts'
import type { BoardRun } from './board-run.ts'
import type { CallbackStore } from './callback.ts'
import type { CancellationStore } from './cancellation.ts'
import { CommandBatch } from './command-batch.ts'
import type { DagStore } from './dag.ts'
import { type DagRun, type DagRunStore, NO_CHANGES, runKey } from './dag-run.ts'
import { Fault, faultOfRun, sentenceOf } from './fault.ts'
import { goOn, lose } from './hear.ts'
import { KnownDags } from './known-dags.ts'
import type { Launcher } from './launcher.ts'
import { rememberEnded } from './look-back.ts'
import { tell, tellMissed } from './notice.ts'
import { DEFAULT_POOL, type Pool, type PoolStore } from './pool.ts'
import { instanceKey, isActive, type TaskInstance, type TaskInstanceStore } from './task-instance.ts'
import type { Attempt } from './task-runner.ts'
import { Turn } from './turn.ts'

export interface Stores {
  readonly dags: DagStore
  readonly runs: DagRunStore
  readonly instances: TaskInstanceStore
  /** Without: one pool for everything, of 128 slots. */
  readonly pools?: PoolStore | undefined
  readonly backfills?: BackfillStore | undefined
  readonly assets?: AssetStore | undefined
  readonly callbacks?: CallbackStore | undefined
  /** Without: what was to be cancelled when the platform ended goes on. */
  readonly cancellations?: CancellationStore | undefined
}

interface TurnsOptions {
  readonly stores: Stores
  readonly clock: Clock
  readonly events: Events
  readonly logger: Logger
  /** That of now: a scheduler that starts again has another. */
  readonly launcher: () => Launcher
  /** Whether a report about a try, or about the wait of a deferred instance, waits to be heard. */
  readonly isReported: (of: string | TaskInstance) => boolean
  /** Something has changed: more may follow from it. */
  readonly onChange: () => void
}

const POOLS_WITHOUT_STORE: readonly Pool[] = [{ name: DEFAULT_POOL, slots: 128, description: null, includeDeferred: false }]

export class Turns {
  readonly board = new Board()
  readonly dags: KnownDags
  readonly assets: AssetUpdates | null
  readonly #options: TurnsOptions
  #isOld = true
  #arePoolsOld = true
  #areAssetsOld = true
  #last: Promise<unknown> = Promise.resolve()
  readonly #commands: CommandBatch
  /** Turns whose commit has failed as far as anybody knows. */
  #untold: Turn[] = []
  /** The turn that the store has just refused. */
  #refused: Turn | null = null

  constructor(options: TurnsOptions) {
    this.#options = options
    const { stores } = options
    this.assets = stores.assets ? new AssetUpdates(stores.assets) : null
    this.dags = new KnownDags({ board: this.board, dags: stores.dags, runs: stores.runs, onFault: (fault) => void this.#blame(fault) })
    this.#commands = new CommandBatch({
      make: (work) => this.make(work),
      isOutage: (error) => stores.runs.isOutage(error),
      onEnd: options.onChange,
    })
  }

  /** The board is read again before the next turn. */
  forget(): void {
    this.#isOld = true
  }

  poolsChanged(): void {
    this.#arePoolsOld = true
  }

  /** Turns and commands follow each other, so that none sees the board half moved. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  /**
   * What `work` moves is committed as a whole; when that fails, the board is read again from the store before anything else. Throws a `Fault`
   * when one run or DAG is to blame: it is held then, and what was to be done can be done again at once.
   */
  make<T>(work: (turn: Turn) => T | Promise<T>): Promise<T> {
    return this.exclusively(async () => {
      if (await this.dags.refresh()) this.#areAssetsOld = true
      this.#isOld ||= this.#options.stores.runs.isBehind
      if (this.board.quarantine.release(this.#options.clock.now())) this.#isOld = true
      while (this.#isOld) await this.#load()
      if (this.#areAssetsOld) await this.#followAssets()
      if (this.#arePoolsOld) await this.#readPools()
      const turn = new Turn(this.board, this.#options.clock.now())
      this.#refused = null
      try {
        const result = await work(turn)
        await this.#commit(turn)
        return result
      } catch (error) {
        // Also a command that was refused may have put something on the board before.
        this.#isOld ||= !turn.isEmpty
        throw this.#blame(error)
      }
    })
  }

  /**
   * A turn was refused that had heard nothing, and no single run or DAG is known to be to blame: all that it has moved is tried again one by one.
   * Answers false when that is no use: the store refuses everything, or the turn has moved nothing.
   */
  isolate(error: unknown): Promise<boolean> {
    return this.exclusively(async () => {
      const { quarantine } = this.board
      const subjects = quarantine.onTrial ? [quarantine.onTrial] : (this.#refused?.subjects ?? [])
      const [only] = subjects
      if (!only || !(await this.#takesAnything())) return false
      this.#isOld = true
      if (subjects.length === 1) return this.#blame(new Fault(only, error), true) instanceof Fault
      quarantine.suspect(subjects, messageOf(error), this.#options.clock.now())
      this.#options.logger.error('The scheduler could not finish a turn. What it has moved is tried again, one by one.', {
        error: messageOf(error),
      })
      return true
    })
  }

  #takesAnything(): Promise<boolean> {
    return this.#options.stores.runs.record(NO_CHANGES).then(
      () => true,
      () => false,
    )
  }

  /** Holds what is at fault. Answers what is to be thrown: the fault, or what it came from when it is another's. */
  #blame(error: unknown, isAlone = false): unknown {
    if (!(error instanceof Fault)) return error
    const { stores, clock, logger } = this.#options
    const trouble = stores.runs.isOutage(error.cause) ? null : this.board.quarantine.hold(error, clock.now(), isAlone)
    if (!trouble) return error.cause
    const { subject, triesAgainAt, refusals } = trouble
    this.#isOld ||= subject.kind !== 'document'
    const cause = error.cause instanceof Error ? error.cause.stack : undefined
    logger.error(`${sentenceOf(subject)}. All else goes on.`, { ...subject, refusals, triesAgainAt, error: error.message, stack: cause })
    return error
  }

  /** What `work` moves, committed together with other commands that come at the same time: each is answered for itself. */
  command<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    return this.#commands.add(work)
  }

  /** Makes a turn of which something is kept in any case. Throws when that fails: then the store or the board is at fault, whatever is heard besides. */
  prove<T>(work: (turn: Turn) => T | Promise<T>): Promise<T> {
    return this.make(async (turn) => {
      await this.#options.stores.runs.record(NO_CHANGES)
      return work(turn)
    })
  }

  async #commit(turn: Turn): Promise<void> {
    const { stores, events, onChange } = this.#options
    const isEmpty = turn.isEmpty
    if (!isEmpty) {
      this.#untold.push(turn)
      this.#refused = turn
      await stores.runs.record(turn.changes)
      this.#refused = null
      this.#untold.pop()
    }
    for (const done of turn.onKept) done()
    for (const { notice, by } of turn.notices) tell(events, notice, by)
    for (const { run, index, at } of turn.missed) tellMissed(events, run, index, at)
    this.#stopAndStart(turn)
    rememberEnded(this.board, this.board.sweep())
    for (const run of turn.failed) await this.#pauseAfterFailures(run)
    if (!isEmpty) onChange()
  }

  #stopAndStart(turn: Turn): void {
    const launcher = this.#options.launcher()
    for (const attemptId of turn.cancelled) launcher.cancel(attemptId)
    for (const instance of turn.waitsEnded) launcher.endWait(instance)
    for (const cancellation of turn.cancellations) launcher.cancelWait(cancellation)
    for (const attempt of turn.attempts) {
      // It may have been ended again in the same turn.
      if (this.board.findAttempt(attempt.attemptId)) launcher.run(attempt)
    }
    for (const instance of turn.waits) {
      try {
        const attempt = this.#isStill(instance) && this.#attemptOf(instance)
        if (attempt) launcher.wait(attempt, instance)
      } catch (error) {
        // The turn is kept; it is waited for when the run can be gone on with.
        this.#blame(faultOfRun(instance, error))
      }
    }
    for (const call of turn.calls) launcher.call(call)
  }

  #isStill({ dagId, runId, taskId, mapIndex, revision }: TaskInstance): boolean {
    return this.board.runs.get(runKey({ dagId, runId }))?.find(taskId, mapIndex)?.revision === revision
  }

  /** An attempt that stands for a wait, with a token of its own. */
  #attemptOf(instance: TaskInstance): Attempt | null {
    const of = this.board.runs.get(runKey(instance))
    const dag = this.board.dags.get(instance.dagId)
    const planned = of?.tasks.get(instance.taskId)?.planned
    return of && dag && planned ? toAttempt(dag, of, planned, { ...instance, attemptId: newId() }) : null
  }

  /** What a turn has moved that was durable although its commit has failed: whoever follows what happens hears of it after all. */
  async #tellUntold(): Promise<void> {
    const { stores, events } = this.#options
    for (let turn = this.#untold[0]; turn; turn = this.#untold[0]) {
      const last = new Map(
        turn.notices.map(({ notice, by }) => ['taskId' in notice ? instanceKey(notice) : runKey(notice), { notice, by }]),
      )
      for (const { notice, by } of last.values()) {
        const { dagId, runId } = notice
        const now =
          'taskId' in notice
            ? await stores.instances.find(dagId, runId, notice.taskId, notice.mapIndex)
            : await stores.runs.find(dagId, runId)
        if (now && now.revision >= notice.revision) tell(events, now, by)
      }
      for (const { run, index, at } of turn.missed) {
        const now = await stores.runs.find(run.dagId, run.runId)
        if (now?.deadlines[index]?.isMissed) tellMissed(events, now, index, at)
      }
      for (const run of turn.failed)
        if ((await stores.runs.find(run.dagId, run.runId))?.state === 'failed') await this.#pauseAfterFailures(run)
      this.#untold.shift()
    }
  }

  /** Reads the unfinished runs again. Where that is not to be done with a run, it is held, and the board is to be read once more. */
  async #load(): Promise<void> {
    this.#isOld = false
    try {
      await this.#readRuns()
    } catch (error) {
      this.#isOld = true
      const thrown = this.#blame(error)
      if (!(thrown instanceof Fault)) throw thrown
    }
  }

  /** Tries that nobody is working on any more are lost. */
  async #readRuns(): Promise<void> {
    const { stores, clock } = this.#options
    const [unfinished, backfills] = await Promise.all([stores.runs.listUnfinished(), stores.backfills?.listActive() ?? []])
    const loaded = await Promise.all(unfinished.map(async (run) => ({ run, own: await stores.instances.listOfRun(run.dagId, run.runId) })))
    this.board.clearRuns()
    for (const backfill of backfills) this.board.putBackfill(backfill)
    for (const { backfill } of unfinished) {
      const ended = backfill && !this.board.backfills.has(backfill.id) ? await stores.backfills?.find(backfill.id) : null
      if (ended) this.board.putBackfill(ended)
    }
    await this.assets?.load()
    await this.#readPools()
    const turn = new Turn(this.board, clock.now())
    const lost: { of: BoardRun; instance: TaskInstance }[] = []
    const waited: TaskInstance[] = []
    for (const { run, own } of loaded) {
      const of = ofRun(run, () => this.board.putRun(run))
      for (const instance of own) {
        ofRun(run, () => this.board.putInstance(of, instance))
        if (of.isHeld) continue
        if (isActive(instance.state) && !this.#isUnderWay(instance)) lost.push({ of, instance })
        if (instance.state !== 'deferred' || this.#options.isReported(instance)) continue
        if (instance.deferral?.event === null) turn.waits.push(instance)
        else waited.push(instance)
      }
    }
    await this.dags.refreshIntervals()
    for (const { of, instance } of lost) {
      ofRun(instance, () => {
        if (instance.state === 'restarting') turn.cancel(instance)
        lose(turn, of, instance)
      })
    }
    for (const instance of waited)
      ofRun(instance, () => goOn(turn, instance, instance.deferral?.event ?? { error: 'Nobody knows what it waits for.' }))
    await this.#commit(turn)
    await this.#cancelPending()
    this.#endUnwanted()
    await this.#callPending()
    await this.#tellUntold()
  }

  /** Calls that were committed and not made: the platform has ended before, or did not hear that they were. */
  async #callPending(): Promise<void> {
    for (const call of (await this.#options.stores.callbacks?.listPending()) ?? []) {
      const document = this.board.dags.get(call.dagId)?.record.document
      const task = document?.tasks.find(({ taskId }) => taskId === call.attempt?.taskId)
      const attempt = call.attempt && document && task ? { ...call.attempt, dag: document, task } : null
      if (document && (attempt !== null) === (call.attempt !== null)) this.#options.launcher().call({ ...call, attempt })
    }
  }

  /** Cancellations that were committed, and of which nobody has heard that they have come to their end. */
  async #cancelPending(): Promise<void> {
    for (const { attempt: kept, ...cancellation } of (await this.#options.stores.cancellations?.listPending()) ?? []) {
      const document = this.board.dags.get(kept.dagId)?.record.document
      const task = document?.tasks.find(({ taskId }) => taskId === kept.taskId)
      if (document && task) this.#options.launcher().cancelWait({ ...cancellation, attempt: { ...kept, dag: document, task } })
    }
  }

  /** Work of this process for what has moved on, while the turn that moved it was taken to have failed. */
  #endUnwanted(): void {
    this.#options.launcher().keepOnly({
      attempt: (attemptId) => this.board.findAttempt(attemptId) !== undefined,
      wait: (instance) => {
        const now = this.board.runs.get(runKey(instance))?.find(instance.taskId, instance.mapIndex)
        return now?.state === 'deferred' && now.queuedAt === instance.queuedAt && now.tryNumber === instance.tryNumber
      },
    })
  }

  #isUnderWay({ attemptId }: TaskInstance): boolean {
    return attemptId !== null && (this.#options.launcher().isRunning(attemptId) || this.#options.isReported(attemptId))
  }

  async #followAssets(): Promise<void> {
    await this.assets?.follow(this.board, this.#options.clock.now(), (fault) => void this.#blame(fault))
    this.#areAssetsOld = false
  }

  async #readPools(): Promise<void> {
    const pools = (await this.#options.stores.pools?.list()) ?? POOLS_WITHOUT_STORE
    this.board.slots.setPools(pools, this.board.instances())
    this.board.ready.releaseAll()
    this.#arePoolsOld = false
  }

  /** A DAG whose last runs have all failed may want to be paused then. */
  async #pauseAfterFailures({ dagId }: DagRun): Promise<void> {
    const { stores, logger } = this.#options
    const most = this.board.dags.get(dagId)?.record.document.maxConsecutiveFailedRuns ?? 0
    if (most <= 0) return
    try {
      const last = await stores.runs.listLastEnded(dagId, most)
      if (last.length < most || last.some(({ state }) => state !== 'failed')) return
      await stores.dags.setPaused([dagId], true)
      this.dags.expire()
      logger.warn(`DAG "${dagId}" is paused: its last ${most} runs have failed.`)
    } catch (error) {
      logger.error(`DAG "${dagId}" could not be paused after its failures.`, { error: messageOf(error) })
    }
  }
}

function ofRun<T>(run: { readonly dagId: string; readonly runId: string }, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw faultOfRun(run, error)
  }
}
