/** One history of a scheduler: chance makes the DAGs, the requests, the ends of tasks, the crashes and the faults of the store, all from one seed. */
import type { DagDocument } from '@daggerboard/dag'
import { AppError } from '../../src/core/app-error.ts'
import { ManualClock } from '../../src/core/clock.ts'
import { partialDocument } from '../../src/scheduling/backfill-plan.ts'
import type { DagRun } from '../../src/scheduling/dag-run.ts'
import { isDone } from '../../src/scheduling/task-instance.ts'
import { Faults, InjectedBug, InjectedFault } from './faulty-store.ts'
import { MortalDatabase, openPlatform, PARALLELISM, type Place, type Platform } from './platform.ts'
import { POOLS, randomDag } from './random-dag.ts'
import { type Random, seeded } from './seeded.ts'
import { keyOf, SimulatedRunner } from './simulated-runner.ts'
import { limitComplaints, MOST_NARROW_SLOTS, runComplaints } from './truth.ts'

const START = Date.UTC(2019, 9, 9, 12)
/** Requests come as long as this; then what there is must come to its end. */
const BUSY_MS = 25_000
const MOST_STEPS = 4_000
/** A scheduler that rests so long has nothing to do. */
const QUIET_MS = 30_000

export class History {
  readonly complaints: string[] = []
  readonly #random: Random
  readonly #clock = new ManualClock(new Date(START))
  readonly #place: Place
  readonly #faults: Faults
  #platform: Platform
  readonly #runner: SimulatedRunner
  readonly #documents: DagDocument[]
  /** Runs whose creation was acknowledged. */
  readonly #acknowledged: { dagId: string; runId: string }[] = []
  /** Runs that somebody has cleared or marked: their tasks need not agree with each other. */
  readonly #touched = new Set<string>()
  /** DAGs of which somebody has cleared or marked tasks in runs before or after, too. */
  readonly #touchedDags = new Set<string>()

  constructor(seed: number, place: Place) {
    this.#place = place
    this.#random = seeded(seed)
    this.#faults = new Faults(this.#random)
    this.#runner = new SimulatedRunner(this.#random, () => this.#clock.now().getTime())
    this.#documents = Array.from({ length: this.#random.whole(1, 3) }, (_, i) => randomDag(`dag_${seed}_${i}`, this.#random))
    this.#platform = this.#begin(new MortalDatabase(place.file))
  }

  end(): void {
    this.#platform.db.die()
  }

