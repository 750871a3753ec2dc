/** Registered models and their aliases in SQLite. */
import { AppError } from '../../core/app-error.ts'
import type { Alias } from '../../models/alias.ts'
import { tagChanges } from '../../models/limits.ts'
import { type Page, pageOf, type Search } from '../../models/page.ts'
import type { RegisteredModel, RegisteredModelChange, RegisteredModelStore } from '../../models/registered-model.ts'
import type { Database } from './database.ts'
import { readTags, writeTags } from './model-tag.ts'
import { gather, type SearchLayout, searchSql } from './search.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS registered_model (
  name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, created_by TEXT NOT NULL, description TEXT NOT NULL,
  last_version INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS registered_model_tag (
  name TEXT NOT NULL REFERENCES registered_model ON UPDATE CASCADE ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (name, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS registered_model_alias (
  name TEXT NOT NULL REFERENCES registered_model ON UPDATE CASCADE ON DELETE CASCADE, alias TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (name, alias)) STRICT, WITHOUT ROWID`

const LAYOUT: SearchLayout = {
  columns: {
    name: 'registered_model.name',
    creation_timestamp: 'registered_model.created_at',
    last_updated_timestamp: 'registered_model.updated_at',
  },
  sides: { tag: { table: 'registered_model_tag', owner: [['name', 'registered_model.name']] } },
  order: 'registered_model.name',
}

export class SqliteRegisteredModelStore implements RegisteredModelStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create({ name, createdAt, updatedAt, createdBy, description, tags }: Omit<RegisteredModel, 'aliases'>): Promise<void> {
    this.#db.transaction(() => {
      this.#refuseTaken(name)
      this.#db.run('INSERT INTO registered_model VALUES (?, ?, ?, ?, ?, 0)', name, createdAt, updatedAt, createdBy, description)
      writeTags(this.#db, 'registered_model_tag', { name }, tagChanges(tags))
    })
  }

  async find(name: string): Promise<RegisteredModel | null> {
    return this.#withData(this.#db.all<RegisteredModelRow>('SELECT * FROM registered_model WHERE name = ?', name))[0] ?? null
  }

  async search(search: Search): Promise<Page<RegisteredModel>> {
    const { joins, where, order, joinValues, values } = searchSql(search, LAYOUT)
    const sql = `SELECT registered_model.* FROM registered_model ${joins} WHERE 1${where} ORDER BY ${order} LIMIT ? OFFSET ?`
    const page = pageOf(this.#db.all<RegisteredModelRow>(sql, ...joinValues, ...values, search.limit + 1, search.offset), search)
    return { ...page, items: this.#withData(page.items) }
  }

  async update(name: string, change: RegisteredModelChange): Promise<void> {
    this.#db.transaction(() => {
      if (change.name !== undefined && change.name !== name) this.#refuseTaken(change.name)
      writeTags(this.#db, 'registered_model_tag', { name }, change.tags ?? {})
      const sql =
        'UPDATE registered_model SET name = coalesce(?, name), description = coalesce(?, description), updated_at = ? WHERE name = ?'
      this.#db.run(sql, change.name ?? null, change.description ?? null, change.updatedAt, name)
    })
  }

  async delete(name: string): Promise<void> {
    this.#db.run('DELETE FROM registered_model WHERE name = ?', name)
  }

  async setAlias(name: string, alias: string, version: number | null): Promise<void> {
    if (version === null) this.#db.run('DELETE FROM registered_model_alias WHERE name = ? AND alias = ?', name, alias)
    else
      this.#db.run(
        'INSERT INTO registered_model_alias VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
        name,
        alias,
        version,
      )
  }

  #refuseTaken(name: string): void {
    if (this.#db.get('SELECT 1 FROM registered_model WHERE name = ?', name))
      throw new AppError('conflict', `Registered Model (name=${name}) already exists. Use it, or choose another name.`)
  }

  #withData(rows: readonly RegisteredModelRow[]): RegisteredModel[] {
    const names = rows.map((row) => row.name)
    const tags = readTags(this.#db, 'registered_model_tag', 'name', names)
    const sql = 'SELECT * FROM registered_model_alias WHERE name IN (SELECT value FROM json_each(?)) ORDER BY alias'
    const aliases = gather(
      this.#db.all<Alias & { name: string }>(sql, JSON.stringify(names)),
      (row) => row.name,
      ({ alias, version }): Alias => ({ alias, version }),
    )
    return rows.map((row) => ({
      name: row.name,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      createdBy: row.created_by,
      description: row.description,
      tags: tags.get(row.name) ?? [],
      aliases: aliases.get(row.name) ?? [],
    }))
  }
}

interface RegisteredModelRow {
  name: string
  created_at: number
  updated_at: number
  created_by: string
  description: string
}
