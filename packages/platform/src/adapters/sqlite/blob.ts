/** Which repository holds which blob, in SQLite. */
import type { Blob, BlobStore } from '../../images/blob.ts'
import type { Database } from './database.ts'

export const BLOB_TABLES = `
CREATE TABLE IF NOT EXISTS image_blob (
  repository TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (repository, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS image_blob_digest ON image_blob (digest)`

export class SqliteBlobStore implements BlobStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(BLOB_TABLES)
  }

  async find(repository: string, digest: string): Promise<Blob | null> {
    return (
      this.#db.get<Blob & object>('SELECT digest, size FROM image_blob WHERE repository = ? AND digest = ?', repository, digest) ?? null
    )
  }

  async findAnywhere(digest: string): Promise<Blob | null> {
    return this.#db.get<Blob & object>('SELECT digest, size FROM image_blob WHERE digest = ? LIMIT 1', digest) ?? null
  }

  async add(repository: string, { digest, size }: Blob): Promise<void> {
    this.#db.run('INSERT OR IGNORE INTO image_blob VALUES (?, ?, ?)', repository, digest, size)
  }

  async remove(repository: string, digest: string): Promise<boolean> {
    this.#db.run('DELETE FROM image_blob WHERE repository = ? AND digest = ?', repository, digest)
    return (await this.findAnywhere(digest)) === null
  }
}
