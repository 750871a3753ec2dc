/** Refreshes in SQLite: one JSON document each, because they are only ever read and written whole. */
import type { Refresh, RefreshStore } from '../../refreshes/refresh.ts'
import type { Database } from './database.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS refresh (id TEXT PRIMARY KEY, created_at TEXT NOT NULL, document TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS refresh_by_age ON refresh (created_at DESC);`

export class SqliteRefreshStore implements RefreshStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async list(limit: number): Promise<Refresh[]> {
    const rows = this.#db.all<{ document: string }>('SELECT document FROM refresh ORDER BY created_at DESC, rowid DESC LIMIT ?', limit)
    return rows.map(({ document }) => JSON.parse(document) as Refresh)
  }

  async save(refresh: Refresh): Promise<void> {
    this.#db.run(
      'INSERT INTO refresh VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
      refresh.id,
      refresh.createdAt,
      JSON.stringify(refresh),
    )
  }

  async delete(id: string): Promise<void> {
    this.#db.run('DELETE FROM refresh WHERE id = ?', id)
  }
}