  /** Lives through it and answers what was not as it has to be. */
  async live(): Promise<readonly string[]> {
    for (const pool of POOLS) await this.#platform.pools.save(pool)
    for (const document of this.#documents)
      await this.#platform.dags.saveReading({ file: `${document.dagId}.ts`, source: '', documents: [document] }, this.#at(), false)
    Object.assign(this.#faults, {
      lost: this.#random.next() * 0.08,
      unheard: this.#random.next() * 0.08,
      bug: this.#random.chance(0.5) ? this.#random.next() * 0.2 : 0,
    })
    let isBusy = true
    for (let step = 0; step < MOST_STEPS; step++) {
      if (isBusy && this.#clock.now().getTime() > START + BUSY_MS) {
        isBusy = false
        Object.assign(this.#faults, { lost: 0, unheard: 0, bug: 0 })
        for (const { dagId } of this.#documents) await this.#platform.scheduler.setPaused(dagId, false)
        for (const pool of POOLS) await this.#platform.pools.save(pool)
        this.#platform.scheduler.poolsChanged()
        for (const { id } of await this.#platform.backfills.listActive()) await this.#platform.scheduler.setBackfillPaused(id, false)
      }
      if (isBusy) await this.#somethingHappens()
      const rest = await this.#turn()
      const working = [...this.#runner.working.values()]
      this.complaints.push(...this.#faults.without(() => limitComplaints(this.#documents, working, PARALLELISM)))
      if (this.complaints.length > 0) return this.complaints
      if (!isBusy && (await this.#isAtEnd())) return this.#reckon()
      if (!isBusy && rest >= QUIET_MS) await this.#endBlockedRuns()
      await this.#timePasses(rest)
    }
    const left = (await this.#unfinished()).map(({ dagId, runId }) => `after ${MOST_STEPS} steps run ${runId} of ${dagId} is not finished`)
    return left.length > 0 ? left : [`after ${MOST_STEPS} steps a backfill, a callback or a cancellation is not through`]
  }

  #begin(db: MortalDatabase): Platform {
    return openPlatform(this.#place, db, { clock: this.#clock, runner: this.#runner, faults: this.#faults })
  }

  /** In the middle of a turn, or between two; what was not durable is gone. */
  async #crash(): Promise<void> {
    if (this.#place.file === ':memory:') {
      this.#runner.crash()
      this.#platform = this.#begin(this.#platform.db)
      return
    }
    const underWay = this.#random.chance(0.5) ? this.#platform.scheduler.poll().catch(() => {}) : null
    for (let i = this.#random.whole(0, 8); i > 0; i--) await null
    this.#runner.crash()
    this.#platform.db.die()
    await underWay
    this.#platform = this.#begin(new MortalDatabase(this.#place.file))
  }

  async #somethingHappens(): Promise<void> {
    const { chance, pick } = this.#random
    if (chance(0.02)) await this.#crash()
    const { dagId } = pick(this.#documents)
    if (chance(0.15)) {
      await this.#unlessFaulty(async () => {
        const { runId } = await this.#platform.scheduler.trigger(dagId, {}, 'user:ann')
        this.#acknowledged.push({ dagId, runId })
      })
    }
    if (chance(0.03)) await this.#unlessFaulty(() => this.#platform.scheduler.setPaused(dagId, chance(0.5)))
    const run = this.#acknowledged.length > 0 ? pick(this.#acknowledged) : null
    if (run) await this.#somebodyTouches(run)
    if (chance(0.03)) await this.#unlessFaulty(() => this.#backfill(dagId))
    if (chance(0.02)) {
      const slots = this.#random.whole(1, MOST_NARROW_SLOTS)
      await this.#platform.pools.save({ ...POOLS[0], slots })
      this.#platform.scheduler.poolsChanged()
    }
  }

  async #somebodyTouches(run: { dagId: string; runId: string }): Promise<void> {
    const { chance, pick } = this.#random
    const { dagId, runId } = run
    const { scheduler } = this.#platform
    const taskId = pick(this.#documents.find((document) => document.dagId === dagId)?.tasks ?? []).taskId
    const touch = async (work: () => Promise<unknown>) => {
      this.#touched.add(`${dagId}/${runId}`)
      await this.#unlessFaulty(work)
    }
    if (chance(0.04)) await touch(() => scheduler.clearRun(dagId, runId, { onlyFailed: chance(0.5), dryRun: false }, 'user:ann'))
    if (chance(0.02)) await touch(() => scheduler.setRunState(dagId, runId, pick(['success', 'failed', 'queued']), 'user:ann'))
    if (chance(0.03)) {
      const around = { downstream: chance(0.5), upstream: chance(0.2), past: chance(0.1), future: chance(0.1) }
      if (around.past || around.future) this.#touchedDags.add(dagId)
      await touch(() => scheduler.setTaskState(dagId, runId, [{ taskId }], pick(['success', 'failed', 'skipped']), around, 'user:ann'))
    }
    if (chance(0.02)) await this.#unlessFaulty(() => scheduler.setTaskNote(dagId, runId, taskId, -1, 'seen'))
    if (chance(0.02)) {
      this.#acknowledged.splice(this.#acknowledged.indexOf(run), 1)
      await this.#unlessFaulty(() => scheduler.deleteRun(dagId, runId))
    }
  }

  async #backfill(dagId: string): Promise<void> {
    const { chance, pick, whole } = this.#random
    const { scheduler, backfills } = this.#platform
    const [active] = await backfills.listActive()
    if (active) {
      if (chance(0.3)) {
        this.#touchedDags.add(active.dagId)
        await scheduler.cancelBackfill(active.id)
      } else await scheduler.setBackfillPaused(active.id, chance(0.5))
      return
    }
    const tasks = this.#documents.find((document) => document.dagId === dagId)?.tasks ?? []
    await scheduler.createBackfill(
      {
        ...{
          dagId,
          conf: {},
          maxActiveRuns: whole(1, 3),
          isBackwards: chance(0.3),
          reprocess: pick(['none', 'failed', 'completed'] as const),
        },
        ...{ from: new Date(START - 8 * 3_600_000), to: new Date(START - whole(1, 4) * 3_600_000) },
        tasks: chance(0.4) ? [pick(tasks).taskId] : null,
      },
      'user:ann',
    )
  }

  /** A refusal is an answer, too. */
  async #unlessFaulty(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const isBug = error instanceof InjectedBug || (error instanceof Error && error.cause instanceof InjectedBug)
      const isExpected = isBug || error instanceof InjectedFault || (error instanceof AppError && error.code !== 'internal')
      if (!isExpected) this.complaints.push(`a command threw ${String(error)}`)
    }
  }

  async #turn(): Promise<number> {
    try {
      const rest = await this.#platform.scheduler.poll()
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

  /** Nothing is left to do, nor to hear. */
  async #isAtEnd(): Promise<boolean> {
    const { backfills, callbacks, cancellations } = this.#platform
    if ((await this.#unfinished()).length > 0 || (await backfills.listActive()).length > 0) return false
    return (await callbacks.listPending()).length === 0 && (await cancellations.listPending()).length === 0
  }

  async #unfinished(): Promise<DagRun[]> {
    const own = new Set(this.#documents.map(({ dagId }) => dagId))
    return (await this.#platform.runs.listUnfinished()).filter(({ dagId }) => own.has(dagId))
  }

  /** A task that needs the run before to have been well waits for ever when it was not: somebody has to end such a run. */
  async #endBlockedRuns(): Promise<void> {
    for (const { dagId, runId, state } of await this.#unfinished()) {
      if (state !== 'running') continue
      const tasks = this.#documents.find((document) => document.dagId === dagId)?.tasks ?? []
      const open = (await this.#platform.instances.listOfRun(dagId, runId)).filter((instance) => !isDone(instance.state))
      const looksBack = (taskId: string) => tasks.some((task) => task.taskId === taskId && task.dependsOnPast)
      const isBlocked = open.every((instance) => instance.state === 'none') && open.some(({ taskId }) => looksBack(taskId))
      if (isBlocked) {
        this.#touched.add(`${dagId}/${runId}`)
        await this.#platform.scheduler.setRunState(dagId, runId, 'failed', 'user:ann')
      }
    }
  }

  async #reckon(): Promise<readonly string[]> {
    for (const { dagId, runId } of this.#acknowledged)
      if (!(await this.#platform.runs.find(dagId, runId))) this.complaints.push(`run ${runId} of ${dagId} was acknowledged and is lost`)
    for (const document of this.#documents) {
      const { runs } = await this.#platform.runs.list({ dagId: document.dagId, limit: 1_000, offset: 0, descending: false })
      for (const run of runs) {
        const instances = await this.#platform.instances.listOfRun(run.dagId, run.runId)
        const tasks = run.backfill && (await this.#platform.backfills.find(run.backfill.id))?.tasks
        const isTouched = run.clearNumber > 0 || this.#touchedDags.has(run.dagId) || this.#touched.has(`${run.dagId}/${run.runId}`)
        this.complaints.push(...runComplaints(tasks ? partialDocument(document, tasks) : document, run, instances, isTouched))
        for (const xcom of await this.#platform.xcoms.list(run.dagId, run.runId)) {
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
