/** Earlier tries of task instances in SQLite. */
import type { TaskInstanceState } from '../../scheduling/task-instance.ts'
import type { TaskTry, TaskTryStore } from '../../scheduling/task-try.ts'
import type { Database } from './database.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS task_try (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, map_index INTEGER NOT NULL, try_number INTEGER NOT NULL,
    max_tries INTEGER NOT NULL, operator TEXT NOT NULL, state TEXT NOT NULL, scheduled_at TEXT, queued_at TEXT, started_at TEXT,
    ended_at TEXT, detail TEXT, rendered_fields TEXT, pool TEXT NOT NULL, pool_slots INTEGER NOT NULL, priority_weight INTEGER NOT NULL,
    PRIMARY KEY (dag_id, run_id, task_id, map_index, try_number)) STRICT`

export class SqliteTaskTryStore implements TaskTryStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async list(dagId: string, runId: string, taskId: string, mapIndex: number): Promise<TaskTry[]> {
    const sql = 'SELECT * FROM task_try WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? ORDER BY try_number'
    return this.#db.all<TaskTryRow>(sql, dagId, runId, taskId, mapIndex).map(toTry)
  }

  /** Only within the commit of a turn. */
  put(one: TaskTry): void {
    this.#db.run(
      'INSERT OR REPLACE INTO task_try VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      one.dagId,
      one.runId,
      one.taskId,
      one.mapIndex,
      one.tryNumber,
      one.maxTries,
      one.operator,
      one.state,
      one.scheduledAt,
      one.queuedAt,
      one.startedAt,
      one.endedAt,
      one.detail,
      one.renderedFields === null ? null : JSON.stringify(one.renderedFields),
      one.pool,
      one.poolSlots,
      one.priorityWeight,
    )
  }
}

interface TaskTryRow {
  dag_id: string
  run_id: string
  task_id: string
  map_index: number
  try_number: number
  max_tries: number
  operator: string
  state: TaskInstanceState
  scheduled_at: string | null
  queued_at: string | null
  started_at: string | null
  ended_at: string | null
  detail: string | null
  rendered_fields: string | null
  pool: string
  pool_slots: number
  priority_weight: number
}

const toTry = (row: TaskTryRow): TaskTry => ({
  dagId: row.dag_id,
  runId: row.run_id,
  taskId: row.task_id,
  mapIndex: row.map_index,
  tryNumber: row.try_number,
  maxTries: row.max_tries,
  operator: row.operator,
  state: row.state,
  scheduledAt: row.scheduled_at,
  queuedAt: row.queued_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  detail: row.detail,
  renderedFields: row.rendered_fields === null ? null : JSON.parse(row.rendered_fields),
  pool: row.pool,
  poolSlots: row.pool_slots,
  priorityWeight: row.priority_weight,
})
