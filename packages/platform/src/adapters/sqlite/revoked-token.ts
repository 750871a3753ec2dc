/** Revoked tokens in SQLite: only their digests, and only until they would have expired. */
import type { RevokedTokenStore } from '../../accounts/token.ts'
import type { Database } from './database.ts'

const TABLES = 'CREATE TABLE IF NOT EXISTS revoked_token (digest TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT'

export class SqliteRevokedTokenStore implements RevokedTokenStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async add(digest: string, expiresAt: number, now: number): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM revoked_token WHERE expires_at <= ?', now)
      this.#db.run('INSERT OR IGNORE INTO revoked_token VALUES (?, ?)', digest, expiresAt)
    })
  }

  async has(digest: string): Promise<boolean> {
    return this.#db.get('SELECT 1 FROM revoked_token WHERE digest = ?', digest) !== undefined
  }
}
