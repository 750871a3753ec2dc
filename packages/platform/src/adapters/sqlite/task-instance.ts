/** Task instances in SQLite. */
import { AppError, messageOf } from '../../core/app-error.ts'
import type { Deferral, Skip, TaskInstance, TaskInstanceState, TaskInstanceStore } from '../../scheduling/task-instance.ts'
import type { InstanceKey } from '../../scheduling/task-runner.ts'
import { type Fernet, rotated } from '../../secrets/fernet.ts'
import type { Database } from './database.ts'
import { shapeTable } from './table-shape.ts'

const TABLE = `CREATE TABLE task_instance (
  dag_id TEXT NOT NULL, run_id TEXT NOT NULL, task_id TEXT NOT NULL, map_index INTEGER NOT NULL DEFAULT -1, operator TEXT NOT NULL,
  state TEXT NOT NULL, try_number INTEGER NOT NULL, max_tries INTEGER NOT NULL, attempt_id TEXT, lost_attempts INTEGER NOT NULL,
  scheduled_at TEXT, queued_at TEXT, started_at TEXT, ended_at TEXT, retry_at TEXT, first_started_at TEXT,
  reschedule_count INTEGER NOT NULL DEFAULT 0, deferral TEXT, skip TEXT, map_length INTEGER, map_label TEXT,
  pool TEXT NOT NULL DEFAULT 'default_pool', pool_slots INTEGER NOT NULL DEFAULT 1, priority_weight INTEGER NOT NULL DEFAULT 1,
  note TEXT, detail TEXT, rendered_fields TEXT, revision INTEGER NOT NULL,
  PRIMARY KEY (dag_id, run_id, task_id, map_index)) STRICT`

/** Columns that moves change, in the order in which `put` gives them. */
const MOVING = [
  'state, try_number, max_tries, attempt_id, lost_attempts, scheduled_at, queued_at, started_at, ended_at, retry_at, first_started_at',
  'reschedule_count, deferral, skip, map_length, map_label, pool, pool_slots, priority_weight, note, detail, rendered_fields, revision',
]
  .join(', ')
  .split(', ')

