/** Builds in SQLite: the resource as JSON, beside it the columns that are searched. */
import type { Build, BuildListing, BuildStore } from '../../builds/build.ts'
import type { Database } from './database.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS build (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS build_by_sequence ON build (sequence);
CREATE INDEX IF NOT EXISTS build_by_status ON build (status, sequence);
`

export class SqliteBuildStore implements BuildStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(id: string): Promise<Build | null> {
    const row = this.#db.get<BuildRow>('SELECT body FROM build WHERE id = ?', id)
    return row ? (JSON.parse(row.body) as Build) : null
  }

  async list({ projectId, statuses, after, limit }: BuildListing): Promise<Build[]> {
    const conditions = [
      ...(projectId === undefined ? [] : ['project_id = ?']),
      ...(statuses ? [`status IN (${statuses.map(() => '?').join(', ')})`] : []),
      ...(after === undefined ? [] : ['sequence < (SELECT sequence FROM build WHERE id = ?)']),
    ]
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    const values = [...(projectId === undefined ? [] : [projectId]), ...(statuses ?? []), ...(after === undefined ? [] : [after]), limit]
    return this.#db
      .all<BuildRow>(`SELECT body FROM build ${where} ORDER BY sequence DESC LIMIT ?`, ...values)
      .map(({ body }) => JSON.parse(body) as Build)
  }

  async create(build: Build): Promise<void> {
    this.#db.run(
      'INSERT INTO build SELECT ?, ?, ?, ?, coalesce(max(sequence), 0) + 1, ? FROM build',
      build.id,
      build.projectId,
      build.status,
      build.createTime,
      JSON.stringify(build),
    )
  }

  async update(build: Build): Promise<void> {
    this.#db.run('UPDATE build SET status = ?, body = ? WHERE id = ?', build.status, JSON.stringify(build), build.id)
  }
}

interface BuildRow {
  body: string
}
