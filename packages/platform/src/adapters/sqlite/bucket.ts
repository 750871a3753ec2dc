/** Buckets in SQLite. */
import type { Bucket, BucketStore } from '../../buckets/bucket.ts'
import type { Database } from './database.ts'
import { OBJECT_TABLES } from './object.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS bucket (
  name TEXT PRIMARY KEY, project TEXT NOT NULL, location TEXT NOT NULL, storage_class TEXT NOT NULL, labels TEXT NOT NULL,
  created_by TEXT NOT NULL, time_created TEXT NOT NULL, updated TEXT NOT NULL, metageneration INTEGER NOT NULL
) STRICT`

export class SqliteBucketStore implements BucketStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
    db.migrate(OBJECT_TABLES)
  }

  async find(name: string): Promise<Bucket | null> {
    const row = this.#db.get<BucketRow>('SELECT * FROM bucket WHERE name = ?', name)
    return row ? toBucket(row) : null
  }

  async list(project: string, prefix: string): Promise<Bucket[]> {
    const rows = this.#db.all<BucketRow>('SELECT * FROM bucket WHERE project = ? ORDER BY name', project)
    return rows.map(toBucket).filter((bucket) => bucket.name.startsWith(prefix))
  }

  async names(): Promise<string[]> {
    return this.#db.all<{ name: string }>('SELECT name FROM bucket').map(({ name }) => name)
  }

  async create(bucket: Bucket): Promise<boolean> {
    const { name, project, location, storageClass, labels, createdBy, timeCreated, updated, metageneration } = bucket
    const { changes } = this.#db.run(
      'INSERT INTO bucket VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ...[name, project, location, storageClass, JSON.stringify(labels), createdBy, timeCreated, updated, metageneration],
    )
    return changes === 1
  }

  async update({ name, storageClass, labels, updated, metageneration }: Bucket): Promise<void> {
    this.#db.run(
      'UPDATE bucket SET storage_class = ?, labels = ?, updated = ?, metageneration = ? WHERE name = ?',
      ...[storageClass, JSON.stringify(labels), updated, metageneration, name],
    )
  }

  async delete(name: string): Promise<boolean> {
    const { changes } = this.#db.run('DELETE FROM bucket WHERE name = ? AND NOT EXISTS (SELECT 1 FROM object WHERE bucket = ?)', name, name)
    return changes === 1
  }
}

interface BucketRow {
  name: string
  project: string
  location: string
  storage_class: string
  labels: string
  created_by: string
  time_created: string
  updated: string
  metageneration: number
}

const toBucket = ({ storage_class, labels, created_by, time_created, ...row }: BucketRow): Bucket => ({
  ...row,
  storageClass: storage_class,
  labels: JSON.parse(labels),
  createdBy: created_by,
  timeCreated: time_created,
})
