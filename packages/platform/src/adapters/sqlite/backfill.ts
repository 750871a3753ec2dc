/** Backfills and their dates in SQLite. */
import { AppError } from '../../core/app-error.ts'
import type { Backfill, BackfillDate, BackfillStore, ReprocessBehavior } from '../../scheduling/backfill.ts'
import type { Database } from './database.ts'
import { shapeTable } from './table-shape.ts'

const BACKFILL = `CREATE TABLE backfill (
  id INTEGER PRIMARY KEY AUTOINCREMENT, dag_id TEXT NOT NULL, from_date TEXT NOT NULL, to_date TEXT NOT NULL, reprocess TEXT NOT NULL,
  max_active_runs INTEGER NOT NULL, is_backwards INTEGER NOT NULL, conf TEXT NOT NULL, tasks TEXT, is_paused INTEGER NOT NULL,
  created_by TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, completed_at TEXT) STRICT`

const DATE = `CREATE TABLE backfill_date (
  backfill_id INTEGER NOT NULL, ordinal INTEGER NOT NULL, logical_date TEXT NOT NULL, run_id TEXT, exception_reason TEXT,
  PRIMARY KEY (backfill_id, ordinal)) STRICT, WITHOUT ROWID`

const INDICES = `
  CREATE INDEX IF NOT EXISTS backfill_of_dag ON backfill (dag_id, id);
  CREATE INDEX IF NOT EXISTS backfill_active ON backfill (id) WHERE completed_at IS NULL;
  CREATE INDEX IF NOT EXISTS backfill_date_open ON backfill_date (backfill_id, ordinal) WHERE run_id IS NULL AND exception_reason IS NULL`

