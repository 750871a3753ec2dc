/** DAG runs in SQLite, and with them the one commit of each turn of the scheduler. */
import { AppError } from '../../core/app-error.ts'
import type { Changes, DagRun, DagRunQuery, DagRunState, DagRunStore, RunType, TriggeredBy } from '../../scheduling/dag-run.ts'
import { SqliteAssetStore } from './asset.ts'
import { SqliteBackfillStore } from './backfill.ts'
import { SqliteCallbackStore } from './callback.ts'
import { SqliteCancellationStore } from './cancellation.ts'
import type { Database } from './database.ts'
import { isOutage } from './outage.ts'
import { shapeTable } from './table-shape.ts'
import { SqliteTaskInstanceStore } from './task-instance.ts'
import { SqliteTaskTryStore } from './task-try.ts'
import { SqliteXComStore } from './xcom.ts'

const TABLE = `CREATE TABLE dag_run (
  dag_id TEXT NOT NULL, run_id TEXT NOT NULL, run_type TEXT NOT NULL, state TEXT NOT NULL, logical_date TEXT,
  data_interval_start TEXT NOT NULL, data_interval_end TEXT NOT NULL, run_after TEXT NOT NULL, queued_at TEXT NOT NULL,
  started_at TEXT, ended_at TEXT, conf TEXT NOT NULL, note TEXT, created_by TEXT NOT NULL, revision INTEGER NOT NULL,
  triggered_by TEXT NOT NULL DEFAULT 'rest_api', clear_number INTEGER NOT NULL DEFAULT 0, backfill_id INTEGER, backfill_ordinal INTEGER,
  deadlines TEXT NOT NULL DEFAULT '[]', decided_at TEXT,
  PRIMARY KEY (dag_id, run_id), UNIQUE (dag_id, logical_date)) STRICT`

const INDICES = `
  CREATE INDEX IF NOT EXISTS dag_run_by_state ON dag_run (state, dag_id);
  CREATE INDEX IF NOT EXISTS dag_run_newest ON dag_run (run_after, dag_id, run_id);
  CREATE INDEX IF NOT EXISTS dag_run_by_time ON dag_run (dag_id, run_after);
  CREATE INDEX IF NOT EXISTS dag_run_latest ON dag_run (dag_id, run_type, data_interval_end)`

const COLUMNS = {
  runAfter: 'run_after',
  logicalDate: 'logical_date',
  queuedAt: 'queued_at',
  startedAt: 'started_at',
  endedAt: 'ended_at',
} as const

export class SqliteDagRunStore implements DagRunStore {
  #db: Database
  #instances: SqliteTaskInstanceStore
  #xcoms: SqliteXComStore
  #tries: SqliteTaskTryStore
  #callbacks: SqliteCallbackStore
  #cancellations: SqliteCancellationStore
  #assets: SqliteAssetStore
  #backfills: SqliteBackfillStore

  /** `instances` is what writes the instances of a commit. */
  constructor(db: Database, instances = new SqliteTaskInstanceStore(db)) {
    this.#db = db
    shapeTable(db, TABLE)
    db.migrate(INDICES)
    this.#instances = instances
    this.#xcoms = new SqliteXComStore(db)
    this.#tries = new SqliteTaskTryStore(db)
    this.#callbacks = new SqliteCallbackStore(db)
    this.#cancellations = new SqliteCancellationStore(db, instances)
    this.#assets = new SqliteAssetStore(db)
    this.#backfills = new SqliteBackfillStore(db)
  }

  async find(dagId: string, runId: string): Promise<DagRun | null> {
    return this.#one('SELECT * FROM dag_run WHERE dag_id = ? AND run_id = ?', dagId, runId)
  }

