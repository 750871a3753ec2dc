/** Callbacks that are still to be called, in SQLite. */
import type { CallbackStore, PendingCall } from '../../scheduling/callback.ts'
import type { CallbackCall } from '../../scheduling/task-runner.ts'
import type { Database } from './database.ts'

export class SqliteCallbackStore implements CallbackStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate('CREATE TABLE IF NOT EXISTS callback (id TEXT NOT NULL UNIQUE, call TEXT NOT NULL) STRICT')
  }

  async listPending(): Promise<PendingCall[]> {
    return this.#db.all<{ call: string }>('SELECT call FROM callback ORDER BY rowid').map(({ call }) => JSON.parse(call) as PendingCall)
  }

  /** Only within the commit of a turn. */
  put({ attempt, ...call }: CallbackCall): void {
    const kept: PendingCall = { ...call, attempt: attempt && withoutDocuments(attempt) }
    this.#db.run('INSERT OR REPLACE INTO callback VALUES (?, ?)', call.id, JSON.stringify(kept))
  }

  remove(id: string): void {
    this.#db.run('DELETE FROM callback WHERE id = ?', id)
  }
}

function withoutDocuments({ dag: _dag, task: _task, ...attempt }: NonNullable<CallbackCall['attempt']>): PendingCall['attempt'] {
  return attempt
}
