/** Tags of images in SQLite. */
import type { TagStore } from '../../images/manifest.ts'
import { BLOB_TABLES } from './blob.ts'
import type { Database } from './database.ts'
import { MANIFEST_TABLES } from './manifest.ts'

export class SqliteTagStore implements TagStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(MANIFEST_TABLES)
    db.migrate(BLOB_TABLES)
  }

  async find(repository: string, tag: string): Promise<string | null> {
    const row = this.#db.get<{ digest: string }>('SELECT digest FROM image_tag WHERE repository = ? AND tag = ?', repository, tag)
    return row?.digest ?? null
  }

  async list(repository: string, { last, limit }: { last: string; limit: number }): Promise<string[]> {
    return this.#db
      .all<{ tag: string }>('SELECT tag FROM image_tag WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?', repository, last, limit)
      .map(({ tag }) => tag)
  }

  async delete(repository: string, tag: string): Promise<boolean> {
    return this.#db.run('DELETE FROM image_tag WHERE repository = ? AND tag = ?', repository, tag).changes === 1
  }

  async repositories({ last, limit }: { last: string; limit: number }): Promise<string[]> {
    return this.#db
      .all<{ repository: string }>(
        'SELECT DISTINCT repository FROM image_manifest WHERE repository > ? ORDER BY repository LIMIT ?',
        ...[last, limit],
      )
      .map(({ repository }) => repository)
  }

  async exists(repository: string): Promise<boolean> {
    const sql =
      'SELECT 1 AS found WHERE EXISTS (SELECT 1 FROM image_manifest WHERE repository = ?) OR EXISTS (SELECT 1 FROM image_blob WHERE repository = ?)'
    return this.#db.get(sql, repository, repository) !== undefined
  }
}
