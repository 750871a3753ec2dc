/**
 * DAG runs in SQLite whose moves go through a journal. What most turns do, moving instances that exist and keeping what they answer, is
 * durable in the journal and comes to the tables many turns at a time: before anything is read or written there otherwise, when much
 * has come together, or a moment later. Everything else is committed to the tables at once.
 */
import { AppError } from '../../core/app-error.ts'
import { type Changes, type DagRun, isFinished, NO_CHANGES, runKey } from '../../scheduling/dag-run.ts'
import { instanceKey, isDone, type TaskInstance } from '../../scheduling/task-instance.ts'
import { SqliteDagRunStore } from './dag-run.ts'
import type { Database } from './database.ts'
import type { Journal } from './journal.ts'
import type { SqliteTaskInstanceStore } from './task-instance.ts'

const TABLE = 'CREATE TABLE IF NOT EXISTS journal_applied (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL) STRICT'
/** So many moved instances come to the tables without a wait: more would hold everything else up. */
const MANY = 128
const SOON_MS = 150

/** What a journal entry holds of a turn. */
type Moves = Pick<Changes, 'runs' | 'instances' | 'tries' | 'xcoms' | 'xcomsCleared' | 'callbacksDone' | 'cancellationsDone'>

export class JournaledDagRunStore extends SqliteDagRunStore {
  readonly #db: Database
  readonly #journal: Journal
  /** Durable, and not in the tables yet. */
  #pending: Moves[] = []
  #moved = 0
  /** Of the runs and instances that are not through, or not in the tables, as they were recorded last. */
  readonly #revisions = new Map<string, number>()
  #through: string[] = []
  #last = 0
  /** An entry may be in the file although its append has failed. */
  #isUncertain = false
  #isAppending = false
  #isSettling = false
  #timer: NodeJS.Timeout | null = null

  /** Takes what an earlier platform has left in the journal into the tables. */
  constructor(db: Database, instances: SqliteTaskInstanceStore, journal: Journal) {
    super(db, instances)
    this.#db = db
    this.#journal = journal
    db.migrate(TABLE)
    this.#last = db.get<{ sequence: number }>('SELECT sequence FROM journal_applied')?.sequence ?? 0
    for (const { sequence, text } of journal.open(this.#last)) {
      this.#pending.push(JSON.parse(text) as Moves)
      this.#last = sequence
    }
    // Before an entry takes the place of those that are in the tables, these have to outlive a loss of power.
    this.#settleForGood()
    db.beforeUse = () => this.settle()
  }

  override async record(changes: Changes): Promise<void> {
    if (this.#isUncertain) this.settle()
    const text = isOnlyMoves(changes) ? JSON.stringify(movesOf(changes)) : null
    // Beside an append that is under way the journal stays as it is.
    if (text !== null && !this.#isAppending && !this.#journal.fits(text)) this.#settleForGood()
    if (text === null || this.#isAppending || !this.#journal.fits(text)) return this.#recordAtOnce(changes)
    this.#check(changes)
    this.#isAppending = true
    try {
      this.#last = await this.#journal.append(text)
    } catch (error) {
      this.#isUncertain = true
      throw error
    } finally {
      this.#isAppending = false
    }
    this.#await(movesOf(changes))
  }

  override async delete(dagId: string, runId: string | null): Promise<void> {
    await super.delete(dagId, runId)
    const prefix = runId === null ? `${dagId}/` : runKey({ dagId, runId })
    for (const key of this.#revisions.keys())
      if (key === prefix || key.startsWith(`${prefix}${runId === null ? '' : '/'}`)) this.#revisions.delete(key)
  }

  /** Brings what is durable to the tables. */
  settle(): void {
    if (this.#isSettling || (this.#pending.length === 0 && !this.#isUncertain)) return
    if (this.#journal.isLong && !this.#isAppending) this.#settleForGood()
    // Should the power fail, the journal still has it.
    else this.#settle((work) => this.#db.quickTransaction(work))
  }

  /** So that the journal is not needed any more. */
  #settleForGood(): void {
    this.#settle((work) => this.#db.transaction(work))
    this.#journal.rewind()
  }

  #settle(transaction: (work: () => void) => void): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const pending = this.#pending
    const isUncertain = this.#isUncertain
    // A number that a failed append may have left in the file is out of date before anything else is read or written.
    const last = isUncertain ? this.#journal.skip() : this.#last
    this.#pending = []
    // The statements of this very transaction must not come back here.
    this.#isSettling = true
    try {
      transaction(() => {
        for (const moves of joined(pending)) this.apply({ ...NO_CHANGES, ...moves })
        this.#mark(last)
      })
      this.#last = last
      if (isUncertain) this.#isUncertain = false
    } catch (error) {
      this.#pending = [...pending, ...this.#pending]
      throw error
    } finally {
      this.#isSettling = false
    }
    this.#moved = 0
    for (const key of this.#through) this.#revisions.delete(key)
    this.#through = []
  }

  #await(moves: Moves): void {
    this.#pending.push(moves)
    this.#remember(moves)
    this.#moved += moves.instances.length
    if (this.#moved >= MANY) this.#trySettle()
    else this.#settleSoon()
  }

  #settleSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#trySettle()
    }, SOON_MS).unref()
  }

  /** What is durable in the journal can wait: a disk that is full, or a table that somebody holds, must not end the platform nor undo a turn. */
  #trySettle(): void {
    try {
      this.settle()
    } catch {
      this.#settleSoon()
    }
  }

  #remember({ runs, instances }: Pick<Moves, 'runs' | 'instances'>): void {
    for (const run of runs) {
      this.#revisions.set(runKey(run), run.revision)
      if (isFinished(run.state)) this.#through.push(runKey(run))
    }
    for (const instance of instances) {
      this.#revisions.set(instanceKey(instance), instance.revision)
      if (isDone(instance.state)) this.#through.push(instanceKey(instance))
    }
  }

  #recordAtOnce(changes: Changes): void {
    this.#db.transaction(() => this.apply(changes))
    for (const key of [...changes.deleted.map(instanceKey), ...changes.runs.filter(({ state }) => isFinished(state)).map(runKey)])
      this.#revisions.delete(key)
    this.#remember({ runs: [...changes.created, ...changes.runs], instances: [...changes.added, ...changes.instances] })
  }

