/** Experiments in SQLite. */
import { AppError } from '../../core/app-error.ts'
import {
  artifactLocationOf,
  DEFAULT_EXPERIMENT_ID,
  type Experiment,
  type ExperimentChange,
  type ExperimentStore,
  type LifecycleStage,
  type ViewType,
} from '../../models/experiment.ts'
import type { Tag } from '../../models/limits.ts'
import { type Page, pageOf, type Search } from '../../models/page.ts'
import type { Database } from './database.ts'
import { readTags, writeTags } from './model-tag.ts'
import { type SearchLayout, searchSql } from './search.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS experiment (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, artifact_location TEXT NOT NULL, lifecycle_stage TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, created_by TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS experiment_tag (
  experiment_id INTEGER NOT NULL REFERENCES experiment, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (experiment_id, key)) STRICT, WITHOUT ROWID`

const LAYOUT: SearchLayout = {
  columns: {
    name: 'experiment.name',
    experiment_id: 'CAST(experiment.id AS TEXT)',
    creation_time: 'experiment.created_at',
    last_update_time: 'experiment.updated_at',
  },
  sides: { tag: { table: 'experiment_tag', owner: [['experiment_id', 'experiment.id']] } },
  order: 'experiment.updated_at DESC, experiment.id DESC',
}

/** The SQL of a look at kept, deleted or all rows of `table`. */
export const viewSql = (table: string, view: ViewType): string =>
  view === 'ALL' ? '1' : `${table}.lifecycle_stage = '${view === 'ACTIVE_ONLY' ? 'active' : 'deleted'}'`

export class SqliteExperimentStore implements ExperimentStore {
  #db: Database

  /** The experiment "Default" with the id 0 is there from the start; `now` is when, in milliseconds. */
  constructor(db: Database, now: number) {
    this.#db = db
    db.migrate(TABLES)
    const id = DEFAULT_EXPERIMENT_ID
    const sql = `INSERT INTO experiment VALUES (?, 'Default', ?, 'active', ?, ?, 'system') ON CONFLICT DO NOTHING`
    db.run(sql, Number(id), artifactLocationOf(id), now, now)
  }

  async create(experiment: Omit<Experiment, 'id'>): Promise<Experiment> {
    const { name, artifactLocation, lifecycleStage, createdAt, updatedAt, createdBy, tags } = experiment
    return this.#db.transaction(() => {
      this.#refuseTaken(name)
      const sql = 'INSERT INTO experiment VALUES (NULL, ?, ?, ?, ?, ?, ?)'
      const { lastInsertRowid } = this.#db.run(sql, name, artifactLocation, lifecycleStage, createdAt, updatedAt, createdBy)
      const id = String(lastInsertRowid)
      const location = artifactLocation || artifactLocationOf(id)
      this.#db.run('UPDATE experiment SET artifact_location = ? WHERE id = ?', location, lastInsertRowid)
      writeTags(this.#db, 'experiment_tag', { experiment_id: lastInsertRowid }, Object.fromEntries(tags.map((tag) => [tag.key, tag.value])))
      return { ...experiment, id, artifactLocation: location }
    })
  }

  async find(id: string): Promise<Experiment | null> {
    return /^\d{1,15}$/.test(id) ? this.#read('SELECT * FROM experiment WHERE id = ?', Number(id)) : null
  }

  async findByName(name: string): Promise<Experiment | null> {
    return this.#read('SELECT * FROM experiment WHERE name = ?', name)
  }

  async search(search: Search & { view: ViewType }): Promise<Page<Experiment>> {
    const { joins, where, order, joinValues, values } = searchSql(search, LAYOUT)
    const sql = `SELECT experiment.* FROM experiment ${joins} WHERE ${viewSql('experiment', search.view)}${where} ORDER BY ${order} LIMIT ? OFFSET ?`
    const rows = this.#db.all<ExperimentRow>(sql, ...joinValues, ...values, search.limit + 1, search.offset)
    return pageOf(this.#withTags(rows), search)
  }

  async update(id: string, { name, lifecycleStage, tags = {}, updatedAt }: ExperimentChange): Promise<void> {
    this.#db.transaction(() => {
      const key = Number(id)
      if (name !== undefined) this.#refuseTaken(name, key)
      const sql =
        'UPDATE experiment SET name = coalesce(?, name), lifecycle_stage = coalesce(?, lifecycle_stage), updated_at = ? WHERE id = ?'
      this.#db.run(sql, name ?? null, lifecycleStage ?? null, updatedAt, key)
      writeTags(this.#db, 'experiment_tag', { experiment_id: key }, tags)
    })
  }

  #refuseTaken(name: string, except = -1): void {
    const other = this.#db.get<ExperimentRow>('SELECT * FROM experiment WHERE name = ? AND id <> ?', name, except)
    if (!other) return
    const state =
      other.lifecycle_stage === 'deleted' ? ' in a deleted state; restore it, or choose another name' : '; use it, or choose another name'
    throw new AppError('conflict', `Experiment '${name}' already exists${state}.`)
  }

  #read(sql: string, value: string | number): Experiment | null {
    const row = this.#db.get<ExperimentRow>(sql, value)
    return row ? (this.#withTags([row])[0] ?? null) : null
  }

  #withTags(rows: readonly ExperimentRow[]): Experiment[] {
    const tags = readTags(
      this.#db,
      'experiment_tag',
      'experiment_id',
      rows.map((row) => row.id),
    )
    return rows.map((row) => toExperiment(row, tags.get(String(row.id)) ?? []))
  }
}

interface ExperimentRow {
  id: number
  name: string
  artifact_location: string
  lifecycle_stage: LifecycleStage
  created_at: number
  updated_at: number
  created_by: string
}

const toExperiment = (row: ExperimentRow, tags: readonly Tag[]): Experiment => ({
  id: String(row.id),
  name: row.name,
  artifactLocation: row.artifact_location,
  lifecycleStage: row.lifecycle_stage,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  createdBy: row.created_by,
  tags,
})
