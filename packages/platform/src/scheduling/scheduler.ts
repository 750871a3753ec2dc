/** The scheduler: a loop of turns, and the commands that people and programs give it. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Pattern } from '../core/pattern.ts'
import type { Service } from '../core/service.ts'
import { advance } from './advance.ts'
import type { Command } from './commands/command.ts'
import { Commands } from './commands/commands.ts'
import { createBackfillRuns } from './create-backfill-runs.ts'
import { createDueRuns } from './create-runs.ts'
import type { DagRecord } from './dag.ts'
import { hear } from './hear.ts'
import { Inbox } from './inbox.ts'
import { Launcher } from './launcher.ts'
import { lookBack } from './look-back.ts'
import { promote } from './promote.ts'
import type { Trouble } from './quarantine.ts'
import { Refusals } from './refusals.ts'
import type { Report } from './report.ts'
import { select } from './select.ts'
import type { Stores } from './stores.ts'
import { type Suspect, Suspects } from './suspects.ts'
import type { TaskRunner } from './task-runner.ts'
import type { DueRun } from './timetable.ts'
import type { Turn } from './turn.ts'
import { Turns } from './turns.ts'
import { wakeDue } from './wake.ts'

export interface SchedulerLimits {
  /** How many tasks may hold a slot at the same time, over all DAGs. */
  readonly parallelism: number
  /** Of how many elements the answer may be that mapped tasks are made of. */
  readonly maxMapLength: number
  /** What the id of a run that somebody triggers has to match, beside what every id has to. */
  readonly runIdPattern?: Pattern
}

export interface SchedulerOptions extends Stores {
  readonly runner: TaskRunner
  readonly clock: Clock
  readonly events: Events
  readonly logger?: Logger
  readonly limits?: Partial<SchedulerLimits>
}

const DEFAULT_LIMITS: SchedulerLimits = { parallelism: 32, maxMapLength: 1024 }
/** A reason without a stack, which costs more than all the rest of being woken. */
const WOKEN = 'woken'
const MAX_REST_MS = 60_000
/** Who is heard first begins what follows while the others are heard: a hundred at once would all wait for the last. */
const HEARD_PER_TURN = 16
const REST_AFTER_ERROR_MS = 1_000
/** That a task has begun is written down with its end where that comes so soon: most tasks are short. */
const STARTED_REST_MS = 150

export class Scheduler extends Commands implements Service {
  readonly #options: SchedulerOptions
  readonly #logger: Logger
  readonly #limits: SchedulerLimits
  readonly #turns: Turns
  #launcher: Launcher
  readonly #inbox = new Inbox()
  readonly #suspects = new Suspects()
  readonly #refusals: Refusals
  #isStopped = true
  #wakeUp = new AbortController()
  #wakesSoon = false
  #loop: Promise<void> | null = null
  #lastTurnAt: Date | null = null