  #mark(sequence: number): void {
    this.#db.run('INSERT INTO journal_applied VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence', sequence)
  }

  /** The tables refuse a change of something older; here that has to be known before it is durable. */
  #check({ runs, instances }: Changes): void {
    for (const run of runs) {
      const known = this.#revisions.get(runKey(run)) ?? this.#db.peek<Revised>(RUN_REVISION, run.dagId, run.runId)?.revision
      if (known === undefined || known >= run.revision) throw movedOn(run)
    }
    for (const instance of instances) {
      const { dagId, runId, taskId, mapIndex } = instance
      const known =
        this.#revisions.get(instanceKey(instance)) ?? this.#db.peek<Revised>(INSTANCE_REVISION, dagId, runId, taskId, mapIndex)?.revision
      if (known === undefined || known >= instance.revision) throw movedOn(instance)
    }
  }
}

interface Revised {
  readonly revision: number
}

const RUN_REVISION = 'SELECT revision FROM dag_run WHERE dag_id = ? AND run_id = ?'
const INSTANCE_REVISION = 'SELECT revision FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ?'

const movesOf = ({ runs, instances, tries, xcoms, xcomsCleared, callbacksDone, cancellationsDone }: Changes): Moves => ({
  runs,
  instances,
  tries,
  xcoms,
  xcomsCleared,
  callbacksDone,
  cancellationsDone,
})

/** Nothing is made anew, and nothing is in it that the tables keep encrypted. */
const isOnlyMoves = (changes: Changes): boolean =>
  changes.created.length === 0 &&
  changes.added.length === 0 &&
  changes.deleted.length === 0 &&
  changes.callbacks.length === 0 &&
  changes.cancellations.length === 0 &&
  changes.assetEvents.length === 0 &&
  changes.assetsQueued.length === 0 &&
  changes.assetsConsumed.length === 0 &&
  changes.backfills.length === 0 &&
  changes.backfillDates.length === 0 &&
  changes.instances.every(({ deferral }) => deferral?.wait.kind !== 'trigger')

/** Of each run and instance only where it has come to; what else there is, in its order. */
function* joined(pending: readonly Moves[]): Generator<Moves> {
  const runs = new Map<string, DagRun>()
  const instances = new Map<string, TaskInstance>()
  for (const moves of pending) {
    for (const run of moves.runs) runs.set(runKey(run), run)
    for (const instance of moves.instances) instances.set(instanceKey(instance), instance)
  }
  const [first] = pending
  if (!first) return
  yield { ...first, runs: [...runs.values()], instances: [...instances.values()] }
  for (const moves of pending.slice(1)) yield { ...moves, runs: [], instances: [] }
}

const movedOn = (one: DagRun | TaskInstance): AppError =>
  new AppError(
    'conflict',
    'taskId' in one
      ? `Task "${one.taskId}" in run "${one.runId}" of DAG "${one.dagId}" has moved on in the meantime.`
      : `Run "${one.runId}" of DAG "${one.dagId}" has moved on in the meantime.`,
  )
