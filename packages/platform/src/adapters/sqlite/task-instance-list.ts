/** Lists of task instances in SQLite. */
import type { TaskInstance, TaskInstanceStore } from '../../scheduling/task-instance.ts'
import type { PoolUse, TaskInstanceList, TaskInstanceListQuery, TaskInstanceSort } from '../../scheduling/task-instance-list.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const DURATION = `(julianday(coalesce(t.ended_at, strftime('%Y-%m-%dT%H:%M:%fZ'))) - julianday(t.started_at)) * 86400.0`
const UPDATED = 'coalesce(t.ended_at, t.started_at, t.queued_at, t.scheduled_at)'

/** What people look for among very many that have succeeded: the indices know only the few. */
const INDICES = `
  CREATE INDEX IF NOT EXISTS task_instance_failed ON task_instance (state, started_at) WHERE state IN ('failed', 'upstream_failed');
  CREATE INDEX IF NOT EXISTS task_instance_deferred ON task_instance (dag_id, run_id) WHERE deferral IS NOT NULL`

/** Only in runs that have not ended, so these are looked for nowhere else. */
const UNFINISHED: ReadonlySet<string> = new Set([
  'scheduled',
  'queued',
  'running',
  'restarting',
  'up_for_retry',
  'up_for_reschedule',
  'deferred',
])

const FAILED: ReadonlySet<string> = new Set(['failed', 'upstream_failed'])

const COLUMNS: Readonly<Record<TaskInstanceSort, string>> = {
  id: 't.rowid',
  dagId: 't.dag_id',
  runId: 't.run_id',
  taskId: 't.task_id',
  mapIndex: 't.map_index',
  mapLabel: 't.map_label',
  state: 't.state',
  tryNumber: 't.try_number',
  operator: 't.operator',
  startedAt: 't.started_at',
  endedAt: 't.ended_at',
  duration: DURATION,
  logicalDate: 'r.logical_date',
  runAfter: 'r.run_after',
  dataIntervalStart: 'r.data_interval_start',
  dataIntervalEnd: 'r.data_interval_end',
}

export class SqliteTaskInstanceList implements TaskInstanceList {
  #db: Database
  #instances: Pick<TaskInstanceStore, 'find'>

  /** `instances` has made the tables. */
  constructor(db: Database, instances: Pick<TaskInstanceStore, 'find'>) {
    this.#db = db
    this.#instances = instances
    db.migrate(INDICES)
  }

  async list(query: TaskInstanceListQuery): Promise<{ instances: TaskInstance[]; total: number }> {
    const conditions = new Conditions()
      .in('t.dag_id', query.dagIds)
      .in('t.run_id', query.runIds)
      .in('t.task_id', query.taskIds)
      .in('t.state', query.states)
      .in('t.map_index', query.mapIndices)
      .in('t.pool', query.pools)
      .in('t.operator', query.operators)
      .in('t.try_number', query.tryNumbers)
      .range('t.started_at', query.startedAt)
      .range('t.ended_at', query.endedAt)
      .range(UPDATED, query.updatedAt)
      .range(DURATION, query.duration)
      .range('r.logical_date', query.logicalDate)
      .range('r.run_after', query.runAfter)
      .like('t.dag_id', query.dagIdPattern)
      .like('t.run_id', query.runIdPattern)
      .like('t.task_id', query.taskIdPattern)
      .like('t.pool', query.poolPattern)
      .like('t.operator', query.operatorPattern)
      .like('t.map_label', query.mapLabelPattern)
    if (query.states?.every((state) => FAILED.has(state))) conditions.add(`t.state IN ('failed', 'upstream_failed')`)
    if (query.runIds === undefined && query.states?.every((state) => UNFINISHED.has(state)))
      conditions.add(`(t.dag_id, t.run_id) IN (SELECT dag_id, run_id FROM dag_run WHERE state IN ('queued', 'running'))`)
    if (query.isMapped) conditions.add('t.map_index >= 0')
    if (query.asks) conditions.add(`t.deferral IS NOT NULL AND json_extract(t.deferral, '$.wait.kind') = 'input'`)
    const { where, values } = conditions
    const order = orderBy(query.sort, COLUMNS, 't.rowid')
    const hint = query.asks ? ' INDEXED BY task_instance_deferred' : ''
    // The run is looked up only for what is its own.
    const join = /\br\./.test(where + order) ? ' JOIN dag_run r ON r.dag_id = t.dag_id AND r.run_id = t.run_id' : ''
    const keys = this.#db.all<{ dag_id: string; run_id: string; task_id: string; map_index: number }>(
      `SELECT t.dag_id, t.run_id, t.task_id, t.map_index FROM task_instance t${hint}${join}${where}${order} LIMIT ? OFFSET ?`,
      ...values,
      query.limit,
      query.offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM task_instance t${hint}${join}${where}`, ...values)
    const instances = await Promise.all(keys.map((key) => this.#instances.find(key.dag_id, key.run_id, key.task_id, key.map_index)))
    return { instances: instances.filter((instance) => instance !== null), total: count?.total ?? 0 }
  }

  async poolUse(): Promise<PoolUse[]> {
    return this.#db.all<PoolUse & Record<string, unknown>>(
      `SELECT t.pool, t.state, sum(t.pool_slots) AS slots
       FROM dag_run r JOIN task_instance t ON t.dag_id = r.dag_id AND t.run_id = r.run_id
       WHERE r.state IN ('queued', 'running') AND t.state IN ('scheduled', 'queued', 'running', 'restarting', 'deferred')
       GROUP BY t.pool, t.state`,
    )
  }
}