  constructor(options: SchedulerOptions) {
    super()
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#launcher = this.#newLauncher()
    this.#turns = new Turns({
      stores: options,
      clock: options.clock,
      events: options.events,
      logger: this.#logger,
      launcher: () => this.#launcher,
      isReported: (of) => this.#inbox.mentions(of) || this.#suspects.mentions(of),
      onChange: () => this.#wake(),
    })
    this.#refusals = new Refusals({
      ...{ turns: this.#turns, inbox: this.#inbox, suspects: this.#suspects },
      ...{ runs: options.runs, clock: options.clock, logger: this.#logger },
      move: (turn) => this.#move(turn, []),
      cancel: (attemptId) => this.#launcher.cancel(attemptId),
    })
  }

  /** When the last turn was made and kept: a scheduler that rests makes one a minute. */
  get lastTurnAt(): Date | null {
    return this.#lastTurnAt
  }

  /** Takes up what an earlier platform left unfinished, and begins. */
  async start(): Promise<void> {
    if (!this.#isStopped) return
    this.#isStopped = false
    await this.#turns.make(() => {})
    this.#loop = this.#run()
  }

  /** Ends the tries under way without recording how they end: the next start takes them up as lost. What they have begun elsewhere goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await this.#loop
    await this.#launcher.stop()
    this.#launcher = this.#newLauncher()
    this.#inbox.clear()
    this.#suspects.clear()
    this.#turns.board.quarantine.clear()
    this.#turns.forget()
  }

  /** Runs and DAGs that it cannot go on with, and when it tries again. */
  get troubles(): readonly Trouble[] {
    return this.#turns.board.quarantine.troubles
  }

  /** Documents, files or switches of these DAGs have changed, or of any. */
  dagsChanged(dagIds?: readonly string[]): void {
    this.#turns.dags.expire(dagIds)
    this.#wake()
  }

  /** Pools have other slots. */
  poolsChanged(): void {
    this.#turns.poolsChanged()
    this.#wake()
  }

  /** What runs in a DAG goes on when it is paused; nothing else begins. Throws `not_found`. */
  async setPaused(dagId: string, isPaused: boolean): Promise<DagRecord> {
    return (await this.setAllPaused([dagId], isPaused))[0] as DagRecord
  }

  /** The same for many DAGs, in one commit. */
  async setAllPaused(dagIds: readonly string[], isPaused: boolean): Promise<DagRecord[]> {
    const { dags } = this.#options
    // Between turns or within one: the board takes it over with the next.
    for (const dagId of dagIds) if (!this.#turns.board.dags.has(dagId)) await this.#turns.exclusively(() => this.#turns.dags.find(dagId))
    await dags.setPaused(dagIds, isPaused)
    this.dagsChanged(dagIds)
    return Promise.all(dagIds.map(async (dagId) => (await dags.find(dagId)) as DagRecord))
  }

  /** The next run that the schedule of a DAG will bring, also while it is paused; null when there is none. */
  nextRun(dagId: string): DueRun | null {
    return this.nextRuns(dagId, 1)[0] ?? null
  }

  /** The next runs of the schedule, at most `count`, as if each one were made; none of a schedule that the scheduler cannot follow. */
  nextRuns(dagId: string, count: number): DueRun[] {
    return this.#turns.dags.nextRuns(dagId, count, this.#options.clock.now())
  }

  /** One turn, in which all is heard. Answers how many milliseconds there is nothing to do, if nobody wakes the scheduler. */
  poll(): Promise<number> {
    return this.#turn(null)
  }

  /** Tasks that have begun after `startedUntil` are not heard yet. Throws when a turn cannot be made whatever is heard in it. */
  async #turn(startedUntil: Date | null): Promise<number> {
    const { clock } = this.#options
    let heard: Report[] = []
    let suspect = null as Suspect | null
    try {
      const hasMore = await this.#turns.make((turn) => {
        suspect = this.#suspects.next(turn.now)
        heard = suspect ? [suspect.report] : this.#inbox.take(HEARD_PER_TURN, startedUntil)
        return this.#move(turn, heard)
      })
      this.#refusals.kept(suspect)
      this.#lastTurnAt = clock.now()
      return hasMore ? 0 : this.#rest(this.#lastTurnAt)
    } catch (error) {
      await this.#refusals.refused(error, heard, suspect)
      return 0
    }
  }

  /** True when there is more to do at once. */
  async #move(turn: Turn, heard: readonly Report[]): Promise<boolean> {
    const { runs, instances } = this.#options
    const { board, assets } = this.#turns
    for (const report of heard) hear(turn, report, this.#limits)
    wakeDue(turn)
    await assets?.recordUpdates(turn, runs)
    const isUnfinished = (await createDueRuns(turn, runs)) || (await createBackfillRuns(this.#commandIn(turn)))
    promote(turn)
    await lookBack(board.toAdvance, board, { runs, instances })
    const isLeft = advance(turn)
    select(turn, this.#limits.parallelism)
    return isUnfinished || isLeft
  }

  #rest(now: Date): number {
    if (this.#inbox.isPressing) return 0
    const { board } = this.#turns
    const next = Math.min(...[board.nextWake(), this.#suspects.nextAt, board.quarantine.nextAt].map((at) => at ?? Number.POSITIVE_INFINITY))
    return Math.max(0, Math.min(next - now.getTime(), MAX_REST_MS))
  }

  protected get parallelism(): number {
    return this.#limits.parallelism
  }

  protected get runIdPattern(): Pattern | undefined {
    return this.#limits.runIdPattern
  }

  protected command<T>(work: (command: Command) => Promise<T>): Promise<T> {
    return this.#turns.command((turn) => work(this.#commandIn(turn)))
  }

  #commandIn(turn: Turn): Command {
    return { turn, stores: this.#options, dags: this.#turns.dags, assets: this.#turns.assets }
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#wakeUp = new AbortController()
      const rest = await this.#turn(new Date(this.#options.clock.now().getTime() - STARTED_REST_MS)).catch((error: unknown) => {
        this.#logger.error('The scheduler could not finish a turn.', { error: messageOf(error) })
        return REST_AFTER_ERROR_MS
      })
      // What workers and clients say is heard between two turns.
      await new Promise((resolve) => setImmediate(resolve))
      await this.#options.clock.sleep(rest, this.#wakeUp.signal)
    }
  }

  #wake(): void {
    this.#wakeUp.abort(WOKEN)
  }

  #hear(report: Report): void {
    this.#inbox.add(report)
    if (report.kind !== 'started') this.#wake()
    else if (!this.#wakesSoon) this.#wakeSoon()
  }

  #wakeSoon(): void {
    const { clock } = this.#options
    const first = this.#inbox.firstStartedAt
    if (!first) return
    this.#wakesSoon = true
    void clock.sleep(Math.max(1, first.getTime() + STARTED_REST_MS - clock.now().getTime())).then(() => {
      this.#wakesSoon = false
      this.#wake()
      // Those that have begun after it, once their time has come.
      setImmediate(() => !this.#wakesSoon && this.#wakeSoon())
    })
  }

  #newLauncher(): Launcher {
    const { runner, clock } = this.#options
    return new Launcher({ runner, clock, logger: this.#logger, report: (report) => this.#hear(report) })
  }
}
