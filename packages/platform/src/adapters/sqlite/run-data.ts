/** What runs log, in SQLite: all metric values in one table, the latest of each key in another, so that lists never read histories. */
import { AppError } from '../../core/app-error.ts'
import type { Tag } from '../../models/limits.ts'
import { type Page, pageOf } from '../../models/page.ts'
import { MODEL_HISTORY_TAG, RUN_NAME_TAG } from '../../models/run.ts'
import {
  type Batch,
  changedParamProblems,
  type DatasetInput,
  type Metric,
  type ModelLink,
  type Param,
  type RunData,
  type RunDataStore,
} from '../../models/run-data.ts'
import type { Database } from './database.ts'
import { readTags, writeTags } from './model-tag.ts'
import { gather } from './search.ts'

// NaN is a row with is_nan = 1 and value 0, because SQLite would keep NaN as NULL, which equals nothing.
const TABLES = `
CREATE TABLE IF NOT EXISTS metric (
  run_id TEXT NOT NULL REFERENCES experiment_run, key TEXT NOT NULL, timestamp INTEGER NOT NULL, step INTEGER NOT NULL, value REAL NOT NULL, is_nan INTEGER NOT NULL,
  PRIMARY KEY (run_id, key, timestamp, step, value, is_nan)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest_metric (
  run_id TEXT NOT NULL REFERENCES experiment_run, key TEXT NOT NULL, timestamp INTEGER NOT NULL, step INTEGER NOT NULL, value REAL NOT NULL, is_nan INTEGER NOT NULL,
  PRIMARY KEY (run_id, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logged_model_metric (
  model_id TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES experiment_run, key TEXT NOT NULL, timestamp INTEGER NOT NULL, step INTEGER NOT NULL, value REAL NOT NULL,
  is_nan INTEGER NOT NULL, dataset_name TEXT, dataset_digest TEXT, PRIMARY KEY (model_id, key, timestamp, step, run_id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS param (
  run_id TEXT NOT NULL REFERENCES experiment_run, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run_id, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run_tag (
  run_id TEXT NOT NULL REFERENCES experiment_run, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run_id, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dataset_input (
  run_id TEXT NOT NULL REFERENCES experiment_run, name TEXT NOT NULL, digest TEXT NOT NULL, context TEXT, source_type TEXT NOT NULL, source TEXT NOT NULL,
  schema TEXT, profile TEXT, tags TEXT NOT NULL, PRIMARY KEY (run_id, name, digest)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS model_link (
  run_id TEXT NOT NULL REFERENCES experiment_run, direction TEXT NOT NULL, model_id TEXT NOT NULL, step INTEGER, PRIMARY KEY (run_id, direction, model_id)) STRICT, WITHOUT ROWID`

const CONTEXT_TAG = 'mlflow.data.context'

export class SqliteRunDataStore implements RunDataStore {
  #db: Database

  /** Needs the tables of runs. */
  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async log(runId: string, { metrics, params, tags }: Batch): Promise<Batch> {
    return this.#db.transaction(() => {
      const added = {
        params: this.#addParams(runId, params),
        metrics: metrics.filter((metric) => this.#addMetric(runId, metric)),
        tags,
      }
      writeTags(this.#db, 'run_tag', { run_id: runId }, Object.fromEntries(tags.map(({ key, value }) => [key, value])))
      const name = tags.findLast((tag) => tag.key === RUN_NAME_TAG)?.value
      if (name !== undefined) this.#db.run('UPDATE experiment_run SET name = ? WHERE id = ?', name, runId)
      return added
    })
  }

  async deleteTag(runId: string, key: string): Promise<boolean> {
    return this.#db.run('DELETE FROM run_tag WHERE run_id = ? AND key = ?', runId, key).changes > 0
  }

