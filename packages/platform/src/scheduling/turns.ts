/** Makes turns one after another: what a turn moves on the board is made durable, then told, and only then is work started and stopped. */
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { newId } from '../core/id.ts'
import type { Logger } from '../core/logger.ts'
import { AssetUpdates } from './asset-updates.ts'
import { toAttempt } from './attempt.ts'
import { Blame } from './blame.ts'
import { Board } from './board.ts'
import type { BoardRun } from './board-run.ts'
import { CommandBatch } from './command-batch.ts'
import { type DagRun, NO_CHANGES, runKey } from './dag-run.ts'
import { Fault, faultOfRun } from './fault.ts'
import { goOn, lose } from './hear.ts'
import { KnownDags } from './known-dags.ts'
import type { Launcher } from './launcher.ts'
import { rememberEnded } from './look-back.ts'
import { tell, tellMissed } from './notice.ts'
import { pauseAfterFailures } from './pause-after-failures.ts'
import { callPending, cancelPending, endUnwanted } from './pending.ts'
import { DEFAULT_POOL, type Pool } from './pool.ts'
import type { Stores } from './stores.ts'
import { isActive, type TaskInstance } from './task-instance.ts'
import type { Attempt } from './task-runner.ts'
import { Turn } from './turn.ts'
import { tellUnheardCommit } from './unheard-commit.ts'

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
  readonly #blame: Blame
  readonly #commands: CommandBatch
  /** Turns whose commit has failed as far as anybody knows. */
  #untold: Turn[] = []
  /** The turn that the store has just refused. */
  #refused: Turn | null = null

  constructor(options: TurnsOptions) {
    this.#options = options
    const { stores } = options
    this.#blame = new Blame({
      board: this.board,
      runs: stores.runs,
      clock: options.clock,
      logger: options.logger,
      onHeld: () => this.forget(),
    })
    this.assets = stores.assets ? new AssetUpdates(stores.assets) : null
    this.dags = new KnownDags({ board: this.board, dags: stores.dags, runs: stores.runs, onFault: (fault) => void this.#blame.hold(fault) })
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
        throw this.#blame.hold(error)
      }
    })
  }

  /**
   * A turn was refused that had heard nothing, and no single run or DAG is known to be to blame: all that it has moved is tried again one by one.
   * Answers false when that is no use: the store refuses everything, or the turn has moved nothing.
   */
  isolate(error: unknown): Promise<boolean> {
    return this.exclusively(() => this.#blame.isolate(error, this.#refused))
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
        this.#blame.hold(faultOfRun(instance, error))
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
    const onFailed = (run: DagRun) => this.#pauseAfterFailures(run)
    for (let turn = this.#untold[0]; turn; turn = this.#untold[0]) {
      await tellUnheardCommit(turn, { runs: stores.runs, instances: stores.instances, events, onFailed })
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
      const thrown = this.#blame.hold(error)
      if (!(thrown instanceof Fault)) throw thrown
    }
  }

  /** Tries that nobody is working on any more are lost. */
  async #readRuns(): Promise<void> {
    const { stores, clock, launcher } = this.#options
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
    await cancelPending(this.board, launcher, stores.cancellations)
    endUnwanted(this.board, launcher())
    await callPending(this.board, launcher, stores.callbacks)
    await this.#tellUntold()
  }

  #isUnderWay({ attemptId }: TaskInstance): boolean {
    return attemptId !== null && (this.#options.launcher().isRunning(attemptId) || this.#options.isReported(attemptId))
  }

  async #followAssets(): Promise<void> {
    await this.assets?.follow(this.board, this.#options.clock.now(), (fault) => void this.#blame.hold(fault))
    this.#areAssetsOld = false
  }

  async #readPools(): Promise<void> {
    const pools = (await this.#options.stores.pools?.list()) ?? POOLS_WITHOUT_STORE
    this.board.slots.setPools(pools, this.board.instances())
    this.board.ready.releaseAll()
    this.#arePoolsOld = false
  }

  async #pauseAfterFailures({ dagId }: DagRun): Promise<void> {
    const { stores, logger } = this.#options
    const most = this.board.dags.get(dagId)?.record.document.maxConsecutiveFailedRuns ?? 0
    await pauseAfterFailures(dagId, { most, stores, known: this.dags, logger })
  }
}

function ofRun<T>(run: { readonly dagId: string; readonly runId: string }, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw faultOfRun(run, error)
  }
}
