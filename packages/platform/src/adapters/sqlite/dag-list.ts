/** Lists of DAGs in SQLite. */
import type { Page, TextFilter } from '../../core/list-query.ts'
import type { DagRecord, DagStore } from '../../scheduling/dag.ts'
import type { DagList, DagListQuery, DagSort } from '../../scheduling/dag-list.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const LAST_RUN = (column: string): string =>
  `(SELECT ${column} FROM dag_run r WHERE r.dag_id = dag.dag_id ORDER BY r.run_after DESC, r.rowid DESC LIMIT 1)`

const COLUMNS: Readonly<Record<DagSort, string>> = {
  dagId: 'dag_id',
  isPaused: 'is_paused',
  lastRunState: LAST_RUN('state'),
  lastRunStartedAt: LAST_RUN('started_at'),
}

const IN_DOCUMENT = (path: string): string => `EXISTS (SELECT 1 FROM json_each(document, '${path}') e WHERE e.value`

export class SqliteDagList implements DagList {
  #db: Database
  #dags: Pick<DagStore, 'find'>

  /** `dags` and the store of the runs have made the tables. */
  constructor(db: Database, dags: Pick<DagStore, 'find'>) {
    this.#db = db
    this.#dags = dags
  }

  async list(query: DagListQuery): Promise<{ dags: DagRecord[]; total: number }> {
    const conditions = new Conditions()
      .add('is_stale <= ?', Number(query.includeStale))
      .equal('is_paused', query.isPaused === undefined ? undefined : Number(query.isPaused))
      .equal('has_import_errors', query.hasImportErrors === undefined ? undefined : Number(query.hasImportErrors))
      .like('dag_id', query.dagIdPattern)
      .in(`json_extract(document, '$.schedule.kind')`, query.scheduleKinds)
    const { tags, owners, hasAssetSchedule, assetPattern } = query
    if (tags && query.tagsMatch === 'all') for (const tag of tags) conditions.add(`${IN_DOCUMENT('$.tags')} = ?)`, tag)
    else if (tags) conditions.add(`${IN_DOCUMENT('$.tags')} IN (${marks(tags)}))`, ...tags)
    if (owners) conditions.add(`${IN_DOCUMENT('$.owners')} IN (${marks(owners)}))`, ...owners)
    if (hasAssetSchedule !== undefined)
      conditions.add(`(json_extract(document, '$.schedule.condition') IS NOT NULL) = ?`, Number(hasAssetSchedule))
    if (assetPattern) {
      const named = new Conditions().like('n.value', assetPattern)
      conditions.add(
        `EXISTS (SELECT 1 FROM json_tree(document, '$.schedule.condition') n${named.where || ' WHERE 1'} AND n.key IN ('name', 'uri', 'alias'))`,
        ...named.values,
      )
    }
    if (query.lastRunState !== undefined) conditions.add(`${LAST_RUN('state')} = ?`, query.lastRunState)
    const ofRun = new Conditions()
      .in('r.state', query.runStates)
      .range('r.started_at', query.runStartedAt)
      .range('r.ended_at', query.runEndedAt)
    if (ofRun.where !== '') conditions.add(`EXISTS (SELECT 1 FROM dag_run r${ofRun.where} AND r.dag_id = dag.dag_id)`, ...ofRun.values)
    const { where, values } = conditions
    const keys = this.#db.all<{ dag_id: string }>(
      `SELECT dag_id FROM dag${where}${orderBy(query.sort, COLUMNS, 'dag_id')} LIMIT ? OFFSET ?`,
      ...values,
      query.limit,
      query.offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM dag${where}`, ...values)
    const dags = await Promise.all(keys.map(({ dag_id }) => this.#dags.find(dag_id)))
    return { dags: dags.filter((dag) => dag !== null), total: count?.total ?? 0 }
  }

  async tags({
    pattern,
    descending,
    limit,
    offset,
  }: Page & { readonly pattern?: TextFilter | undefined; readonly descending: boolean }): Promise<{ tags: string[]; total: number }> {
    const { where, values } = new Conditions().add('is_stale = 0').like('e.value', pattern)
    const sql = `SELECT DISTINCT e.value AS tag FROM dag, json_each(document, '$.tags') e${where}`
    const rows = this.#db.all<{ tag: string }>(`${sql} ORDER BY tag${descending ? ' DESC' : ''} LIMIT ? OFFSET ?`, ...values, limit, offset)
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM (${sql})`, ...values)
    return { tags: rows.map(({ tag }) => tag), total: count?.total ?? 0 }
  }
}

const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ')
