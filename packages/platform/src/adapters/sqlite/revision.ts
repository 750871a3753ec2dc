/** Revisions in SQLite. */
import type { Revision } from '../../services/revision.ts'
import type { RevisionStore } from '../../services/service.ts'
import type { Database } from './database.ts'

export const REVISION_TABLES = `
CREATE TABLE IF NOT EXISTS revision (name TEXT PRIMARY KEY, service TEXT NOT NULL, generation INTEGER NOT NULL, revision TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS revision_service ON revision (service, generation)`

export function saveRevision(db: Database, revision: Revision): void {
  const { name, service, generation } = revision
  db.run('INSERT OR REPLACE INTO revision VALUES (?, ?, ?, ?)', name, service, generation, JSON.stringify(revision))
}

export class SqliteRevisionStore implements RevisionStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(REVISION_TABLES)
  }

  async find(name: string): Promise<Revision | null> {
    const row = this.#db.get<{ revision: string }>('SELECT revision FROM revision WHERE name = ?', name)
    return row ? JSON.parse(row.revision) : null
  }

  async list(service: string): Promise<Revision[]> {
    const rows = this.#db.all<{ revision: string }>('SELECT revision FROM revision WHERE service = ? ORDER BY generation DESC', service)
    return rows.map((row) => JSON.parse(row.revision))
  }

  async save(revision: Revision): Promise<void> {
    saveRevision(this.#db, revision)
  }

  async delete(name: string): Promise<void> {
    this.#db.run('DELETE FROM revision WHERE name = ?', name)
  }
}
