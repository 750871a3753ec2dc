/** Runs in SQLite, each read together with what it has logged. */
import type { LifecycleStage, ViewType } from '../../models/experiment.ts'
import type { Tag } from '../../models/limits.ts'
import { type Page, pageOf, type Search } from '../../models/page.ts'
import { RUN_NAME_TAG, type Run, type RunChange, type RunInfo, type RunStatus, type RunStore } from '../../models/run.ts'
import type { Database } from './database.ts'
import { viewSql } from './experiment.ts'
import { writeTags } from './model-tag.ts'
import { readRunData } from './run-data.ts'
import { type SearchLayout, searchSql } from './search.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS experiment_run (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, experiment_id INTEGER NOT NULL REFERENCES experiment, user_id TEXT NOT NULL, status TEXT NOT NULL,
  start_time INTEGER NOT NULL, end_time INTEGER, lifecycle_stage TEXT NOT NULL, artifact_uri TEXT NOT NULL, created_by TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS experiment_run_by_experiment ON experiment_run (experiment_id, lifecycle_stage, start_time DESC, id)`

const OWNER = [['run_id', 'run.id']] as const

const LAYOUT: SearchLayout = {
  columns: {
    run_id: 'run.id',
    run_name: 'run.name',
    status: 'run.status',
    user_id: 'run.user_id',
    artifact_uri: 'run.artifact_uri',
    experiment_id: 'CAST(run.experiment_id AS TEXT)',
    start_time: 'run.start_time',
    end_time: 'run.end_time',
  },
  sides: {
    metric: { table: 'latest_metric', owner: OWNER, hasNaN: true },
    param: { table: 'param', owner: OWNER },
    tag: { table: 'run_tag', owner: OWNER },
    dataset: { table: 'dataset_input', owner: OWNER, isColumnPerKey: true },
  },
  order: 'run.start_time DESC, run.id',
}

export class SqliteRunStore implements RunStore {
  #db: Database

  /** Needs the tables of experiments. */
  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create(run: RunInfo, tags: readonly Tag[]): Promise<void> {
    this.#db.transaction(() => {
      const { id, name, experimentId, userId, status, startTime, endTime, lifecycleStage, artifactUri, createdBy } = run
      const sql = 'INSERT INTO experiment_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
      this.#db.run(sql, id, name, Number(experimentId), userId, status, startTime, endTime, lifecycleStage, artifactUri, createdBy)
      writeTags(this.#db, 'run_tag', { run_id: id }, Object.fromEntries(tags.map(({ key, value }) => [key, value])))
    })
  }

  async find(id: string): Promise<Run | null> {
    return this.#withData(this.#db.all<RunRow>('SELECT * FROM experiment_run WHERE id = ?', id))[0] ?? null
  }

  async search(search: Search & { experimentIds: readonly string[]; view: ViewType }): Promise<Page<Run>> {
    const ids = search.experimentIds.map(Number).filter(Number.isSafeInteger)
    const { joins, where, order, joinValues, values } = searchSql(search, LAYOUT)
    // One experiment is the usual question, and asked so SQLite walks its index in the order of the answer.
    const among = ids.length === 1 ? '= ?' : 'IN (SELECT value FROM json_each(?))'
    const sql = `SELECT run.* FROM experiment_run AS run ${joins} WHERE run.experiment_id ${among} AND ${viewSql('run', search.view)}${where} ORDER BY ${order} LIMIT ? OFFSET ?`
    const experiment = ids.length === 1 ? (ids[0] as number) : JSON.stringify(ids)
    const rows = this.#db.all<RunRow>(sql, ...joinValues, experiment, ...values, search.limit + 1, search.offset)
    const page = pageOf(rows, search)
    return { ...page, items: this.#withData(page.items) }
  }

  async update(id: string, { name, status, endTime, lifecycleStage }: RunChange): Promise<void> {
    this.#db.transaction(() => {
      const sql = `UPDATE experiment_run SET name = coalesce(?, name), status = coalesce(?, status), end_time = coalesce(?, end_time),
        lifecycle_stage = coalesce(?, lifecycle_stage) WHERE id = ?`
      this.#db.run(sql, name ?? null, status ?? null, endTime ?? null, lifecycleStage ?? null, id)
      if (name !== undefined) writeTags(this.#db, 'run_tag', { run_id: id }, { [RUN_NAME_TAG]: name })
    })
  }

  #withData(rows: readonly RunRow[]): Run[] {
    const data = readRunData(
      this.#db,
      rows.map((row) => row.id),
    )
    return rows.map((row) => ({ ...toRunInfo(row), data: data(row.id) }))
  }
}

interface RunRow {
  id: string
  name: string
  experiment_id: number
  user_id: string
  status: RunStatus
  start_time: number
  end_time: number | null
  lifecycle_stage: LifecycleStage
  artifact_uri: string
  created_by: string
}

const toRunInfo = (row: RunRow): RunInfo => ({
  id: row.id,
  name: row.name,
  experimentId: String(row.experiment_id),
  userId: row.user_id,
  status: row.status,
  startTime: row.start_time,
  endTime: row.end_time,
  lifecycleStage: row.lifecycle_stage,
  artifactUri: row.artifact_uri,
  createdBy: row.created_by,
})
