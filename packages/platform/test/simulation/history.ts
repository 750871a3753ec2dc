/** One history of a scheduler: chance makes the DAGs, the requests, the ends of tasks, the crashes and the faults of the store, all from one seed. */
import type { DagDocument } from '@daggerboard/dag'
import { SqliteDagStore } from '../../src/adapters/sqlite/dag.ts'
import type { Database } from '../../src/adapters/sqlite/database.ts'
import { SqlitePoolStore } from '../../src/adapters/sqlite/pool.ts'
import { SqliteTaskInstanceStore } from '../../src/adapters/sqlite/task-instance.ts'
import { SqliteXComStore } from '../../src/adapters/sqlite/xcom.ts'
import { AppError } from '../../src/core/app-error.ts'
import { ManualClock } from '../../src/core/clock.ts'
import { Events } from '../../src/core/events.ts'
import type { DagRun } from '../../src/scheduling/dag-run.ts'
import { Scheduler } from '../../src/scheduling/scheduler.ts'
import { isDone } from '../../src/scheduling/task-instance.ts'
import { FaultyDagRunStore, InjectedFault } from './faulty-store.ts'
import { POOLS, randomDag } from './random-dag.ts'
import { type Random, seeded } from './seeded.ts'
import { keyOf, SimulatedRunner } from './simulated-runner.ts'
import { limitComplaints, runComplaints } from './truth.ts'

const START = Date.UTC(2019, 9, 9, 12)
const PARALLELISM = 6
/** Requests come as long as this; then what there is must come to its end. */
const BUSY_MS = 25_000
const MOST_STEPS = 4_000
/** A scheduler that rests so long has nothing to do. */
const QUIET_MS = 30_000

export class History {
  readonly complaints: string[] = []
  readonly #random: Random
  readonly #clock = new ManualClock(new Date(START))
  readonly #dags: SqliteDagStore
  readonly #runs: FaultyDagRunStore
  readonly #instances: SqliteTaskInstanceStore
  readonly #xcoms: SqliteXComStore
  readonly #pools: SqlitePoolStore
  readonly #runner: SimulatedRunner
  readonly #documents: DagDocument[]
  /** Runs whose creation was acknowledged. */
  readonly #acknowledged: { dagId: string; runId: string }[] = []
  /** Runs that somebody has cleared or marked: their tasks need not agree with each other. */
  readonly #touched = new Set<string>()
  #scheduler: Scheduler

  constructor(seed: number, db: Database) {
    this.#random = seeded(seed)
    this.#dags = new SqliteDagStore(db)
    this.#runs = new FaultyDagRunStore(db, this.#random)
    this.#instances = new SqliteTaskInstanceStore(db)
    this.#xcoms = new SqliteXComStore(db)
    this.#pools = new SqlitePoolStore(db)
    this.#runner = new SimulatedRunner(this.#random, () => this.#clock.now().getTime())
    this.#documents = Array.from({ length: this.#random.whole(1, 3) }, (_, i) => randomDag(`dag_${seed}_${i}`, this.#random))
    this.#scheduler = this.#begin()
  }

