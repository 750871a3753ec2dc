/** Services and the operations on them in SQLite. */
import type { Revision } from '../../services/revision.ts'
import type { DeployedService, Operation, ServiceStore } from '../../services/service.ts'
import type { Database } from './database.ts'
import { REVISION_TABLES, saveRevision } from './revision.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS service (name TEXT PRIMARY KEY, service TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS service_operation (
  id TEXT PRIMARY KEY, is_done INTEGER NOT NULL, created_at TEXT NOT NULL, operation TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS service_operation_pending ON service_operation (created_at) WHERE is_done = 0`

export class SqliteServiceStore implements ServiceStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
    db.migrate(REVISION_TABLES)
  }

  async find(name: string): Promise<DeployedService | null> {
    const row = this.#db.get<{ service: string }>('SELECT service FROM service WHERE name = ?', name)
    return row ? JSON.parse(row.service) : null
  }

  async list(): Promise<DeployedService[]> {
    return this.#db.all<{ service: string }>('SELECT service FROM service ORDER BY name').map((row) => JSON.parse(row.service))
  }

  async save({ service, revision, operation }: { service?: DeployedService; revision?: Revision; operation?: Operation }): Promise<void> {
    this.#db.transaction(() => {
      if (service) this.#db.run('INSERT OR REPLACE INTO service VALUES (?, ?)', service.name, JSON.stringify(service))
      if (revision) saveRevision(this.#db, revision)
      if (operation)
        this.#db.run(
          'INSERT OR REPLACE INTO service_operation VALUES (?, ?, ?, ?)',
          ...[operation.id, operation.isDone ? 1 : 0, operation.createdAt, JSON.stringify(operation)],
        )
    })
  }

  async delete(name: string): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM service WHERE name = ?', name)
      this.#db.run('DELETE FROM revision WHERE service = ?', name)
    })
  }

  async findOperation(id: string): Promise<Operation | null> {
    const row = this.#db.get<{ operation: string }>('SELECT operation FROM service_operation WHERE id = ?', id)
    return row ? JSON.parse(row.operation) : null
  }

  async listPending(): Promise<Operation[]> {
    const rows = this.#db.all<{ operation: string }>('SELECT operation FROM service_operation WHERE is_done = 0 ORDER BY created_at, rowid')
    return rows.map((row) => JSON.parse(row.operation))
  }
}
