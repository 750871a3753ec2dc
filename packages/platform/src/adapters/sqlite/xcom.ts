/** XComs in SQLite. */
import type { XCom, XComStore } from '../../scheduling/xcom.ts'
import type { Database } from './database.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS xcom (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (dag_id, run_id, task_id, key)) STRICT`

export class SqliteXComStore implements XComStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(dagId: string, runId: string, taskId: string, key: string): Promise<XCom | null> {
    const sql = 'SELECT * FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? AND key = ?'
    const row = this.#db.get<XComRow>(sql, dagId, runId, taskId, key)
    return row ? toXCom(row) : null
  }

  async list(dagId: string, runId: string, taskId?: string): Promise<XCom[]> {
    const rows =
      taskId === undefined
        ? this.#db.all<XComRow>('SELECT * FROM xcom WHERE dag_id = ? AND run_id = ? ORDER BY task_id, key', dagId, runId)
        : this.#db.all<XComRow>('SELECT * FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? ORDER BY key', dagId, runId, taskId)
    return rows.map(toXCom)
  }

  async save(xcom: XCom): Promise<void> {
    this.put(xcom)
  }

  put({ dagId, runId, taskId, key, value, at }: XCom): void {
    this.#db.run('INSERT OR REPLACE INTO xcom VALUES (?, ?, ?, ?, ?, ?)', dagId, runId, taskId, key, JSON.stringify(value ?? null), at)
  }

  /** Deletes those of a task that were written before that instant. */
  clear(dagId: string, runId: string, taskId: string, before: string): void {
    this.#db.run('DELETE FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? AND at < ?', dagId, runId, taskId, before)
  }
}

interface XComRow {
  dag_id: string
  run_id: string
  task_id: string
  key: string
  value: string
  at: string
}

const toXCom = (row: XComRow): XCom => ({
  dagId: row.dag_id,
  runId: row.run_id,
  taskId: row.task_id,
  key: row.key,
  value: JSON.parse(row.value),
  at: row.at,
})
