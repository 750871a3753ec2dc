/** Facts of objects in SQLite; their bytes are in files. */
import type { ObjectStore, StoredObject } from '../../buckets/object.ts'
import type { Database } from './database.ts'

/** Names sort as bytes (SQLite's BINARY collation), as Cloud Storage lists them. */
export const OBJECT_TABLES = `
CREATE TABLE IF NOT EXISTS object (
  bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, metageneration INTEGER NOT NULL, size INTEGER NOT NULL,
  data_id TEXT NOT NULL, md5_hash TEXT NOT NULL, crc32c TEXT NOT NULL, facts TEXT NOT NULL,
  created_by TEXT NOT NULL, time_created TEXT NOT NULL, updated TEXT NOT NULL,
  PRIMARY KEY (bucket, name)
) STRICT, WITHOUT ROWID`

export class SqliteObjectStore implements ObjectStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(OBJECT_TABLES)
  }

  async find(bucket: string, name: string): Promise<StoredObject | null> {
    return this.#find(bucket, name)
  }

  async list(bucket: string, { prefix, from, before, limit }: Parameters<ObjectStore['list']>[1]): Promise<StoredObject[]> {
    const end = `${prefix}${LAST}`
    return this.#db
      .all<ObjectRow>(
        'SELECT * FROM object WHERE bucket = ? AND name >= max(?, ?) AND name < ? AND name < ? ORDER BY name LIMIT ?',
        ...[bucket, prefix, from, end, before ?? LAST, limit],
      )
      .map(toObject)
  }

  async save(object: StoredObject, check?: (current: StoredObject | null) => void): Promise<StoredObject | null> {
    const { bucket, name, generation, metageneration, size, dataId, md5Hash, crc32c, createdBy, timeCreated, updated } = object
    const { contentType, contentEncoding, contentDisposition, cacheControl, metadata } = object
    const facts = JSON.stringify({ contentType, contentEncoding, contentDisposition, cacheControl, metadata })
    return this.#db.transaction(() => {
      const current = this.#find(bucket, name)
      check?.(current)
      this.#db.run(
        'INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[bucket, name, generation, metageneration, size, dataId, md5Hash, crc32c, facts, createdBy, timeCreated, updated],
      )
      return current
    })
  }

  async delete(bucket: string, name: string, check?: (current: StoredObject | null) => void): Promise<StoredObject | null> {
    return this.#db.transaction(() => {
      const current = this.#find(bucket, name)
      check?.(current)
      this.#db.run('DELETE FROM object WHERE bucket = ? AND name = ?', bucket, name)
      return current
    })
  }

  async dataIds(): Promise<Set<string>> {
    return new Set(this.#db.all<{ data_id: string }>('SELECT data_id FROM object').map((row) => row.data_id))
  }

  #find(bucket: string, name: string): StoredObject | null {
    const row = this.#db.get<ObjectRow>('SELECT * FROM object WHERE bucket = ? AND name = ?', bucket, name)
    return row ? toObject(row) : null
  }
}

const LAST = '\u{10ffff}'

interface ObjectRow {
  bucket: string
  name: string
  generation: number
  metageneration: number
  size: number
  data_id: string
  md5_hash: string
  crc32c: string
  facts: string
  created_by: string
  time_created: string
  updated: string
}

const toObject = ({ data_id, md5_hash, facts, created_by, time_created, ...row }: ObjectRow): StoredObject => ({
  ...row,
  ...JSON.parse(facts),
  dataId: data_id,
  md5Hash: md5_hash,
  createdBy: created_by,
  timeCreated: time_created,
})
