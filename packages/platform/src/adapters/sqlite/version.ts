/** Model versions in SQLite. */
import { type Tag, type TagChanges, tagChanges } from '../../models/limits.ts'
import { type Page, pageOf, type Search } from '../../models/page.ts'
import type { Stage } from '../../models/stage.ts'
import type { Version, VersionStore } from '../../models/version.ts'
import type { Database } from './database.ts'
import { writeTags } from './model-tag.ts'
import { type SearchLayout, searchSql } from './search.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS model_version (
  name TEXT NOT NULL REFERENCES registered_model ON UPDATE CASCADE ON DELETE CASCADE, version INTEGER NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, created_by TEXT NOT NULL, stage TEXT NOT NULL, description TEXT NOT NULL, source TEXT NOT NULL, location TEXT NOT NULL,
  run_id TEXT, run_link TEXT NOT NULL, model_id TEXT, PRIMARY KEY (name, version)) STRICT;
CREATE INDEX IF NOT EXISTS model_version_by_run ON model_version (run_id);
CREATE INDEX IF NOT EXISTS model_version_by_model ON model_version (model_id);
CREATE INDEX IF NOT EXISTS model_version_by_stage ON model_version (name, stage, version);
CREATE TABLE IF NOT EXISTS model_version_tag (
  name TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, version, key),
  FOREIGN KEY (name, version) REFERENCES model_version ON UPDATE CASCADE ON DELETE CASCADE) STRICT, WITHOUT ROWID`

const LAYOUT: SearchLayout = {
  columns: {
    name: 'version.name',
    run_id: 'version.run_id',
    source_path: 'version.source',
    version_number: 'version.version',
    creation_timestamp: 'version.created_at',
    last_updated_timestamp: 'version.updated_at',
    current_stage: 'version.stage',
  },
  sides: {
    tag: {
      table: 'model_version_tag',
      owner: [
        ['name', 'version.name'],
        ['version', 'version.version'],
      ],
    },
  },
  order: 'version.updated_at DESC, version.name, version.version DESC',
}

export class SqliteVersionStore implements VersionStore {
  #db: Database

  /** Needs the tables of registered models. */
  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create(given: Omit<Version, 'version' | 'aliases'>): Promise<Version> {
    const { name, createdAt, updatedAt, createdBy, stage, description, source, location, runId, runLink, modelId, tags } = given
    return this.#db.transaction(() => {
      const next =
        'UPDATE registered_model SET last_version = last_version + 1, updated_at = ? WHERE name = ? RETURNING last_version AS version'
      const { version } = this.#db.get<{ version: number }>(next, updatedAt, name) as { version: number }
      const sql = 'INSERT INTO model_version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
      this.#db.run(sql, name, version, createdAt, updatedAt, createdBy, stage, description, source, location, runId, runLink, modelId)
      writeTags(this.#db, 'model_version_tag', { name, version }, tagChanges(tags))
      return { ...given, version, aliases: [] }
    })
  }

  async find(name: string, version: number): Promise<Version | null> {
    return this.#withData(this.#db.all<VersionRow>('SELECT * FROM model_version WHERE name = ? AND version = ?', name, version))[0] ?? null
  }

  async search(search: Search): Promise<Page<Version>> {
    const { joins, where, order, joinValues, values } = searchSql(search, LAYOUT)
    const sql = `SELECT version.* FROM model_version AS version ${joins} WHERE 1${where} ORDER BY ${order} LIMIT ? OFFSET ?`
    const page = pageOf(this.#db.all<VersionRow>(sql, ...joinValues, ...values, search.limit + 1, search.offset), search)
    return { ...page, items: this.#withData(page.items) }
  }

  async latest(name: string): Promise<Version[]> {
    const sql = `SELECT * FROM model_version WHERE (name, version) IN (SELECT name, max(version) FROM model_version WHERE name = ? GROUP BY stage) ORDER BY version`
    return this.#withData(this.#db.all<VersionRow>(sql, name))
  }

  async transition(name: string, version: number, stage: Stage, archiveOthers: boolean, updatedAt: number): Promise<Version[]> {
    const changed = this.#db.transaction(() => {
      const archive = `UPDATE model_version SET stage = 'Archived', updated_at = ? WHERE name = ? AND stage = ? AND version <> ? RETURNING version`
      const archived = archiveOthers ? this.#db.all<{ version: number }>(archive, updatedAt, name, stage, version) : []
      this.#db.run('UPDATE model_version SET stage = ?, updated_at = ? WHERE name = ? AND version = ?', stage, updatedAt, name, version)
      this.#db.run('UPDATE registered_model SET updated_at = ? WHERE name = ?', updatedAt, name)
      return [...archived.map((row) => row.version).sort((a, b) => a - b), version]
    })
    const rows = changed.map((number) =>
      this.#db.get<VersionRow>('SELECT * FROM model_version WHERE name = ? AND version = ?', name, number),
    )
    return this.#withData(rows.filter((row) => row !== undefined))
  }

  async update(name: string, version: number, change: { description?: string; tags?: TagChanges; updatedAt: number }): Promise<void> {
    this.#db.transaction(() => {
      const sql = 'UPDATE model_version SET description = coalesce(?, description), updated_at = ? WHERE name = ? AND version = ?'
      this.#db.run(sql, change.description ?? null, change.updatedAt, name, version)
      writeTags(this.#db, 'model_version_tag', { name, version }, change.tags ?? {})
    })
  }

  async delete(name: string, version: number): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM registered_model_alias WHERE name = ? AND version = ?', name, version)
      this.#db.run('DELETE FROM model_version WHERE name = ? AND version = ?', name, version)
    })
  }

  #withData(rows: readonly VersionRow[]): Version[] {
    return rows.map((row) => {
      const tags = this.#db.all<Tag>(
        'SELECT key, value FROM model_version_tag WHERE name = ? AND version = ? ORDER BY key',
        row.name,
        row.version,
      )
      const sql = 'SELECT alias FROM registered_model_alias WHERE name = ? AND version = ? ORDER BY alias'
      const aliases = this.#db.all<{ alias: string }>(sql, row.name, row.version)
      return toVersion(
        row,
        tags.map(({ key, value }) => ({ key, value })),
        aliases.map(({ alias }) => alias),
      )
    })
  }
}

interface VersionRow {
  name: string
  version: number
  created_at: number
  updated_at: number
  created_by: string
  stage: Stage
  description: string
  source: string
  location: string
  run_id: string | null
  run_link: string
  model_id: string | null
}

const toVersion = (row: VersionRow, tags: readonly Tag[], aliases: readonly string[]): Version => ({
  name: row.name,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  createdBy: row.created_by,
  stage: row.stage,
  description: row.description,
  source: row.source,
  location: row.location,
  runId: row.run_id,
  runLink: row.run_link,
  modelId: row.model_id,
  tags,
  aliases,
})