export class SqliteBackfillStore implements BackfillStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    shapeTable(db, BACKFILL)
    shapeTable(db, DATE)
    db.migrate(INDICES)
  }

  async find(id: number): Promise<Backfill | null> {
    const row = this.#db.get<BackfillRow>('SELECT * FROM backfill WHERE id = ?', id)
    return row ? toBackfill(row) : null
  }

  async list({ dagId, isActive, limit, offset }: Parameters<BackfillStore['list']>[0]): Promise<{ backfills: Backfill[]; total: number }> {
    const conditions = ['1 = 1']
    if (dagId !== undefined) conditions.push('dag_id = ?')
    if (isActive !== undefined) conditions.push(`completed_at IS ${isActive ? '' : 'NOT '}NULL`)
    const where = conditions.join(' AND ')
    const values = dagId === undefined ? [] : [dagId]
    const rows = this.#db.all<BackfillRow>(
      `SELECT * FROM backfill WHERE ${where} ORDER BY id DESC LIMIT ? OFFSET ?`,
      ...values,
      limit,
      offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM backfill WHERE ${where}`, ...values)
    return { backfills: rows.map(toBackfill), total: count?.total ?? 0 }
  }

  async listActive(): Promise<Backfill[]> {
    return this.#db.all<BackfillRow>('SELECT * FROM backfill WHERE completed_at IS NULL ORDER BY id').map(toBackfill)
  }

  async dates(id: number): Promise<BackfillDate[]> {
    return this.#db.all<DateRow>('SELECT * FROM backfill_date WHERE backfill_id = ? ORDER BY ordinal', id).map(toDate)
  }

  async openDates(id: number, limit: number): Promise<{ dates: BackfillDate[]; total: number }> {
    const open = 'FROM backfill_date WHERE backfill_id = ? AND run_id IS NULL AND exception_reason IS NULL'
    const rows = this.#db.all<DateRow>(`SELECT * ${open} ORDER BY ordinal LIMIT ?`, id, limit)
    return { dates: rows.map(toDate), total: this.#db.get<{ total: number }>(`SELECT count(*) AS total ${open}`, id)?.total ?? 0 }
  }

  async create(backfill: Omit<Backfill, 'id'>, dates: readonly Omit<BackfillDate, 'backfillId'>[]): Promise<number> {
    return this.#db.transaction(() => {
      const { lastInsertRowid: id } = this.#db.run(
        `INSERT INTO backfill (dag_id, from_date, to_date, reprocess, max_active_runs, is_backwards, conf, tasks, is_paused, created_by,
           created_at, updated_at, completed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        backfill.dagId,
        backfill.from,
        backfill.to,
        backfill.reprocess,
        backfill.maxActiveRuns,
        Number(backfill.isBackwards),
        JSON.stringify(backfill.conf),
        backfill.tasks && JSON.stringify(backfill.tasks),
        Number(backfill.isPaused),
        backfill.createdBy,
        backfill.createdAt,
        backfill.updatedAt,
        backfill.completedAt,
      )
      for (const { ordinal, logicalDate, runId, exceptionReason } of dates) {
        this.#db.run('INSERT INTO backfill_date VALUES (?, ?, ?, ?, ?)', id, ordinal, logicalDate, runId, exceptionReason)
      }
      return id
    })
  }

  async update(backfill: Backfill): Promise<void> {
    this.put(backfill)
  }

  async updateDate(date: BackfillDate): Promise<void> {
    this.putDate(date)
  }

  async deleteOfDag(dagId: string): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM backfill_date WHERE backfill_id IN (SELECT id FROM backfill WHERE dag_id = ?)', dagId)
      this.#db.run('DELETE FROM backfill WHERE dag_id = ?', dagId)
    })
  }

  /** Writes what can change of a backfill. At once, so that it may be part of the commit of a turn. Throws `not_found`. */
  put({ id, maxActiveRuns, isPaused, updatedAt, completedAt }: Backfill): void {
    const { changes } = this.#db.run(
      'UPDATE backfill SET max_active_runs = ?, is_paused = ?, updated_at = ?, completed_at = ? WHERE id = ?',
      maxActiveRuns,
      Number(isPaused),
      updatedAt,
      completedAt,
      id,
    )
    if (changes === 0) throw new AppError('not_found', `There is no backfill ${id}.`)
  }

  /** Writes which run a date has got, or why it gets none. At once, as {@link put}. Throws `not_found`. */
  putDate({ backfillId, ordinal, runId, exceptionReason }: BackfillDate): void {
    const { changes } = this.#db.run(
      'UPDATE backfill_date SET run_id = ?, exception_reason = ? WHERE backfill_id = ? AND ordinal = ?',
      runId,
      exceptionReason,
      backfillId,
      ordinal,
    )
    if (changes === 0) throw new AppError('not_found', `There is no date ${ordinal} in backfill ${backfillId}.`)
  }
}

interface BackfillRow {
  id: number
  dag_id: string
  from_date: string
  to_date: string
  reprocess: ReprocessBehavior
  max_active_runs: number
  is_backwards: number
  conf: string
  tasks: string | null
  is_paused: number
  created_by: string
  created_at: string
  updated_at: string
  completed_at: string | null
}

interface DateRow {
  backfill_id: number
  ordinal: number
  logical_date: string
  run_id: string | null
  exception_reason: BackfillDate['exceptionReason']
}

const toBackfill = (row: BackfillRow): Backfill => ({
  id: row.id,
  dagId: row.dag_id,
  from: row.from_date,
  to: row.to_date,
  reprocess: row.reprocess,
  maxActiveRuns: row.max_active_runs,
  isBackwards: row.is_backwards === 1,
  conf: JSON.parse(row.conf) as Record<string, unknown>,
  tasks: row.tasks === null ? null : (JSON.parse(row.tasks) as string[]),
  isPaused: row.is_paused === 1,
  createdBy: row.created_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  completedAt: row.completed_at,
})

const toDate = (row: DateRow): BackfillDate => ({
  backfillId: row.backfill_id,
  ordinal: row.ordinal,
  logicalDate: row.logical_date,
  runId: row.run_id,
  exceptionReason: row.exception_reason,
})
