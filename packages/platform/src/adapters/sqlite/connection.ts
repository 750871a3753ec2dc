/** Connections in SQLite, password and extra encrypted. */
import type { Connection, ConnectionPage, ConnectionStore } from '../../secrets/connection.ts'
import { type Fernet, named, rotated } from '../../secrets/fernet.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const TABLES = `CREATE TABLE IF NOT EXISTS connection (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, host TEXT, port INTEGER, schema TEXT, login TEXT, password TEXT, extra TEXT NOT NULL, description TEXT
) STRICT`

const COLUMNS = { id: 'id', type: 'type', description: 'description', host: 'host', port: 'port' } as const

export class SqliteConnectionStore implements ConnectionStore {
  #db: Database
  #fernet: Fernet

  constructor(db: Database, fernet: Fernet) {
    this.#db = db
    this.#fernet = fernet
    db.migrate(TABLES)
  }

  async find(id: string): Promise<Connection | null> {
    const row = this.#db.get<ConnectionRow>('SELECT * FROM connection WHERE id = ?', id)
    return row ? this.#read(row) : null
  }

  async list(): Promise<Connection[]> {
    return this.#db.all<ConnectionRow>('SELECT * FROM connection ORDER BY id').map((row) => this.#read(row))
  }

  async page({ idPattern, sort, limit, offset }: ConnectionPage): Promise<{ connections: Connection[]; total: number }> {
    const { where, values } = new Conditions().like('id', idPattern)
    const order = orderBy(sort, COLUMNS, 'id')
    const rows = this.#db.all<ConnectionRow>(`SELECT * FROM connection${where}${order} LIMIT ? OFFSET ?`, ...values, limit, offset)
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM connection${where}`, ...values)
    return { connections: rows.map((row) => this.#read(row)), total: count?.total ?? 0 }
  }

  async ids(): Promise<string[]> {
    return this.#db.all<{ id: string }>('SELECT id FROM connection ORDER BY id').map(({ id }) => id)
  }

  async save({ id, type, host, port, schema, login, password, extra, description }: Connection): Promise<void> {
    const hidden = password === null ? null : this.#fernet.encrypt(password)
    const sql = 'INSERT OR REPLACE INTO connection VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
    this.#db.run(sql, id, type, host, port, schema, login, hidden, this.#fernet.encrypt(JSON.stringify(extra)), description)
  }

  async delete(id: string): Promise<boolean> {
    return this.#db.run('DELETE FROM connection WHERE id = ?', id).changes > 0
  }

  /** Encrypts every password and extra anew with the newest key. Adds the ids of those that no key can read to `problems`. Answers how many there are. */
  rotate(problems: string[]): number {
    const rows = this.#db.all<ConnectionRow>('SELECT * FROM connection')
    for (const { id, password, extra } of rows)
      rotated(problems, `connection "${id}"`, () => {
        const hidden = password === null ? null : this.#fernet.rotate(password)
        this.#db.run('UPDATE connection SET password = ?, extra = ? WHERE id = ?', hidden, this.#fernet.rotate(extra), id)
      })
    return rows.length
  }

  #read(row: ConnectionRow): Connection {
    const open = (token: string) => named(`connection "${row.id}"`, () => this.#fernet.decrypt(token))
    return { ...row, password: row.password === null ? null : open(row.password), extra: JSON.parse(open(row.extra)) }
  }
}

type ConnectionRow = Omit<Connection, 'extra'> & { extra: string }
