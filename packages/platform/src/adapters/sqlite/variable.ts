/** Variables in SQLite, their values encrypted. */
import { type Fernet, named, rotated } from '../../secrets/fernet.ts'
import type { Variable, VariablePage, VariableStore } from '../../secrets/variable.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const TABLES = 'CREATE TABLE IF NOT EXISTS variable (key TEXT PRIMARY KEY, value TEXT NOT NULL, description TEXT) STRICT'

export class SqliteVariableStore implements VariableStore {
  #db: Database
  #fernet: Fernet

  constructor(db: Database, fernet: Fernet) {
    this.#db = db
    this.#fernet = fernet
    db.migrate(TABLES)
  }

  async find(key: string): Promise<Variable | null> {
    const row = this.#db.get<Variable>('SELECT * FROM variable WHERE key = ?', key)
    return row ? this.#read(row) : null
  }

  async list(): Promise<Variable[]> {
    return this.#db.all<Variable>('SELECT * FROM variable ORDER BY key').map((row) => this.#read(row))
  }

  async page({ keyPattern, sort, limit, offset }: VariablePage): Promise<{ variables: Variable[]; total: number }> {
    const { where, values } = new Conditions().like('key', keyPattern)
    const order = orderBy(sort, { key: 'key', description: 'description' }, 'key')
    const rows = this.#db.all<Variable>(`SELECT * FROM variable${where}${order} LIMIT ? OFFSET ?`, ...values, limit, offset)
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM variable${where}`, ...values)
    return { variables: rows.map((row) => this.#read(row)), total: count?.total ?? 0 }
  }

  async keys(): Promise<string[]> {
    return this.#db.all<{ key: string }>('SELECT key FROM variable ORDER BY key').map(({ key }) => key)
  }

  async save({ key, value, description }: Variable): Promise<void> {
    const sql =
      'INSERT INTO variable VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, description = excluded.description'
    this.#db.run(sql, key, this.#fernet.encrypt(value), description)
  }

  async delete(key: string): Promise<boolean> {
    return this.#db.run('DELETE FROM variable WHERE key = ?', key).changes > 0
  }

  /** Encrypts every value anew with the newest key. Adds the names of those that no key can read to `problems`. Answers how many there are. */
  rotate(problems: string[]): number {
    const rows = this.#db.all<Variable>('SELECT * FROM variable')
    for (const { key, value } of rows)
      rotated(problems, `variable "${key}"`, () =>
        this.#db.run('UPDATE variable SET value = ? WHERE key = ?', this.#fernet.rotate(value), key),
      )
    return rows.length
  }

  #read(row: Variable): Variable {
    const value = named(`variable "${row.key}"`, () => this.#fernet.decrypt(row.value))
    return { key: row.key, value, description: row.description }
  }
}