  async list({
    dagId,
    states,
    runType,
    limit,
    offset,
    orderBy = 'runAfter',
    descending,
  }: DagRunQuery): Promise<{ runs: DagRun[]; total: number }> {
    const conditions = ['1 = 1']
    const values: string[] = []
    if (dagId !== undefined) conditions.push('dag_id = ?')
    if (dagId !== undefined) values.push(dagId)
    if (states) conditions.push(`state IN (${states.map(() => '?').join(', ')})`)
    values.push(...(states ?? []))
    if (runType) conditions.push('run_type = ?')
    if (runType) values.push(runType)
    const where = conditions.join(' AND ')
    const order = descending ? 'DESC' : 'ASC'
    const rows = this.#db.all<DagRunRow>(
      `SELECT * FROM dag_run WHERE ${where} ORDER BY ${COLUMNS[orderBy]} ${order}, dag_id ${order}, run_id ${order} LIMIT ? OFFSET ?`,
      ...values,
      limit,
      offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM dag_run WHERE ${where}`, ...values)
    return { runs: rows.map(toRun), total: count?.total ?? 0 }
  }

  async findLatestScheduled(dagId: string): Promise<DagRun | null> {
    return this.#one(
      `SELECT * FROM dag_run WHERE dag_id = ? AND run_type = 'scheduled' ORDER BY data_interval_end DESC, data_interval_start DESC LIMIT 1`,
      dagId,
    )
  }

  async findByLogicalDate(dagId: string, logicalDate: string): Promise<DagRun | null> {
    return this.#one('SELECT * FROM dag_run WHERE dag_id = ? AND logical_date = ?', dagId, logicalDate)
  }

  async findPrevious({ dagId, logicalDate }: DagRun, kinds: 'all' | 'automated'): Promise<DagRun | null> {
    if (logicalDate === null) return null
    const restriction = kinds === 'all' ? '' : `AND run_type <> 'manual'`
    return this.#one(
      `SELECT * FROM dag_run WHERE dag_id = ? AND logical_date < ? ${restriction} ORDER BY logical_date DESC LIMIT 1`,
      dagId,
      logicalDate,
    )
  }

  async listLastEnded(dagId: string, limit: number): Promise<DagRun[]> {
    const sql = `SELECT * FROM dag_run WHERE dag_id = ? AND state IN ('success', 'failed') ORDER BY run_after DESC LIMIT ?`
    return this.#db.all<DagRunRow>(sql, dagId, limit).map(toRun)
  }

  async listDurations(dagId: string, limit: number): Promise<number[]> {
    const sql = `SELECT * FROM dag_run WHERE dag_id = ? AND state = 'success' AND started_at IS NOT NULL ORDER BY run_after DESC LIMIT ?`
    const rows = this.#db.all<DagRunRow>(sql, dagId, limit)
    return rows.map((row) => (Date.parse(row.ended_at ?? '') - Date.parse(row.started_at ?? '')) / 1000)
  }

  async listBetween(dagId: string, from: string | null, to: string | null): Promise<DagRun[]> {
    const sql = `SELECT * FROM dag_run WHERE dag_id = ? AND logical_date >= coalesce(?, '') AND logical_date <= coalesce(?, '~') ORDER BY logical_date`
    return this.#db.all<DagRunRow>(sql, dagId, from, to).map(toRun)
  }

  async listOfDag(dagId: string): Promise<DagRun[]> {
    return this.#db.all<DagRunRow>('SELECT * FROM dag_run WHERE dag_id = ? ORDER BY run_after, run_id', dagId).map(toRun)
  }

  async listUnfinished(): Promise<DagRun[]> {
    return this.#db
      .all<DagRunRow>(`SELECT * FROM dag_run WHERE state IN ('queued', 'running') ORDER BY run_after, dag_id, run_id`)
      .map(toRun)
  }

  async updateNote(dagId: string, runId: string, note: string | null): Promise<void> {
    this.#db.run('UPDATE dag_run SET note = ? WHERE dag_id = ? AND run_id = ?', note, dagId, runId)
  }

  async record(changes: Changes): Promise<void> {
    this.#db.transaction(() => this.apply(changes))
  }

  get isBehind(): boolean {
    return false
  }

  isOutage(error: unknown): boolean {
    return isOutage(error)
  }

  /** Writes the rows. Only within a transaction. */
  apply(changes: Changes): void {
    for (const run of changes.created) this.#insert(run)
    for (const run of changes.runs) this.#update(run)
    for (const instance of changes.deleted) this.#instances.remove(instance)
    for (const instance of changes.added) this.#instances.put(instance, true)
    for (const instance of changes.instances) this.#instances.put(instance, false)
    for (const one of changes.tries) this.#tries.put(one)
    for (const { before, ...instance } of changes.xcomsCleared) this.#xcoms.clear(instance, before)
    for (const xcom of changes.xcoms) this.#xcoms.put(xcom)
    for (const call of changes.callbacks) this.#callbacks.put(call)
    for (const id of changes.callbacksDone) this.#callbacks.remove(id)
    for (const cancellation of changes.cancellations) this.#cancellations.put(cancellation)
    for (const id of changes.cancellationsDone) this.#cancellations.remove(id)
    for (const event of changes.assetEvents) this.#assets.putEvent(event)
    for (const event of changes.assetsQueued) this.#assets.putQueued(event)
    for (const { events, ...run } of changes.assetsConsumed) this.#assets.consume(run, events)
    for (const backfill of changes.backfills) this.#backfills.put(backfill)
    for (const date of changes.backfillDates) this.#backfills.putDate(date)
  }

  async delete(dagId: string, runId: string | null): Promise<void> {
    const tables = ['xcom', 'task_try', 'task_instance', 'dag_run']
    this.#db.transaction(() => {
      for (const table of tables) {
        if (runId === null) this.#db.run(`DELETE FROM ${table} WHERE dag_id = ?`, dagId)
        else this.#db.run(`DELETE FROM ${table} WHERE dag_id = ? AND run_id = ?`, dagId, runId)
      }
    })
  }

  #insert(run: DagRun): void {
    const { changes } = this.#db.run(
      'INSERT INTO dag_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      run.dagId,
      run.runId,
      run.runType,
      run.state,
      run.logicalDate,
      run.dataIntervalStart,
      run.dataIntervalEnd,
      run.runAfter,
      run.queuedAt,
      run.startedAt,
      run.endedAt,
      JSON.stringify(run.conf),
      run.note,
      run.createdBy,
      run.revision,
      run.triggeredBy,
      run.clearNumber,
      run.backfill?.id ?? null,
      run.backfill?.ordinal ?? null,
      JSON.stringify(run.deadlines),
      run.decidedAt,
    )
    if (changes === 0) throw new AppError('conflict', `Run "${run.runId}" of DAG "${run.dagId}" cannot be created: there is one already.`)
  }

  #update(run: DagRun): void {
    const { changes } = this.#db.run(
      `UPDATE dag_run SET state = ?, queued_at = ?, started_at = ?, ended_at = ?, clear_number = ?, deadlines = ?, decided_at = ?, revision = ?,
         backfill_id = ?, backfill_ordinal = ?, conf = ?, run_type = ?, triggered_by = ?
       WHERE dag_id = ? AND run_id = ? AND revision < ?`,
      run.state,
      run.queuedAt,
      run.startedAt,
      run.endedAt,
      run.clearNumber,
      JSON.stringify(run.deadlines),
      run.decidedAt,
      run.revision,
      run.backfill?.id ?? null,
      run.backfill?.ordinal ?? null,
      JSON.stringify(run.conf),
      run.runType,
      run.triggeredBy,
      run.dagId,
      run.runId,
      run.revision,
    )
    if (changes === 0) throw new AppError('conflict', `Run "${run.runId}" of DAG "${run.dagId}" has moved on in the meantime.`)
  }

  #one(sql: string, ...values: string[]): DagRun | null {
    const row = this.#db.get<DagRunRow>(sql, ...values)
    return row ? toRun(row) : null
  }
}

interface DagRunRow {
  dag_id: string
  run_id: string
  run_type: RunType
  state: DagRunState
  logical_date: string | null
  data_interval_start: string
  data_interval_end: string
  run_after: string
  queued_at: string
  started_at: string | null
  ended_at: string | null
  conf: string
  note: string | null
  created_by: string
  revision: number
  triggered_by: TriggeredBy
  clear_number: number
  backfill_id: number | null
  backfill_ordinal: number | null
  deadlines: string
  decided_at: string | null
}

const toRun = (row: DagRunRow): DagRun => ({
  dagId: row.dag_id,
  runId: row.run_id,
  runType: row.run_type,
  state: row.state,
  logicalDate: row.logical_date,
  dataIntervalStart: row.data_interval_start,
  dataIntervalEnd: row.data_interval_end,
  runAfter: row.run_after,
  queuedAt: row.queued_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  conf: JSON.parse(row.conf) as Record<string, unknown>,
  note: row.note,
  createdBy: row.created_by,
  triggeredBy: row.triggered_by,
  clearNumber: row.clear_number,
  backfill: row.backfill_id === null ? null : { id: row.backfill_id, ordinal: row.backfill_ordinal ?? 0 },
  deadlines: JSON.parse(row.deadlines) as DagRun['deadlines'],
  decidedAt: row.decided_at,
  revision: row.revision,
})
