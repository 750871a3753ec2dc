/** Lists of runs in SQLite. */
import type { DagRun, DagRunState, DagRunStore } from '../../scheduling/dag-run.ts'
import type { DagRunList, DagRunListQuery, DagRunSort } from '../../scheduling/dag-run-list.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const DURATION = `(julianday(coalesce(ended_at, strftime('%Y-%m-%dT%H:%M:%fZ'))) - julianday(started_at)) * 86400.0`
const UPDATED = 'coalesce(ended_at, decided_at, started_at, queued_at)'

const COLUMNS: Readonly<Record<DagRunSort, string>> = {
  id: 'rowid',
  dagId: 'dag_id',
  runId: 'run_id',
  state: 'state',
  runType: 'run_type',
  logicalDate: 'logical_date',
  dataIntervalStart: 'data_interval_start',
  dataIntervalEnd: 'data_interval_end',
  runAfter: 'run_after',
  queuedAt: 'queued_at',
  startedAt: 'started_at',
  endedAt: 'ended_at',
  updatedAt: UPDATED,
  duration: DURATION,
  conf: 'conf',
}

export class SqliteDagRunList implements DagRunList {
  #db: Database
  #runs: Pick<DagRunStore, 'find'>

  /** `runs` has made the tables. */
  constructor(db: Database, runs: Pick<DagRunStore, 'find'>) {
    this.#db = db
    this.#runs = runs
  }

  async list(query: DagRunListQuery): Promise<{ runs: DagRun[]; total: number }> {
    const conditions = new Conditions()
      .in('dag_id', query.dagIds)
      .in('run_id', query.runIds)
      .in('state', query.states)
      .in('run_type', query.runTypes)
      .equal('backfill_id', query.backfillId)
      .range('logical_date', query.logicalDate)
      .range('run_after', query.runAfter)
      .range('started_at', query.startedAt)
      .range('ended_at', query.endedAt)
      .range(UPDATED, query.updatedAt)
      .range(DURATION, query.duration)
      .like('dag_id', query.dagIdPattern)
      .like('run_id', query.runIdPattern)
      .like(`iif(created_by LIKE 'user:%', substr(created_by, 6), NULL)`, query.createdByPattern)
    if (query.confContains !== undefined) conditions.add('instr(lower(conf), lower(?)) > 0', query.confContains)
    const { where, values } = conditions
    const keys = this.#db.all<{ dag_id: string; run_id: string }>(
      `SELECT dag_id, run_id FROM dag_run${where}${orderBy(query.sort, COLUMNS, 'rowid')} LIMIT ? OFFSET ?`,
      ...values,
      query.limit,
      query.offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM dag_run${where}`, ...values)
    const runs = await Promise.all(keys.map(({ dag_id, run_id }) => this.#runs.find(dag_id, run_id)))
    return { runs: runs.filter((run) => run !== null), total: count?.total ?? 0 }
  }

  async countStates(dagIds?: readonly string[]): Promise<{ dagId: string; state: DagRunState; count: number }[]> {
    const { where, values } = new Conditions().in('dag_id', dagIds)
    return this.#db.all(`SELECT dag_id AS dagId, state, count(*) AS count FROM dag_run${where} GROUP BY dag_id, state`, ...values)
  }
}
