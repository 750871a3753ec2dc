/** Long-running operations on clusters in SQLite. */
import type { Place } from '../../clusters/cluster.ts'
import type { ClusterOperation, ClusterOperationStore } from '../../clusters/operation.ts'
import type { Database } from './database.ts'

const TABLES = `CREATE TABLE IF NOT EXISTS cluster_operation (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, region TEXT NOT NULL, request_id TEXT, started_at TEXT NOT NULL, document TEXT NOT NULL,
  UNIQUE (project, region, request_id)
) STRICT`

interface OperationRow {
  document: string
}

export class SqliteClusterOperationStore implements ClusterOperationStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create(operation: ClusterOperation): Promise<void> {
    const { id, project, region, requestId, startedAt } = operation
    this.#db.run(
      'INSERT INTO cluster_operation VALUES (?, ?, ?, ?, ?, ?)',
      id,
      project,
      region,
      requestId,
      startedAt,
      JSON.stringify(operation),
    )
  }

  async find({ project, region }: Place, id: string): Promise<ClusterOperation | null> {
    return toOperation(
      this.#db.get<OperationRow>('SELECT document FROM cluster_operation WHERE project = ? AND region = ? AND id = ?', project, region, id),
    )
  }

  async findByRequest({ project, region }: Place, requestId: string): Promise<ClusterOperation | null> {
    return toOperation(
      this.#db.get<OperationRow>(
        'SELECT document FROM cluster_operation WHERE project = ? AND region = ? AND request_id = ?',
        project,
        region,
        requestId,
      ),
    )
  }

  async list(place: Place | null): Promise<ClusterOperation[]> {
    const rows = place
      ? this.#db.all<OperationRow>(
          'SELECT document FROM cluster_operation WHERE project = ? AND region = ? ORDER BY started_at',
          place.project,
          place.region,
        )
      : this.#db.all<OperationRow>('SELECT document FROM cluster_operation ORDER BY started_at')
    return rows.map((row) => JSON.parse(row.document) as ClusterOperation)
  }

  async update(operation: ClusterOperation): Promise<void> {
    this.#db.run('UPDATE cluster_operation SET document = ? WHERE id = ?', JSON.stringify(operation), operation.id)
  }
}

const toOperation = (row: OperationRow | undefined): ClusterOperation | null =>
  row ? (JSON.parse(row.document) as ClusterOperation) : null