const INSERT = `INSERT INTO task_instance (${MOVING.join(', ')}, dag_id, run_id, task_id, map_index, operator)
  VALUES (${MOVING.map(() => '?').join(', ')}, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

const UPDATE = `UPDATE task_instance SET ${MOVING.map((column) => `${column} = ?`).join(', ')}
  WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ? AND revision < ?`

export class SqliteTaskInstanceStore implements TaskInstanceStore {
  #db: Database
  #fernet: Fernet | null

  /** With `fernet`, what the triggers of deferred tasks are given is encrypted. */
  constructor(db: Database, fernet: Fernet | null = null) {
    this.#db = db
    this.#fernet = fernet
    shapeTable(db, TABLE)
  }

  async find(dagId: string, runId: string, taskId: string, mapIndex = -1): Promise<TaskInstance | null> {
    const row = this.#db.get<TaskInstanceRow>(
      'SELECT * FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ?',
      dagId,
      runId,
      taskId,
      mapIndex,
    )
    return row ? this.#read(row) : null
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
    return { instances: rows.map((row) => this.#read(row)), total: count?.total ?? 0 }
  }

  async listOfRun(dagId: string, runId: string): Promise<TaskInstance[]> {
    const sql = 'SELECT * FROM task_instance WHERE dag_id = ? AND run_id = ? ORDER BY rowid'
    return this.#db.all<TaskInstanceRow>(sql, dagId, runId).map((row) => this.#read(row))
  }

  async existsBefore(dagId: string, taskId: string, logicalDate: string): Promise<boolean> {
    const sql = `SELECT 1 FROM dag_run r JOIN task_instance t ON t.dag_id = r.dag_id AND t.run_id = r.run_id
      WHERE r.dag_id = ? AND r.logical_date < ? AND t.task_id = ? LIMIT 1`
    return this.#db.get(sql, dagId, logicalDate, taskId) !== undefined
  }

  /** Only within the commit of a turn. */
  remove({ dagId, runId, taskId, mapIndex }: InstanceKey): void {
    const sql = 'DELETE FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ?'
    this.#db.run(sql, dagId, runId, taskId, mapIndex)
  }

  /** Writes an instance unless the store has moved past it. Only within the commit of a turn. */
  put(instance: TaskInstance, isNew: boolean): void {
    const { dagId, runId, taskId, mapIndex } = instance
    const moving = movingValues(instance, instance.deferral && this.sealed(instance.deferral))
    const { changes } = isNew
      ? this.#db.run(INSERT, ...moving, dagId, runId, taskId, mapIndex, instance.operator)
      : this.#db.run(UPDATE, ...moving, dagId, runId, taskId, mapIndex, instance.revision)
    if (changes > 0) return
    throw new AppError('conflict', `Task "${taskId}" in run "${runId}" of DAG "${dagId}" has moved on in the meantime.`)
  }

  /** Encrypts anew what is kept of waits. Adds those that no key can read to `problems`; answers how many there are. */
  rotate(problems: string[]): number {
    const rows = this.#db.all<{ id: number; task_id: string; deferral: string }>(
      'SELECT rowid AS id, task_id, deferral FROM task_instance WHERE deferral IS NOT NULL',
    )
    for (const { id, task_id: taskId, deferral } of rows)
      rotated(problems, `wait of task "${taskId}"`, () => {
        this.#db.run('UPDATE task_instance SET deferral = ? WHERE rowid = ?', this.resealed(deferral), id)
      })
    return rows.length
  }

  /** A deferral as {@link sealed} has made it, encrypted anew. Throws `invalid` when no key can read it. */
  resealed(text: string): string {
    const kept = JSON.parse(text) as { wait: Partial<Sealed> }
    const { sealed } = kept.wait
    return this.#fernet && sealed !== undefined
      ? JSON.stringify({ ...kept, wait: { ...kept.wait, sealed: this.#fernet.rotate(sealed) } })
      : text
  }

  #read(row: TaskInstanceRow): TaskInstance {
    return toInstance(row, row.deferral === null ? null : this.opened(row.deferral))
  }

  /** The deferral as it is kept. */
  sealed(deferral: Deferral): string {
    if (!this.#fernet || deferral.wait.kind !== 'trigger') return JSON.stringify(deferral)
    const { args, ...wait } = deferral.wait
    return JSON.stringify({ ...deferral, wait: { ...wait, sealed: this.#fernet.encrypt(JSON.stringify(args ?? null)) } })
  }

  /** A wait that no key can read any more has failed: its task goes on with that, and all others as ever. */
  opened(text: string): Deferral {
    const deferral = JSON.parse(text) as Deferral
    if (deferral.wait.kind !== 'trigger' || !('sealed' in deferral.wait)) return deferral
    const { sealed, ...wait } = deferral.wait as unknown as Sealed
    try {
      if (!this.#fernet) throw new AppError('invalid', 'There is no Fernet key.')
      return { ...deferral, wait: { ...wait, args: JSON.parse(this.#fernet.decrypt(sealed)) } }
    } catch (error) {
      const event = deferral.event ?? { error: `What it waits for cannot be read: ${messageOf(error)}` }
      return { ...deferral, wait: { ...wait, args: null }, event }
    }
  }
}

/** What a trigger is given, encrypted. */
type Sealed = Omit<Extract<Deferral['wait'], { kind: 'trigger' }>, 'args'> & { readonly sealed: string }

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

const movingValues = (instance: TaskInstance, deferral: string | null) => [
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
  instance.firstStartedAt,
  instance.rescheduleCount,
  deferral,
  json(instance.skip),
  instance.mapLength,
  instance.mapLabel,
  instance.pool,
  instance.poolSlots,
  instance.priorityWeight,
  instance.note,
  instance.detail,
  json(instance.renderedFields),
  instance.revision,
]

interface TaskInstanceRow {
  dag_id: string
  run_id: string
  task_id: string
  map_index: number
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
  first_started_at: string | null
  reschedule_count: number
  deferral: string | null
  skip: string | null
  map_length: number | null
  map_label: string | null
  pool: string
  pool_slots: number
  priority_weight: number
  note: string | null
  detail: string | null
  rendered_fields: string | null
  revision: number
}

const toInstance = (row: TaskInstanceRow, deferral: Deferral | null): TaskInstance => ({
  dagId: row.dag_id,
  runId: row.run_id,
  taskId: row.task_id,
  mapIndex: row.map_index,
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
  firstStartedAt: row.first_started_at,
  rescheduleCount: row.reschedule_count,
  deferral,
  skip: row.skip === null ? null : (JSON.parse(row.skip) as Skip),
  mapLength: row.map_length,
  mapLabel: row.map_label,
  pool: row.pool,
  poolSlots: row.pool_slots,
  priorityWeight: row.priority_weight,
  note: row.note,
  detail: row.detail,
  renderedFields: row.rendered_fields === null ? null : JSON.parse(row.rendered_fields),
  revision: row.revision,
})
