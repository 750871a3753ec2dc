/** The event log in SQLite. */
import type { EventLog, EventLogEntry, EventLogQuery } from '../../accounts/event-log.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS event_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, event TEXT NOT NULL, owner TEXT NOT NULL, dag_id TEXT, run_id TEXT, task_id TEXT,
    map_index INTEGER, try_number INTEGER, logical_date TEXT, extra TEXT) STRICT;
  CREATE INDEX IF NOT EXISTS event_log_by_dag ON event_log (dag_id, run_id)`

const COLUMNS = {
  id: 'id',
  at: 'at',
  event: 'event',
  owner: 'owner',
  dagId: 'dag_id',
  runId: 'run_id',
  taskId: 'task_id',
  logicalDate: 'logical_date',
  extra: 'extra',
} as const

const SELECT = `SELECT id, at, event, owner, dag_id AS dagId, run_id AS runId, task_id AS taskId, map_index AS mapIndex,
  try_number AS tryNumber, logical_date AS logicalDate, extra FROM event_log`

/** Deleted in one go: the platform stands still meanwhile. */
const MOST_AT_ONCE = 1000

export class SqliteEventLog implements EventLog {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async append({
    at,
    event,
    owner,
    dagId,
    runId,
    taskId,
    mapIndex,
    tryNumber,
    logicalDate,
    extra,
  }: Omit<EventLogEntry, 'id'>): Promise<void> {
    this.#db.run(
      `INSERT INTO event_log (at, event, owner, dag_id, run_id, task_id, map_index, try_number, logical_date, extra)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[at, event, owner, dagId, runId, taskId, mapIndex, tryNumber, logicalDate, extra],
    )
  }

  async find(id: number): Promise<EventLogEntry | null> {
    return this.#db.get<EventLogEntry>(`${SELECT} WHERE id = ?`, id) ?? null
  }

  /** Entries come in the order of their time: those that are looked at are the oldest there are. */
  async deleteBefore(at: string): Promise<number> {
    const oldest = 'SELECT id, at FROM event_log ORDER BY id LIMIT ?'
    return this.#db.run(`DELETE FROM event_log WHERE id IN (SELECT id FROM (${oldest}) WHERE at < ?)`, MOST_AT_ONCE, at).changes
  }

  async list(query: EventLogQuery): Promise<{ entries: EventLogEntry[]; total: number }> {
    const { patterns = {}, limit, offset } = query
    const conditions = new Conditions()
      .equal('dag_id', query.dagId)
      .equal('run_id', query.runId)
      .equal('task_id', query.taskId)
      .equal('map_index', query.mapIndex)
      .equal('try_number', query.tryNumber)
      .equal('owner', query.owner)
      .equal('event', query.event)
      .in('event', query.events)
      .notIn('event', query.excludedEvents)
      .range('at', query.at)
    for (const [name, pattern] of Object.entries(patterns)) conditions.like(COLUMNS[name as keyof typeof patterns], pattern)
    const { where, values } = conditions
    const order = orderBy(query.sort, COLUMNS, 'id')
    const entries = this.#db.all<EventLogEntry>(`${SELECT}${where}${order} LIMIT ? OFFSET ?`, ...values, limit, offset)
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM event_log${where}`, ...values)
    return { entries, total: count?.total ?? 0 }
  }
}
