/** The DAGs on the board, kept as the store has them, each with its timetable and the interval that it has come to. */
import { AppError, didYouMean, messageOf } from '../core/app-error.ts'
import type { Logger } from '../core/logger.ts'
import type { Board, KnownDag } from './board.ts'
import type { DagRecord, DagStore } from './dag.ts'
import { planOf } from './dag-plan.ts'
import type { DagRunStore } from './dag-run.ts'
import { type DueRun, type Timetable, timetable } from './timetable.ts'

export class KnownDags {
  readonly #board: Board
  readonly #dags: DagStore
  readonly #runs: DagRunStore
  readonly #logger: Logger
  /** Which DAGs are to be read again; null for all. */
  #old: Set<string> | null = null

  constructor({ board, dags, runs, logger }: { board: Board; dags: DagStore; runs: DagRunStore; logger: Logger }) {
    this.#board = board
    this.#dags = dags
    this.#runs = runs
    this.#logger = logger
  }

  /** The store has something new: of these DAGs, or who knows of which. */
  expire(dagIds?: readonly string[]): void {
    if (dagIds === undefined) this.#old = null
    else for (const dagId of dagIds) this.#old?.add(dagId)
  }

  /** Reads the store again if it has something new. True when it has. */
  async refresh(): Promise<boolean> {
    const old = this.#old
    if (old?.size === 0) return false
    this.#old = new Set()
    try {
      await (old === null ? this.#readAll() : this.#read(old))
      return true
    } catch (error) {
      this.expire(old === null ? undefined : [...old])
      throw error
    }
  }

  /** Reads again how far each DAG has come. */
  async refreshIntervals(): Promise<void> {
    for (const dag of this.#board.dags.values()) await this.#setLastInterval(dag)
  }

  /** Throws `not_found`. */
  async find(dagId: string): Promise<KnownDag> {
    const known = this.#board.dags.get(dagId)
    if (known) return known
    // The folder may have stored it a moment ago.
    this.expire([dagId])
    await this.refresh()
    const found = this.#board.dags.get(dagId)
    if (found) return found
    throw new AppError('not_found', `There is no DAG "${dagId}".${didYouMean(dagId, this.#board.dags.keys())} GET /api/v2/dags lists them.`)
  }

  async #readAll(): Promise<void> {
    const records = await this.#dags.list({ includeStale: true })
    const there = new Set(records.map(({ dagId }) => dagId))
    for (const dagId of [...this.#board.dags.keys()]) if (!there.has(dagId)) this.#board.dags.delete(dagId)
    await this.#take(records)
  }

  async #read(dagIds: ReadonlySet<string>): Promise<void> {
    const records: DagRecord[] = []
    for (const dagId of dagIds) {
      const record = await this.#dags.find(dagId)
      if (record) records.push(record)
      else this.#board.dags.delete(dagId)
    }
    await this.#take(records)
  }

  async #take(records: readonly DagRecord[]): Promise<void> {
    for (const record of records) {
      const known = this.#board.dags.get(record.dagId)
      const isSame = known !== undefined && isSameDocument(known.record, record)
      if (isSame && isSameSwitch(known.record, record)) continue
      const ownTimetable = isSame ? known.timetable : this.#timetable(record)
      if (!ownTimetable) continue
      const document = isSame ? known.record.document : record.document
      const dag: KnownDag = {
        record: { ...record, document },
        plan: planOf(document),
        timetable: ownTimetable,
        lastInterval: known?.lastInterval ?? null,
        due: undefined,
      }
      if (!known) await this.#setLastInterval(dag)
      this.#board.putDag(dag)
    }
    this.#board.ready.releaseAll()
  }

  async #setLastInterval(dag: KnownDag): Promise<void> {
    const last = await this.#runs.findLatestScheduled(dag.record.dagId)
    dag.lastInterval = last && { start: new Date(last.dataIntervalStart), end: new Date(last.dataIntervalEnd) }
    dag.due = undefined
  }

  /** Null for a schedule that cannot be read: such a DAG does not run, and stops no other. */
  #timetable({ dagId, document }: DagRecord): Timetable | null {
    try {
      return timetable(document.schedule, document.timezone)
    } catch (error) {
      this.#logger.error(`DAG "${dagId}" cannot be scheduled.`, { error: messageOf(error) })
      return null
    }
  }
}

/** Stores may answer the same object for the same document, which makes this cheap. */
const isSameDocument = (a: DagRecord, b: DagRecord): boolean =>
  a.document === b.document || JSON.stringify(a.document) === JSON.stringify(b.document)

const isSameSwitch = (a: DagRecord, b: DagRecord): boolean =>
  a.isPaused === b.isPaused && a.isStale === b.isStale && a.hasImportErrors === b.hasImportErrors && a.file === b.file

/** The next run that the schedule of `dag` brings, paused or not. */
export function nextRun({ record, timetable, lastInterval }: KnownDag, now: Date): DueRun | null {
  const { startDate, endDate, catchup } = record.document
  const restriction = { earliest: startDate ? new Date(startDate) : null, latest: endDate ? new Date(endDate) : null, catchup }
  return timetable.next(lastInterval, restriction, now)
}
