/** Sessions of resumable uploads in SQLite. */
import type { Upload, UploadStore } from '../../buckets/upload.ts'
import type { Database } from './database.ts'

const TABLES = `CREATE TABLE IF NOT EXISTS upload (id TEXT PRIMARY KEY, created_at TEXT NOT NULL, upload TEXT NOT NULL) STRICT`

export class SqliteUploadStore implements UploadStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(id: string): Promise<Upload | null> {
    const row = this.#db.get<{ upload: string }>('SELECT upload FROM upload WHERE id = ?', id)
    return row ? JSON.parse(row.upload) : null
  }

  async save(upload: Upload): Promise<void> {
    this.#db.run('INSERT OR REPLACE INTO upload VALUES (?, ?, ?)', upload.id, upload.createdAt, JSON.stringify(upload))
  }

  async delete(id: string): Promise<void> {
    this.#db.run('DELETE FROM upload WHERE id = ?', id)
  }

  async listOlderThan(time: string): Promise<Upload[]> {
    return this.#db.all<{ upload: string }>('SELECT upload FROM upload WHERE created_at < ?', time).map((row) => JSON.parse(row.upload))
  }
}