  /** Lives through it and answers what was not as it has to be. */
  async live(): Promise<readonly string[]> {
    for (const pool of POOLS) await this.#pools.save(pool)
    for (const document of this.#documents)
      await this.#dags.saveReading({ file: `${document.dagId}.ts`, source: '', documents: [document] }, this.#at(), false)
    this.#runs.faults = { lost: this.#random.next() * 0.08, unheard: this.#random.next() * 0.08 }
    let isBusy = true
    for (let step = 0; step < MOST_STEPS; step++) {
      if (isBusy && this.#clock.now().getTime() > START + BUSY_MS) {
        isBusy = false
        this.#runs.faults = { lost: 0, unheard: 0 }
        for (const { dagId } of this.#documents) await this.#scheduler.setPaused(dagId, false)
      }
      if (isBusy) await this.#somethingHappens()
      const rest = await this.#turn()
      this.complaints.push(...limitComplaints(this.#documents, [...this.#runner.working.values()], PARALLELISM))
      if (this.complaints.length > 0) return this.complaints
      if (!isBusy && (await this.#unfinished()).length === 0) return this.#reckon()
      if (!isBusy && rest >= QUIET_MS) await this.#endBlockedRuns()
      await this.#timePasses(rest)
    }
    return (await this.#unfinished()).map(({ dagId, runId }) => `after ${MOST_STEPS} steps run ${runId} of ${dagId} is not finished`)
  }

  #begin(): Scheduler {
    const { clock, dags, runs, instances, pools, runner } = {
      clock: this.#clock,
      dags: this.#dags,
      runs: this.#runs,
      instances: this.#instances,
      pools: this.#pools,
      runner: this.#runner,
    }
    return new Scheduler({ dags, runs, instances, pools, runner, clock, events: new Events(clock), limits: { parallelism: PARALLELISM } })
  }

  async #somethingHappens(): Promise<void> {
    const { chance, pick } = this.#random
    if (chance(0.02)) {
      this.#runner.crash()
      this.#scheduler = this.#begin()
    }
    const { dagId } = pick(this.#documents)
    if (chance(0.15)) {
      await this.#unlessFaulty(async () => {
        const { runId } = await this.#scheduler.trigger(dagId, {}, 'user:ann')
        this.#acknowledged.push({ dagId, runId })
      })
    }
    if (chance(0.03)) await this.#unlessFaulty(() => this.#scheduler.setPaused(dagId, chance(0.5)))
    const run = this.#acknowledged.length > 0 ? pick(this.#acknowledged) : null
    if (run && chance(0.04)) {
      this.#touched.add(`${run.dagId}/${run.runId}`)
      await this.#unlessFaulty(() => this.#scheduler.clearRun(run.dagId, run.runId, { onlyFailed: chance(0.5), dryRun: false }, 'user:ann'))
    }
    if (run && chance(0.02)) {
      this.#touched.add(`${run.dagId}/${run.runId}`)
      await this.#unlessFaulty(() => this.#scheduler.setRunState(run.dagId, run.runId, pick(['success', 'failed', 'queued']), 'user:ann'))
    }
  }

  /** A refusal is an answer, too. */
  async #unlessFaulty(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const isExpected = error instanceof InjectedFault || (error instanceof AppError && error.code !== 'internal')
      if (!isExpected) this.complaints.push(`a command threw ${String(error)}`)
    }
  }

  async #turn(): Promise<number> {
    try {
      const rest = await this.#scheduler.poll()
      this.complaints.push(...this.#runner.complaints)
      return rest
    } catch (error) {
      if (!(error instanceof InjectedFault)) this.complaints.push(`a turn threw ${error instanceof Error ? error.stack : String(error)}`)
      return 0
    } finally {
      // What was reported in the turn arrives before the next.
      await new Promise(setImmediate)
    }
  }

  /** To the next thing that can happen. */
  async #timePasses(rest: number): Promise<void> {
    const now = this.#clock.now().getTime()
    const next = this.#runner.advance()
    await new Promise(setImmediate)
    if (rest === 0) return
    const most = Math.min(rest, next === null ? rest : next - now)
    this.#clock.advance(Math.max(1, this.#random.chance(0.3) ? Math.ceil(most / 2) : most))
    this.#runner.advance()
    await new Promise(setImmediate)
  }

  async #unfinished(): Promise<DagRun[]> {
    const own = new Set(this.#documents.map(({ dagId }) => dagId))
    return (await this.#runs.listUnfinished()).filter(({ dagId }) => own.has(dagId))
  }

  /** A task that needs the run before to have been well waits for ever when it was not: somebody has to end such a run. */
  async #endBlockedRuns(): Promise<void> {
    for (const { dagId, runId, state } of await this.#unfinished()) {
      if (state !== 'running') continue
      const tasks = this.#documents.find((document) => document.dagId === dagId)?.tasks ?? []
      const open = (await this.#instances.listOfRun(dagId, runId)).filter((instance) => !isDone(instance.state))
      const looksBack = (taskId: string) => tasks.some((task) => task.taskId === taskId && task.dependsOnPast)
      const isBlocked = open.every((instance) => instance.state === 'none') && open.some(({ taskId }) => looksBack(taskId))
      if (isBlocked) {
        this.#touched.add(`${dagId}/${runId}`)
        await this.#scheduler.setRunState(dagId, runId, 'failed', 'user:ann')
      }
    }
  }

  async #reckon(): Promise<readonly string[]> {
    for (const { dagId, runId } of this.#acknowledged)
      if (!(await this.#runs.find(dagId, runId))) this.complaints.push(`run ${runId} of ${dagId} was acknowledged and is lost`)
    for (const document of this.#documents) {
      const { runs } = await this.#runs.list({ dagId: document.dagId, limit: 1_000, offset: 0, descending: false })
      for (const run of runs) {
        const instances = await this.#instances.listOfRun(run.dagId, run.runId)
        this.complaints.push(...runComplaints(document, run, instances, this.#touched.has(`${run.dagId}/${run.runId}`)))
        for (const xcom of await this.#xcoms.list(run.dagId, run.runId)) {
          if (typeof xcom.value !== 'string') continue
          if (this.#runner.answers.get(xcom.value) !== keyOf(xcom))
            this.complaints.push(`${keyOf(xcom)} has kept an answer that it never gave`)
        }
      }
    }
    return this.complaints
  }

  #at(): string {
    return this.#clock.now().toISOString()
  }
}
