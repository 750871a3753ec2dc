/**
 * DAG runs in SQLite whose moves go through a journal. What most turns do, moving instances that exist and keeping what they answer, is
 * durable in the journal and comes to the tables many turns at a time: before anything is read or written there otherwise, when much
 * has come together, or a moment later. Much is brought there by a thread, where there is one. Everything else is committed to the
 * tables at once. What the tables refuse for good is put aside, and whoever keeps runs in mind has to read them again.
 */
import { AppError } from '../../core/app-error.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import { type Changes, type DagRun, isFinished, NO_CHANGES, runKey } from '../../scheduling/dag-run.ts'
import { SqliteDagRunStore } from './dag-run.ts'
import type { Database } from './database.ts'
import type { Journal } from './journal.ts'
import { lastApplied, markApplied } from './journal-applied.ts'
import { applySingly, type Refused } from './journal-refused.ts'
import { joined, type Moves, movesOf } from './journaled-moves.ts'
import { isOutage } from './outage.ts'
import { RecordedRevisions } from './recorded-revisions.ts'
import type { Batch, TableWriter } from './table-writer.ts'
import type { SqliteTaskInstanceStore } from './task-instance.ts'

/** So many moved instances are worth a thread. */
const MUCH = 128
/** An instance that moves several times meanwhile is written once. Whoever reads waits until all of it is in the tables, which takes some 10 ms. */
const MANY = 1024
const SOON_MS = 150

interface Options {
  /** A thread that brings what is recorded to the tables, when it is much. */
  readonly writer?: TableWriter
  readonly logger?: Logger
  /** So many moved instances come to the tables without a wait. Default 1,024. */
  readonly many?: number
}

/** A turn that is durable, and not in the tables yet. */
interface Recorded {
  readonly sequence: number
  readonly text: string
  readonly moves: Moves
}

export class JournaledDagRunStore extends SqliteDagRunStore {
  readonly #db: Database
  readonly #journal: Journal
  readonly #writer: TableWriter | null
  readonly #logger: Logger
  readonly #many: number
  #pending: Recorded[] = []
  /** What the writer has been given, and has not done yet as far as this has noticed. */
  #given: { readonly number: number; readonly records: readonly Recorded[]; readonly isForGood: boolean }[] = []
  #moved = 0
  readonly #revisions: RecordedRevisions
  #last = 0
  /** An entry may be in the file although its append has failed. */
  #isUncertain = false
  /** Ends with the append that is under way, whatever becomes of it. */
  #appending: Promise<void> | null = null
  #isSettling = false
  #timer: NodeJS.Timeout | null = null
  #isBehind = false
  /** Runs of which something was refused: what is recorded of them goes to the tables at once, so that they refuse it while somebody listens. */
  readonly #refusedRuns = new Set<string>()