  async appendModel(runId: string, model: object): Promise<void> {
    this.#db.transaction(() => {
      const sql = 'SELECT value FROM run_tag WHERE run_id = ? AND key = ?'
      const history = this.#db.get<{ value: string }>(sql, runId, MODEL_HISTORY_TAG)?.value ?? '[]'
      const value = JSON.stringify([...(JSON.parse(history) as unknown[]), model])
      writeTags(this.#db, 'run_tag', { run_id: runId }, { [MODEL_HISTORY_TAG]: value })
    })
  }

  async history(runId: string, key: string, limit: number, offset: number): Promise<Page<Metric>> {
    const sql = 'SELECT * FROM metric WHERE run_id = ? AND key = ? ORDER BY timestamp, step, value LIMIT ? OFFSET ?'
    return pageOf(this.#db.all<MetricRow>(sql, runId, key, limit + 1, offset).map(toMetric), { limit, offset })
  }

  async addInputs(runId: string, datasets: readonly DatasetInput[], models: readonly ModelLink[]): Promise<void> {
    this.#db.transaction(() => {
      for (const { name, digest, sourceType, source, schema, profile, tags } of datasets) {
        const context = tags.find((tag) => tag.key === CONTEXT_TAG)?.value ?? null
        const sql =
          'INSERT INTO dataset_input VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET context = excluded.context, tags = excluded.tags'
        this.#db.run(sql, runId, name, digest, context, sourceType, source, schema, profile, JSON.stringify(tags))
      }
      this.#link(runId, 'input', models)
    })
  }

  async addOutputs(runId: string, models: readonly ModelLink[]): Promise<void> {
    this.#db.transaction(() => this.#link(runId, 'output', models))
  }

  /** Adds the params that are new, and answers those; refuses all of them when one has another value already. */
  #addParams(runId: string, params: readonly Param[]): Param[] {
    if (params.length === 0) return []
    const sql = 'SELECT key, value FROM param WHERE run_id = ? AND key IN (SELECT value FROM json_each(?))'
    const rows = this.#db.all<Param>(sql, runId, JSON.stringify(params.map(({ key }) => key)))
    const known = new Map(rows.map(({ key, value }) => [key, value]))
    const problems = changedParamProblems(known, params)
    if (problems.length > 0)
      throw new AppError('invalid', `INVALID_PARAMETER_VALUE: the run ${runId} cannot log these params:`, { problems })
    const added = params.filter(({ key }) => !known.has(key))
    for (const { key, value } of added) this.#db.run('INSERT INTO param VALUES (?, ?, ?)', runId, key, value)
    return added
  }

  /** Whether the value was new. The latest is the one of the greatest step, then time, then value. */
  #addMetric(runId: string, { key, value, timestamp, step, modelId, datasetName, datasetDigest }: Metric): boolean {
    const nan = Number.isNaN(value) ? 1 : 0
    const number = nan ? 0 : value
    if (modelId) {
      const sql = 'INSERT INTO logged_model_metric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'
      this.#db.run(sql, modelId, runId, key, timestamp, step, number, nan, datasetName ?? null, datasetDigest ?? null)
    }
    const insert = 'INSERT INTO metric VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'
    if (this.#db.run(insert, runId, key, timestamp, step, number, nan).changes === 0) return false
    const latest = `INSERT INTO latest_metric VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
      SET timestamp = excluded.timestamp, step = excluded.step, value = excluded.value, is_nan = excluded.is_nan
      WHERE (excluded.step, excluded.timestamp, excluded.value) > (latest_metric.step, latest_metric.timestamp, latest_metric.value)`
    this.#db.run(latest, runId, key, timestamp, step, number, nan)
    return true
  }

  #link(runId: string, direction: 'input' | 'output', models: readonly ModelLink[]): void {
    for (const { modelId, step } of models)
      this.#db.run(
        'INSERT INTO model_link VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET step = excluded.step',
        runId,
        direction,
        modelId,
        step,
      )
  }
}

/** What all of `runIds` logged, with one query per table: answers a look-up by run. */
export function readRunData(db: Database, runIds: readonly string[]): (runId: string) => RunData {
  const ids = JSON.stringify(runIds)
  const rowsOf = <Row>(table: string, order: string): Row[] =>
    runIds.length === 0 ? [] : db.all<Row>(`SELECT * FROM ${table} WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY ${order}`, ids)
  const ownerOf = (row: { run_id: string }) => row.run_id
  const metrics = gather(rowsOf<MetricRow & { run_id: string }>('latest_metric', 'key'), ownerOf, toMetric)
  const params = gather(rowsOf<Param & { run_id: string }>('param', 'key'), ownerOf, ({ key, value }): Param => ({ key, value }))
  const tags = readTags(db, 'run_tag', 'run_id', runIds)
  const datasets = gather(rowsOf<DatasetRow>('dataset_input', 'name, digest'), ownerOf, toDataset)
  const links = gather(rowsOf<LinkRow>('model_link', 'model_id'), ownerOf, (row) => row)
  const linksOf = (runId: string, direction: string): ModelLink[] =>
    (links.get(runId) ?? []).filter((row) => row.direction === direction).map((row) => ({ modelId: row.model_id, step: row.step }))
  return (runId) => ({
    metrics: metrics.get(runId) ?? [],
    params: params.get(runId) ?? [],
    tags: tags.get(runId) ?? [],
    datasets: datasets.get(runId) ?? [],
    modelInputs: linksOf(runId, 'input'),
    modelOutputs: linksOf(runId, 'output'),
  })
}

export interface MetricRow {
  key: string
  value: number
  is_nan: number
  timestamp: number
  step: number
}

interface DatasetRow {
  run_id: string
  name: string
  digest: string
  source_type: string
  source: string
  schema: string | null
  profile: string | null
  tags: string
}

interface LinkRow {
  run_id: string
  direction: string
  model_id: string
  step: number | null
}

export const toMetric = ({ key, value, is_nan, timestamp, step }: MetricRow): Metric => ({
  key,
  value: is_nan ? Number.NaN : value,
  timestamp,
  step,
})

const toDataset = (row: DatasetRow): DatasetInput => ({
  name: row.name,
  digest: row.digest,
  sourceType: row.source_type,
  source: row.source,
  schema: row.schema,
  profile: row.profile,
  tags: JSON.parse(row.tags) as Tag[],
})
