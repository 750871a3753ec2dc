/** Pools in SQLite. */
import { DEFAULT_POOL, type Pool, type PoolPage, type PoolStore } from '../../scheduling/pool.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

/** As in Airflow. */
const DEFAULT_SLOTS = 128

export class SqlitePoolStore implements PoolStore {
  #db: Database

  /** `defaultSlots`: of the default pool, when it is made at the first start. */
  constructor(db: Database, defaultSlots: number = DEFAULT_SLOTS) {
    this.#db = db
    db.migrate(`CREATE TABLE IF NOT EXISTS pool (
      name TEXT PRIMARY KEY, slots INTEGER NOT NULL, description TEXT, include_deferred INTEGER NOT NULL) STRICT`)
    db.run(`INSERT INTO pool VALUES (?, ?, 'Default pool', 0) ON CONFLICT DO NOTHING`, DEFAULT_POOL, defaultSlots)
  }

  async list(): Promise<Pool[]> {
    return this.#db.all<PoolRow>('SELECT * FROM pool ORDER BY name').map(toPool)
  }

  async page({ namePattern, sort, limit, offset }: PoolPage): Promise<{ pools: Pool[]; total: number }> {
    const { where, values } = new Conditions().like('name', namePattern)
    const order = orderBy(sort, { name: 'name', slots: 'slots' }, 'name')
    const rows = this.#db.all<PoolRow>(`SELECT * FROM pool${where}${order} LIMIT ? OFFSET ?`, ...values, limit, offset)
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM pool${where}`, ...values)
    return { pools: rows.map(toPool), total: count?.total ?? 0 }
  }

  async find(name: string): Promise<Pool | null> {
    const row = this.#db.get<PoolRow>('SELECT * FROM pool WHERE name = ?', name)
    return row ? toPool(row) : null
  }

  async save({ name, slots, description, includeDeferred }: Pool): Promise<void> {
    this.#db.run('INSERT OR REPLACE INTO pool VALUES (?, ?, ?, ?)', name, slots, description, Number(includeDeferred))
  }

  async delete(name: string): Promise<boolean> {
    return this.#db.run('DELETE FROM pool WHERE name = ?', name).changes > 0
  }
}

interface PoolRow {
  name: string
  slots: number
  description: string | null
  include_deferred: number
}

const toPool = (row: PoolRow): Pool => ({
  name: row.name,
  slots: row.slots,
  description: row.description,
  includeDeferred: row.include_deferred === 1,
})
