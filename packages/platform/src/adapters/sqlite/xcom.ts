/** XComs in SQLite. */
import type { XCom, XComStore } from '../../scheduling/xcom.ts'
import type { Database } from './database.ts'
import { shapeTable } from './table-shape.ts'

const TABLE = `CREATE TABLE xcom (
  dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, map_index INTEGER NOT NULL DEFAULT -1, key TEXT NOT NULL,
  value TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (dag_id, run_id, task_id, map_index, key)) STRICT`

const OF_RUN = 'SELECT * FROM xcom WHERE dag_id = ? AND run_id = ?'

export class SqliteXComStore implements XComStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    shapeTable(db, TABLE)
  }

  async find(dagId: string, runId: string, taskId: string, key: string, mapIndex = -1): Promise<XCom | null> {
    const row = this.#db.get<XComRow>(`${OF_RUN} AND task_id = ? AND map_index = ? AND key = ?`, dagId, runId, taskId, mapIndex, key)
    return row ? toXCom(row) : null
  }

  async list(dagId: string, runId: string, taskId?: string, mapIndex?: number): Promise<XCom[]> {
    const order = 'ORDER BY task_id, map_index, key'
    if (taskId === undefined) return this.#db.all<XComRow>(`${OF_RUN} ${order}`, dagId, runId).map(toXCom)
    if (mapIndex === undefined) return this.#db.all<XComRow>(`${OF_RUN} AND task_id = ? ${order}`, dagId, runId, taskId).map(toXCom)
    return this.#db.all<XComRow>(`${OF_RUN} AND task_id = ? AND map_index = ? ${order}`, dagId, runId, taskId, mapIndex).map(toXCom)
  }

  async save(xcom: XCom): Promise<void> {
    this.put(xcom)
  }

  async delete(dagId: string, runId: string, taskId: string, key: string, mapIndex = -1): Promise<boolean> {
    const sql = 'DELETE FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? AND key = ?'
    return this.#db.run(sql, dagId, runId, taskId, mapIndex, key).changes > 0
  }

  put({ dagId, runId, taskId, mapIndex, key, value, at }: XCom): void {
    const text = JSON.stringify(value ?? null)
    this.#db.run('INSERT OR REPLACE INTO xcom VALUES (?, ?, ?, ?, ?, ?, ?)', dagId, runId, taskId, mapIndex, key, text, at)
  }

  /** Deletes those of an instance that were written before that instant. */
  clear({ dagId, runId, taskId, mapIndex }: Omit<XCom, 'key' | 'value' | 'at'>, before: string): void {
    const sql = 'DELETE FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? AND at < ?'
    this.#db.run(sql, dagId, runId, taskId, mapIndex, before)
  }
}

interface XComRow {
  dag_id: string
  run_id: string
  task_id: string
  map_index: number
  key: string
  value: string
  at: string
}

const toXCom = (row: XComRow): XCom => ({
  dagId: row.dag_id,
  runId: row.run_id,
  taskId: row.task_id,
  mapIndex: row.map_index,
  key: row.key,
  value: JSON.parse(row.value),
  at: row.at,
})