  /** Takes what an earlier platform has left in the journal into the tables. */
  constructor(
    db: Database,
    instances: SqliteTaskInstanceStore,
    journal: Journal,
    { writer, logger = silentLogger, many = MANY }: Options = {},
  ) {
    super(db, instances)
    this.#db = db
    this.#journal = journal
    this.#revisions = new RecordedRevisions(db)
    this.#writer = writer ?? null
    this.#logger = logger
    this.#many = many
    this.#last = lastApplied(db)
    for (const { sequence, text } of journal.open(this.#last)) {
      this.#pending.push({ sequence, text, moves: JSON.parse(text) as Moves })
      this.#last = sequence
    }
    // Before an entry takes the place of those that are in the tables, these have to outlive a loss of power.
    this.#settleHere(true)
    journal.rewind()
    db.beforeUse = () => this.settle()
    db.beforeClose = () => {
      this.#stopTimer()
      writer?.close()
    }
  }

  override get isBehind(): boolean {
    return this.#isBehind
  }

  /** Throws `unavailable`, too, when something that was recorded before was refused since: the runs have to be read again first. */
  override async record(changes: Changes): Promise<void> {
    while (this.#appending) await this.#appending
    const moves = movesOf(changes)
    const text = moves && !this.#hasRefused(moves) ? JSON.stringify(moves) : null
    if (text === null || this.#isUncertain || !this.#journal.fits(text)) this.settle()
    if (this.#isBehind) throw behind()
    if (text === null || !this.#journal.fits(text)) return this.#recordAtOnce(changes)
    this.#revisions.check(changes)
    const sequence = await this.#append(text)
    this.#await({ sequence, text, moves: moves as Moves })
  }

  override async listUnfinished(): Promise<DagRun[]> {
    this.settle()
    const runs = await super.listUnfinished()
    this.#isBehind = false
    return runs
  }

  override async delete(dagId: string, runId: string | null): Promise<void> {
    while (this.#appending) await this.#appending
    await super.delete(dagId, runId)
    this.#revisions.forgetRun(dagId, runId)
  }

  /** Brings what is durable to the tables. */
  settle(): void {
    if (this.#isSettling) return
    this.#waitForWriter()
    // A number that is skipped is so for good: another half may go on behind what must not be read any more.
    const isForGood = this.#isUncertain || this.#journal.full !== null
    if (this.#pending.length > 0 || isForGood) this.#settleHere(isForGood)
  }

  /** `isForGood`: it is to outlive a loss of power in the tables, too, so that the journal is not needed any more. Else, should the power fail, the journal still has it. */
  #settleHere(isForGood: boolean): void {
    this.#stopTimer()
    const pending = this.#pending
    const isUncertain = this.#isUncertain
    // A number that a failed append may have left in the file is out of date before anything else is read or written.
    const last = isUncertain ? this.#journal.skip() : this.#last
    this.#pending = []
    // The statements of this very transaction must not come back here.
    this.#isSettling = true
    let refused: readonly Refused[] = []
    try {
      refused = this.#write(pending, last, isForGood)
    } catch (error) {
      this.#pending = [...pending, ...this.#pending]
      throw error
    } finally {
      this.#isSettling = false
    }
    this.#last = last
    if (isUncertain) this.#isUncertain = false
    this.#moved = 0
    this.#revisions.forgetThrough(pending)
    if (isForGood) this.#journal.release(last)
    if (refused.length > 0) this.#giveUp(refused)
  }

  /** Answers what the tables have refused. */
  #write(records: readonly Recorded[], last: number, isForGood: boolean): readonly Refused[] {
    const apply = (moves: Moves) => this.apply({ ...NO_CHANGES, ...moves })
    const work = () => {
      for (const moves of joined(records.map((one) => one.moves))) apply(moves)
      markApplied(this.#db, last)
    }
    try {
      if (isForGood) this.#db.transaction(work)
      else this.#db.quickTransaction(work)
      return []
    } catch (error) {
      if (records.length === 0 || isOutage(error)) throw error
      return this.#db.transaction(() => {
        const refused = applySingly(this.#db, records, apply)
        markApplied(this.#db, last)
        return refused
      })
    }
  }

  #giveUp(refused: readonly Refused[]): void {
    this.#isBehind = true
    // What the tables have is what counts, also of the runs whose moves were refused.
    this.#revisions.clear()
    for (const { sequence, dagId, runId, error } of refused) {
      this.#refusedRuns.add(runKey({ dagId, runId }))
      this.#logger.error(
        `What the journal has of run "${runId}" of DAG "${dagId}" cannot be kept, and is in the table journal_refused of platform.sqlite. The run goes on from what is kept, and its tasks that are lost by that are tried again. Look at what they answer, and tell us of the error.`,
        { dagId, runId, entry: sequence, error },
      )
    }
  }

  #hasRefused({ runs, instances, tries, xcoms }: Moves): boolean {
    return (
      this.#refusedRuns.size > 0 && [runs, instances, tries, xcoms].some((all) => all.some((one) => this.#refusedRuns.has(runKey(one))))
    )
  }

  async #append(text: string): Promise<number> {
    const appended = this.#journal.append(text)
    this.#appending = appended.then(
      () => {},
      () => {},
    )
    try {
      const sequence = await appended
      // It was made of what was refused meanwhile.
      if (this.#isBehind) throw behind()
      this.#last = sequence
      return sequence
    } catch (error) {
      this.#isUncertain = true
      throw error
    } finally {
      this.#appending = null
    }
  }

  /**
   * Begins to bring what is durable to the tables: in the writer's thread if that is there, else here. It can wait: a disk that is full, or a
   * table that somebody holds, must not end the platform nor undo a turn.
   */
  #begin(): void {
    const writer = this.#writer
    try {
      if (this.#moved >= Math.min(MUCH, this.#many)) writer?.start()
      this.#noticeDone()
      if (writer?.isReady && !this.#isUncertain) this.#giveTo(writer)
      else this.settle()
    } catch {
      this.#settleSoon()
    }
  }

  #giveTo(writer: TableWriter): void {
    this.#stopTimer()
    const records = this.#pending
    const last = records.at(-1)?.sequence
    if (last === undefined) return
    const batch: Batch = { texts: records.map(({ text }) => text), last, isForGood: this.#journal.full !== null }
    this.#given.push({ number: writer.give(batch), records, isForGood: batch.isForGood })
    this.#pending = []
    this.#moved = 0
  }

  #waitForWriter(): void {
    if (this.#given.length === 0) return
    this.#writer?.wait()
    this.#noticeDone()
  }

  #noticeDone(): void {
    const writer = this.#writer
    if (!writer) return
    if (writer.hasFailed) this.#takeBack(writer)
    for (let first = this.#given[0]; first && first.number <= writer.done; first = this.#given[0]) {
      this.#given.shift()
      this.#revisions.forgetThrough(first.records)
      if (first.isForGood) this.#journal.release(first.records.at(-1)?.sequence ?? 0)
    }
  }

  /** What a writer that has failed has not brought to the tables waits again. */
  #takeBack(writer: TableWriter): void {
    const applied = this.#db.peek<{ sequence: number }>('SELECT sequence FROM journal_applied')?.sequence ?? 0
    writer.end()
    const records = this.#given.flatMap((batch) => batch.records)
    this.#given = []
    this.#pending = [...records.filter(({ sequence }) => sequence > applied), ...this.#pending]
    this.#revisions.forgetThrough(records.filter(({ sequence }) => sequence <= applied))
  }

  #await(recorded: Recorded): void {
    this.#pending.push(recorded)
    this.#revisions.remember(recorded.moves)
    this.#moved += recorded.moves.instances.length
    if (this.#moved >= this.#many) this.#begin()
    else this.#settleSoon()
  }

  #settleSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#begin()
    }, SOON_MS).unref()
  }

  #stopTimer(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #recordAtOnce(changes: Changes): void {
    this.#db.transaction(() => this.apply(changes))
    this.#revisions.rememberAtOnce(changes)
    for (const run of changes.runs) if (isFinished(run.state)) this.#refusedRuns.delete(runKey(run))
  }
}

const behind = (): AppError =>
  new AppError(
    'unavailable',
    'The tables have refused something that was recorded before. The runs have to be read again first; then try again.',
  )
