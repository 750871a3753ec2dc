/** Where each branch and tag was when it was last told of, in SQLite. */
import type { SeenRefsStore } from '../../repositories/push.ts'
import type { Refs } from '../../repositories/repository.ts'
import type { Database } from './database.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS seen_ref (
  repository TEXT NOT NULL,
  ref TEXT NOT NULL,
  commit_sha TEXT NOT NULL,
  PRIMARY KEY (repository, ref)
) STRICT`

export class SqliteSeenRefsStore implements SeenRefsStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(repository: string): Promise<Refs> {
    const rows = this.#db.all<{ ref: string; commit_sha: string }>('SELECT ref, commit_sha FROM seen_ref WHERE repository = ?', repository)
    return new Map(rows.map(({ ref, commit_sha }) => [ref, commit_sha]))
  }

  async save(repository: string, refs: Refs): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM seen_ref WHERE repository = ?', repository)
      for (const [ref, commit] of refs) this.#db.run('INSERT INTO seen_ref VALUES (?, ?, ?)', repository, ref, commit)
    })
  }
}
