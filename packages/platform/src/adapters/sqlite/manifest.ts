/** Manifests in SQLite, byte for byte. */
import type { Manifest, ManifestStore } from '../../images/manifest.ts'
import type { Database } from './database.ts'

export const MANIFEST_TABLES = `
CREATE TABLE IF NOT EXISTS image_manifest (
  repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, bytes BLOB NOT NULL, subject TEXT, artifact_type TEXT,
  annotations TEXT NOT NULL, created_by TEXT NOT NULL, created_at TEXT NOT NULL, PRIMARY KEY (repository, digest)
) STRICT;
CREATE INDEX IF NOT EXISTS image_manifest_subject ON image_manifest (repository, subject);
CREATE TABLE IF NOT EXISTS image_tag (
  repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, tag)
) STRICT, WITHOUT ROWID`

export class SqliteManifestStore implements ManifestStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(MANIFEST_TABLES)
  }

  async find(repository: string, digest: string): Promise<Manifest | null> {
    const row = this.#db.get<ManifestRow>('SELECT * FROM image_manifest WHERE repository = ? AND digest = ?', repository, digest)
    return row ? toManifest(row) : null
  }

  async save(manifest: Manifest, tags: readonly string[]): Promise<void> {
    const { repository, digest, mediaType, bytes, subject, artifactType, annotations, createdBy, createdAt } = manifest
    this.#db.transaction(() => {
      this.#db.run(
        'INSERT OR IGNORE INTO image_manifest VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[repository, digest, mediaType, bytes, subject, artifactType, JSON.stringify(annotations), createdBy, createdAt],
      )
      for (const tag of tags) this.#db.run('INSERT OR REPLACE INTO image_tag VALUES (?, ?, ?)', repository, tag, digest)
    })
  }

  async delete(repository: string, digest: string): Promise<boolean> {
    return this.#db.transaction(() => {
      this.#db.run('DELETE FROM image_tag WHERE repository = ? AND digest = ?', repository, digest)
      return this.#db.run('DELETE FROM image_manifest WHERE repository = ? AND digest = ?', repository, digest).changes === 1
    })
  }

  async referrers(repository: string, subject: string): Promise<Manifest[]> {
    return this.#db
      .all<ManifestRow>(
        'SELECT * FROM image_manifest WHERE repository = ? AND subject = ? ORDER BY created_at, digest',
        repository,
        subject,
      )
      .map(toManifest)
  }

  async mentions(repository: string, digest: string): Promise<boolean> {
    const sql = 'SELECT 1 AS found FROM image_manifest WHERE repository = ? AND instr(bytes, CAST(? AS BLOB)) > 0 LIMIT 1'
    return this.#db.get(sql, repository, digest) !== undefined
  }
}

interface ManifestRow {
  repository: string
  digest: string
  media_type: string
  bytes: Uint8Array
  subject: string | null
  artifact_type: string | null
  annotations: string
  created_by: string
  created_at: string
}

const toManifest = ({ media_type, artifact_type, annotations, created_by, created_at, ...row }: ManifestRow): Manifest => ({
  ...row,
  mediaType: media_type,
  artifactType: artifact_type,
  annotations: JSON.parse(annotations),
  createdBy: created_by,
  createdAt: created_at,
})
