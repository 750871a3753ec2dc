/** Up to which entry of the journal the tables are: written together with what the entries say. */
import type { Database } from './database.ts'

const TABLE = 'CREATE TABLE IF NOT EXISTS journal_applied (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL) STRICT'
const MARK = 'INSERT INTO journal_applied VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence'

/** Answers the number of the last entry that is in the tables; 0 when there was none yet. */
export function lastApplied(db: Database): number {
  db.migrate(TABLE)
  return db.get<{ sequence: number }>('SELECT sequence FROM journal_applied')?.sequence ?? 0
}

/** Only within the transaction that writes what the entries up to `sequence` say. */
export function markApplied(db: Database, sequence: number): void {
  db.run(MARK, sequence)
}
