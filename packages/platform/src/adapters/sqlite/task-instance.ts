/** Task instances in SQLite. */
import { AppError } from '../../core/app-error.ts'
import type { TaskInstance, TaskInstanceState, TaskInstanceStore } from '../../scheduling/task-instance.ts'
import type { Database } from './database.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS task_instance (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, operator TEXT NOT NULL, state TEXT NOT NULL,
    try_number INTEGER NOT NULL, max_tries INTEGER NOT NULL, attempt_id TEXT, lost_attempts INTEGER NOT NULL, scheduled_at TEXT,
    queued_at TEXT, started_at TEXT, ended_at TEXT, retry_at TEXT, detail TEXT, rendered_fields TEXT, revision INTEGER NOT NULL,
    PRIMARY KEY (dag_id, run_id, task_id)) STRICT`

export class SqliteTaskInstanceStore implements TaskInstanceStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(dagId: string, runId: string, taskId: string): Promise<TaskInstance | null> {
    const row = this.#db.get<TaskInstanceRow>(
      'SELECT * FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ?',
      dagId,
      runId,
      taskId,
    )
    return row ? toInstance(row) : null
  }

  async list({
    dagId,
    runId,
    states,
    limit,
    offset,
  }: Parameters<TaskInstanceStore['list']>[0]): Promise<{ instances: TaskInstance[]; total: number }> {
    const conditions = ['1 = 1']
    const values: string[] = []
    if (dagId !== undefined) conditions.push('dag_id = ?')
    if (dagId !== undefined) values.push(dagId)
    if (runId !== undefined) conditions.push('run_id = ?')
    if (runId !== undefined) values.push(runId)
    if (states) conditions.push(`state IN (${states.map(() => '?').join(', ')})`)
    values.push(...(states ?? []))
    const where = conditions.join(' AND ')
    // Row ids follow the order of creation, which within a run is the order of the file.
    const order = runId === undefined ? 'rowid DESC' : 'rowid'
    const rows = this.#db.all<TaskInstanceRow>(
      `SELECT * FROM task_instance WHERE ${where} ORDER BY ${order} LIMIT ? OFFSET ?`,
      ...values,
      limit,
      offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM task_instance WHERE ${where}`, ...values)
    return { instances: rows.map(toInstance), total: count?.total ?? 0 }
  }

  async listOfRun(dagId: string, runId: string): Promise<TaskInstance[]> {
    const sql = 'SELECT * FROM task_instance WHERE dag_id = ? AND run_id = ? ORDER BY rowid'
    return this.#db.all<TaskInstanceRow>(sql, dagId, runId).map(toInstance)
  }

  /** Writes an instance unless the store has moved past it. Only within the commit of a turn. */
  put(instance: TaskInstance): void {
    const { changes } = this.#db.run(
      `INSERT INTO task_instance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (dag_id, run_id, task_id) DO UPDATE SET state = excluded.state, try_number = excluded.try_number,
         max_tries = excluded.max_tries, attempt_id = excluded.attempt_id, lost_attempts = excluded.lost_attempts,
         scheduled_at = excluded.scheduled_at, queued_at = excluded.queued_at, started_at = excluded.started_at,
         ended_at = excluded.ended_at, retry_at = excluded.retry_at, detail = excluded.detail,
         rendered_fields = excluded.rendered_fields, revision = excluded.revision
       WHERE excluded.revision > task_instance.revision`,
      instance.dagId,
      instance.runId,
      instance.taskId,
      instance.operator,
      instance.state,
      instance.tryNumber,
      instance.maxTries,
      instance.attemptId,
      instance.lostAttempts,
      instance.scheduledAt,
      instance.queuedAt,
      instance.startedAt,
      instance.endedAt,
      instance.retryAt,
      instance.detail,
      instance.renderedFields === null ? null : JSON.stringify(instance.renderedFields),
      instance.revision,
    )
    if (changes > 0) return
    const { dagId, runId, taskId } = instance
    throw new AppError('conflict', `Task "${taskId}" in run "${runId}" of DAG "${dagId}" has moved on in the meantime.`)
  }
}

interface TaskInstanceRow {
  dag_id: string
  run_id: string
  task_id: string
  operator: string
  state: TaskInstanceState
  try_number: number
  max_tries: number
  attempt_id: string | null
  lost_attempts: number
  scheduled_at: string | null
  queued_at: string | null
  started_at: string | null
  ended_at: string | null
  retry_at: string | null
  detail: string | null
  rendered_fields: string | null
  revision: number
}

const toInstance = (row: TaskInstanceRow): TaskInstance => ({
  dagId: row.dag_id,
  runId: row.run_id,
  taskId: row.task_id,
  operator: row.operator,
  state: row.state,
  tryNumber: row.try_number,
  maxTries: row.max_tries,
  attemptId: row.attempt_id,
  lostAttempts: row.lost_attempts,
  scheduledAt: row.scheduled_at,
  queuedAt: row.queued_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  retryAt: row.retry_at,
  detail: row.detail,
  renderedFields: row.rendered_fields === null ? null : JSON.parse(row.rendered_fields),
  revision: row.revision,
})
