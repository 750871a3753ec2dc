/** The DAGs on the board, kept as the store has them, each with its timetable and the interval that it has come to. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Board, KnownDag } from './board.ts'
import type { DagRecord, DagStore } from './dag.ts'
import { planOf } from './dag-plan.ts'
import type { DagRunStore } from './dag-run.ts'
import { Fault, faultOf } from './fault.ts'
import { type DataInterval, type DueRun, timetable } from './timetable.ts'

export class KnownDags {
  readonly #board: Board
  readonly #dags: DagStore
  readonly #runs: DagRunStore
  readonly #onFault: (fault: Fault) => void
  /** Which DAGs are to be read again; null for all. */
  #old: Set<string> | null = null

  constructor({ board, dags, runs, onFault }: { board: Board; dags: DagStore; runs: DagRunStore; onFault: (fault: Fault) => void }) {
    this.#board = board
    this.#dags = dags
    this.#runs = runs
    this.#onFault = onFault
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
    for (const dag of this.#board.dags.values())
      if (!this.#board.quarantine.holdsSchedule(dag.record.dagId)) await this.#setLastInterval(dag)
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

  /** The next runs of the schedule after `now`, at most `count`, as if each one were made; none of a schedule that cannot be followed. */
  nextRuns(dagId: string, count: number, now: Date): DueRun[] {
    const dag = this.#board.dags.get(dagId)
    const found: DueRun[] = []
    if (this.#board.quarantine.holdsSchedule(dagId)) return found
    for (let { lastInterval } = dag ?? { lastInterval: null }; dag && !dag.record.isStale && found.length < count; ) {
      const next = nextIfAny({ ...dag, lastInterval }, now)
      if (!next) break
      found.push(next)
      lastInterval = next.interval
    }
    return found
  }

  async #readAll(): Promise<void> {
    const records = await this.#dags.list({ includeStale: true })
    const there = new Set(records.map(({ dagId }) => dagId))
    for (const dagId of [...this.#board.dags.keys()]) if (!there.has(dagId)) this.#forget(dagId)
    await this.#take(records)
  }

  async #read(dagIds: ReadonlySet<string>): Promise<void> {
    const records: DagRecord[] = []
    for (const dagId of dagIds) {
      const record = await this.#dags.find(dagId)
      if (record) records.push(record)
      else this.#forget(dagId)
    }
    await this.#take(records)
  }

  async #take(records: readonly DagRecord[]): Promise<void> {
    for (const record of records) {
      const { dagId } = record
      const known = this.#board.dags.get(dagId)
      try {
        const isSame = known !== undefined && isSameDocument(known.record, record)
        if (isSame && isSameSwitch(known.record, record)) continue
        // A document that cannot be followed stops no other DAG.
        const own = isSame
          ? known
          : { timetable: timetable(record.document.schedule, record.document.timezone), plan: planOf(record.document) }
        const document = isSame ? known.record.document : record.document
        const dag: KnownDag = {
          ...{ record: { ...record, document }, plan: own.plan, timetable: own.timetable },
          ...{ lastInterval: known?.lastInterval ?? null, due: undefined },
        }
        if (!isSame) this.#board.quarantine.dagChanged(dagId)
        if (!known) await this.#setLastInterval(dag).catch((error: unknown) => this.#hold(error))
        this.#board.putDag(dag)
      } catch (error) {
        this.#hold(faultOf({ kind: 'document', dagId }, error))
      }
    }
    this.#board.ready.releaseAll()
  }

  #forget(dagId: string): void {
    this.#board.dags.delete(dagId)
    this.#board.quarantine.dagChanged(dagId)
  }

  async #setLastInterval(dag: KnownDag): Promise<void> {
    const { dagId } = dag.record
    try {
      const last = await this.#runs.findLatestScheduled(dagId)
      const kept = last && { start: new Date(last.dataIntervalStart), end: new Date(last.dataIntervalEnd) }
      dag.due = dueAgain(dag, kept)
      dag.lastInterval = kept
    } catch (error) {
      throw this.#runs.isOutage(error) ? error : faultOf({ kind: 'schedule', dagId }, error)
    }
  }

  /** Throws what is nobody's fault. */
  #hold(error: unknown): void {
    if (!(error instanceof Fault) || this.#runs.isOutage(error.cause)) throw error
    this.#onFault(error)
  }
}

/** What is due once the store says how far it has come. Without catchup a run that was not kept stays due: its time may have gone by meanwhile. */
function dueAgain({ record, lastInterval, due }: KnownDag, kept: DataInterval | null): DueRun | null | undefined {
  if (lastInterval?.end.getTime() === kept?.end.getTime()) return due
  const isAhead = lastInterval !== null && (kept === null || lastInterval.end > kept.end)
  if (!isAhead || record.document.catchup) return undefined
  return { logicalDate: lastInterval.start, interval: lastInterval, runAfter: lastInterval.end }
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

/** What a schedule throws is told where its runs are made. */
function nextIfAny(dag: KnownDag, now: Date): DueRun | null {
  try {
    return nextRun(dag, now)
  } catch {
    return null
  }
}
