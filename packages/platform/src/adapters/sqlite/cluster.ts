/** Clusters in SQLite. */
import type { Cluster, ClusterStore, Place } from '../../clusters/cluster.ts'
import { AppError } from '../../core/app-error.ts'
import type { Database } from './database.ts'

const TABLES = `CREATE TABLE IF NOT EXISTS cluster (
  uuid TEXT PRIMARY KEY, project TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, idle_since TEXT, document TEXT NOT NULL,
  UNIQUE (project, region, name)
) STRICT`

interface ClusterRow {
  document: string
  idle_since: string | null
}

export class SqliteClusterStore implements ClusterStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create(cluster: Cluster): Promise<void> {
    const { changes } = this.#db.run(
      'INSERT INTO cluster VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      cluster.uuid,
      cluster.project,
      cluster.region,
      cluster.name,
      cluster.idleSince,
      JSON.stringify(cluster),
    )
    if (changes === 0)
      throw new AppError(
        'conflict',
        `Cluster "${cluster.name}" of project "${cluster.project}" in ${cluster.region} already exists. Use it, or delete it first.`,
      )
  }

  async find({ project, region }: Place, name: string): Promise<Cluster | null> {
    const row = this.#db.get<ClusterRow>(
      'SELECT document, idle_since FROM cluster WHERE project = ? AND region = ? AND name = ?',
      project,
      region,
      name,
    )
    return row ? toCluster(row) : null
  }

  async list(place: Place | null): Promise<Cluster[]> {
    const rows = place
      ? this.#db.all<ClusterRow>(
          'SELECT document, idle_since FROM cluster WHERE project = ? AND region = ? ORDER BY name',
          place.project,
          place.region,
        )
      : this.#db.all<ClusterRow>('SELECT document, idle_since FROM cluster ORDER BY name')
    return rows.map(toCluster)
  }

  async update(cluster: Cluster): Promise<void> {
    this.#db.run('UPDATE cluster SET document = ? WHERE uuid = ?', JSON.stringify(cluster), cluster.uuid)
  }

  async markIdle({ uuid }: Cluster, since: string | null): Promise<void> {
    this.#db.run('UPDATE cluster SET idle_since = ? WHERE uuid = ?', since, uuid)
  }

  async delete({ uuid }: Cluster): Promise<void> {
    this.#db.run('DELETE FROM cluster WHERE uuid = ?', uuid)
  }
}

const toCluster = ({ document, idle_since }: ClusterRow): Cluster => ({ ...(JSON.parse(document) as Cluster), idleSince: idle_since })
