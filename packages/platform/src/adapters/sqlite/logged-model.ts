/** Logged models in SQLite. Their metrics come with those of runs, their registrations from the versions. */

import { tagChanges } from '../../models/limits.ts'
import type { LoggedModel, LoggedModelChange, LoggedModelMetric, LoggedModelStatus, LoggedModelStore } from '../../models/logged-model.ts'
import { type Page, pageOf, type Search } from '../../models/page.ts'
import type { Param } from '../../models/run-data.ts'
import type { Database } from './database.ts'
import { readTags, writeTags } from './model-tag.ts'
import { type MetricRow, toMetric } from './run-data.ts'
import { gather, type SearchLayout, searchSql } from './search.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS logged_model (
  id TEXT PRIMARY KEY, experiment_id INTEGER NOT NULL REFERENCES experiment, name TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  artifact_uri TEXT NOT NULL, status TEXT NOT NULL, model_type TEXT, source_run_id TEXT, created_by TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS logged_model_by_experiment ON logged_model (experiment_id, created_at DESC);
CREATE TABLE IF NOT EXISTS logged_model_tag (
  model_id TEXT NOT NULL REFERENCES logged_model ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model_id, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logged_model_param (
  model_id TEXT NOT NULL REFERENCES logged_model ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model_id, key)) STRICT, WITHOUT ROWID`

const OWNER = [['model_id', 'logged_model.id']] as const

const LAYOUT: SearchLayout = {
  columns: {
    name: 'logged_model.name',
    model_id: 'logged_model.id',
    model_type: 'logged_model.model_type',
    status: `replace(logged_model.status, 'LOGGED_MODEL_', '')`,
    source_run_id: 'logged_model.source_run_id',
    creation_timestamp: 'logged_model.created_at',
    last_updated_timestamp: 'logged_model.updated_at',
  },
  sides: {
    metric: { table: 'logged_model_metric', owner: OWNER, hasNaN: true },
    param: { table: 'logged_model_param', owner: OWNER },
    tag: { table: 'logged_model_tag', owner: OWNER },
  },
  order: 'logged_model.created_at DESC, logged_model.id',
}

export class SqliteLoggedModelStore implements LoggedModelStore {
  #db: Database

  /** Needs the tables of experiments, of what runs log, and (when it reads) of versions. */
  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create(model: Omit<LoggedModel, 'metrics' | 'registrations'>): Promise<void> {
    const { id, experimentId, name, createdAt, updatedAt, artifactUri, status, modelType, sourceRunId, createdBy, tags, params } = model
    this.#db.transaction(() => {
      const sql = 'INSERT INTO logged_model VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
      this.#db.run(sql, id, Number(experimentId), name, createdAt, updatedAt, artifactUri, status, modelType, sourceRunId, createdBy)
      writeTags(this.#db, 'logged_model_tag', { model_id: id }, tagChanges(tags))
      this.#addParams(id, params)
    })
  }

  async find(id: string): Promise<LoggedModel | null> {
    return this.#withData(this.#db.all<LoggedModelRow>('SELECT * FROM logged_model WHERE id = ?', id))[0] ?? null
  }

  async search(search: Search & { experimentIds: readonly string[] }): Promise<Page<LoggedModel>> {
    const { joins, where, order, joinValues, values } = searchSql(search, LAYOUT)
    const ids = JSON.stringify(search.experimentIds.map(Number).filter(Number.isSafeInteger))
    // A model may have several values of one metric; it is listed once all the same.
    const sql = `SELECT logged_model.* FROM logged_model ${joins} WHERE experiment_id IN (SELECT value FROM json_each(?))${where}
      GROUP BY logged_model.id ORDER BY ${order} LIMIT ? OFFSET ?`
    const page = pageOf(this.#db.all<LoggedModelRow>(sql, ...joinValues, ids, ...values, search.limit + 1, search.offset), search)
    return { ...page, items: this.#withData(page.items) }
  }

  async update(id: string, { status, tags = {}, params = [], updatedAt }: LoggedModelChange): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('UPDATE logged_model SET status = coalesce(?, status), updated_at = ? WHERE id = ?', status ?? null, updatedAt, id)
      writeTags(this.#db, 'logged_model_tag', { model_id: id }, tags)
      this.#addParams(id, params)
    })
  }

  async delete(id: string): Promise<void> {
    this.#db.run('DELETE FROM logged_model WHERE id = ?', id)
  }

  #addParams(id: string, params: readonly Param[]): void {
    for (const { key, value } of params)
      this.#db.run('INSERT INTO logged_model_param VALUES (?, ?, ?) ON CONFLICT DO NOTHING', id, key, value)
  }

  #withData(rows: readonly LoggedModelRow[]): LoggedModel[] {
    if (rows.length === 0) return []
    const ids = rows.map((row) => row.id)
    const rowsOf = <Row>(table: string): Row[] =>
      this.#db.all<Row>(`SELECT * FROM ${table} WHERE model_id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids))
    const ownerOf = (row: { model_id: string }) => row.model_id
    const tags = readTags(this.#db, 'logged_model_tag', 'model_id', ids)
    const params = gather(rowsOf<Param & { model_id: string }>('logged_model_param'), ownerOf, ({ key, value }): Param => ({ key, value }))
    const metrics = gather(rowsOf<ModelMetricRow>('logged_model_metric'), ownerOf, toModelMetric)
    const registrations = gather(rowsOf<RegistrationRow>('model_version'), ownerOf, ({ name, version }) => ({ name, version }))
    return rows.map((row) => ({
      ...toLoggedModel(row),
      tags: tags.get(row.id) ?? [],
      params: params.get(row.id) ?? [],
      metrics: metrics.get(row.id) ?? [],
      registrations: registrations.get(row.id) ?? [],
    }))
  }
}

interface LoggedModelRow {
  id: string
  experiment_id: number
  name: string
  created_at: number
  updated_at: number
  artifact_uri: string
  status: LoggedModelStatus
  model_type: string | null
  source_run_id: string | null
  created_by: string
}

interface ModelMetricRow extends MetricRow {
  model_id: string
  run_id: string
  dataset_name: string | null
  dataset_digest: string | null
}

interface RegistrationRow {
  model_id: string
  name: string
  version: number
}

const toModelMetric = (row: ModelMetricRow): LoggedModelMetric => ({
  ...toMetric(row),
  modelId: row.model_id,
  runId: row.run_id,
  datasetName: row.dataset_name ?? undefined,
  datasetDigest: row.dataset_digest ?? undefined,
})

const toLoggedModel = (row: LoggedModelRow): Omit<LoggedModel, 'tags' | 'params' | 'metrics' | 'registrations'> => ({
  id: row.id,
  experimentId: String(row.experiment_id),
  name: row.name,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  artifactUri: row.artifact_uri,
  status: row.status,
  modelType: row.model_type,
  sourceRunId: row.source_run_id,
  createdBy: row.created_by,
})
