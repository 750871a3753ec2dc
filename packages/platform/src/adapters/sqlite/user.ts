/** Users in SQLite. */
import type { User, UserStore } from '../../accounts/user.ts'
import type { Role } from '../../core/principal.ts'
import type { Database } from './database.ts'

const TABLES = `CREATE TABLE IF NOT EXISTS user (name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL) STRICT`

export class SqliteUserStore implements UserStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(name: string): Promise<User | null> {
    const row = this.#db.get<UserRow>('SELECT * FROM user WHERE name = ?', name)
    return row ? toUser(row) : null
  }

  async list(): Promise<User[]> {
    return this.#db.all<UserRow>('SELECT * FROM user ORDER BY name').map(toUser)
  }

  async save({ name, role, passwordHash }: User): Promise<void> {
    this.#db.run(
      'INSERT INTO user VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash',
      name,
      role,
      passwordHash,
    )
  }

  async delete(name: string): Promise<boolean> {
    return this.#db.run('DELETE FROM user WHERE name = ?', name).changes > 0
  }
}

interface UserRow {
  name: string
  role: Role
  password_hash: string
}

const toUser = (row: UserRow): User => ({ name: row.name, role: row.role, passwordHash: row.password_hash })
