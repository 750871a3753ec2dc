/** Cancellations of waits that have not come to their end, in SQLite. */
import type { Cancellation, CancellationStore, PendingCancellation } from '../../scheduling/cancellation.ts'
import { rotated } from '../../secrets/fernet.ts'
import type { Database } from './database.ts'
import type { SqliteTaskInstanceStore } from './task-instance.ts'

export class SqliteCancellationStore implements CancellationStore {
  #db: Database
  #instances: SqliteTaskInstanceStore

  /** `instances` knows how what triggers are given is encrypted. */
  constructor(db: Database, instances: SqliteTaskInstanceStore) {
    this.#db = db
    this.#instances = instances
    db.migrate('CREATE TABLE IF NOT EXISTS cancellation (id TEXT NOT NULL UNIQUE, attempt TEXT NOT NULL, deferral TEXT NOT NULL) STRICT')
  }

  async listPending(): Promise<PendingCancellation[]> {
    const rows = this.#db.all<{ id: string; attempt: string; deferral: string }>('SELECT * FROM cancellation ORDER BY rowid')
    return rows.flatMap(({ id, attempt, deferral }) => {
      const { wait, event } = this.#instances.opened(deferral)
      // What no key can read any more cannot be cancelled.
      return wait.kind === 'trigger' && event === null ? [{ id, attempt: JSON.parse(attempt), wait }] : []
    })
  }

  /** Encrypts anew what is kept. Adds those that no key can read to `problems`; answers how many there are. */
  rotate(problems: string[]): number {
    const rows = this.#db.all<{ id: string; deferral: string }>('SELECT id, deferral FROM cancellation')
    for (const { id, deferral } of rows)
      rotated(problems, `cancellation ${id}`, () => {
        this.#db.run('UPDATE cancellation SET deferral = ? WHERE id = ?', this.#instances.resealed(deferral), id)
      })
    return rows.length
  }

  /** Only within the commit of a turn. */
  put({ id, attempt: { dag: _dag, task: _task, ...attempt }, wait }: Cancellation): void {
    const deferral = this.#instances.sealed({ wait, timeoutAt: null, event: null })
    this.#db.run('INSERT OR REPLACE INTO cancellation VALUES (?, ?, ?)', id, JSON.stringify(attempt), deferral)
  }

  remove(id: string): void {
    this.#db.run('DELETE FROM cancellation WHERE id = ?', id)
  }
}
