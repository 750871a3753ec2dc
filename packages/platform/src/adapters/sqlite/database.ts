/** The embedded store: one SQLite file, one connection, one writer. Each noun's file beside this one brings its tables. */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { outageOf } from './outage.ts'

/** How many prepared statements are kept. The platform itself has a few hundred. */
const MOST_STATEMENTS = 1000

const DEFAULT_CACHE_MEBIBYTES = 16
/** So long another writer of the file is waited for. */
const DEFAULT_BUSY_MS = 5_000

export type Row = Record<string, unknown>

/**
 * A thin face over `node:sqlite`: prepared statements are kept, transactions nest into the outermost one. While the file cannot be used (its
 * disk is full, another process holds it) what is asked of it throws `unavailable`.
 */
export class Database {
  readonly path: string
  #db: DatabaseSync
  #statements = new Map<string, StatementSync>()
  #inTransaction = false
  /** Called before each statement, and before each transaction as a whole: brings to the tables what is durable elsewhere. */
  beforeUse: () => void = () => {}
  /** Called before the connection is closed: others of this process to the same file close theirs. */
  beforeClose: () => void = () => {}

  /**
   * `path` may be `:memory:`, which is the test double of every store. Commits are durable when they return (WAL, synchronous=FULL). What a
   * connection keeps of the file in memory grows up to `cacheMebibytes`, and not beyond; the system keeps the rest of it at hand. Another
   * writer of the file is waited for `busyMilliseconds`.
   */
  constructor(path: string, cacheMebibytes = DEFAULT_CACHE_MEBIBYTES, busyMilliseconds = DEFAULT_BUSY_MS) {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      // SQLite gives the files beside it the mode of this one.
      closeSync(openSync(path, 'a', 0o600))
      chmodSync(path, 0o600)
    }
    this.path = path
    this.#db = new DatabaseSync(path)
    this.#db.exec(`PRAGMA busy_timeout = ${busyMilliseconds}`)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    // A checkpoint every 16 MiB: with more pages at hand measured a third faster to write rows than by default.
    this.#db.exec(`PRAGMA cache_size = -${1024 * cacheMebibytes}; PRAGMA wal_autocheckpoint = 4000`)
  }

  /** Runs statements that create tables; each must be safe to run again (`CREATE TABLE IF NOT EXISTS …`). */
  migrate(sql: string): void {
    this.#db.exec(sql)
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number; lastInsertRowid: number } {
    try {
      if (!this.#inTransaction) this.beforeUse()
      const { changes, lastInsertRowid } = this.#prepare(sql).run(...values)
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
    } catch (error) {
      throw outageOf(error, this.path)
    }
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    try {
      if (!this.#inTransaction) this.beforeUse()
      return this.#prepare(sql).get(...values) as T | undefined
    } catch (error) {
      throw outageOf(error, this.path)
    }
  }

  /** The same as the tables are just now, without what is durable elsewhere. */
  peek<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined
  }

  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    try {
      if (!this.#inTransaction) this.beforeUse()
      return this.#prepare(sql).all(...values) as T[]
    } catch (error) {
      throw outageOf(error, this.path)
    }
  }

  /** All of `work` or nothing of it. `work` is synchronous, so that nothing else runs in between. */
  transaction<T>(work: () => T): T {
    if (this.#inTransaction) return work()
    this.beforeUse()
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      this.#inTransaction = true
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // A disk that is full, for one, has undone it already: what is told is why.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw outageOf(error, this.path)
    } finally {
      this.#inTransaction = false
    }
  }

  /** All of `work` or nothing of it, within a transaction that goes on in either case. */
  savepoint(work: () => void): void {
    this.#db.exec('SAVEPOINT part')
    try {
      work()
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK TO part')
      throw error
    } finally {
      if (this.#db.isTransaction) this.#db.exec('RELEASE part')
    }
  }

  /** A transaction that outlives this process, but not yet a loss of power: that is for who can bring it about again. */
  quickTransaction<T>(work: () => T): T {
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.transaction(work)
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL')
    }
  }

  close(): void {
    try {
      this.beforeUse()
    } finally {
      try {
        this.beforeClose()
      } finally {
        this.#statements.clear()
        this.#db.close()
      }
    }
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    // Lists have as many statements as there are ways to filter and sort them; those that are used again come again.
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear()
    this.#statements.set(sql, statement)
    return statement
  }
}
