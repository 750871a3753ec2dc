/** Build triggers in SQLite. */
import type { Trigger, TriggerStore } from '../../builds/trigger.ts'
import { AppError } from '../../core/app-error.ts'
import type { Database } from './database.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS build_trigger (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (project_id, name)
) STRICT`

export class SqliteTriggerStore implements TriggerStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(projectId: string, idOrName: string): Promise<Trigger | null> {
    const row = this.#db.get<TriggerRow>(
      'SELECT body FROM build_trigger WHERE project_id = ? AND (id = ? OR name = ?)',
      projectId,
      idOrName,
      idOrName,
    )
    return row ? (JSON.parse(row.body) as Trigger) : null
  }

  async list(projectId: string): Promise<Trigger[]> {
    return this.#db
      .all<TriggerRow>('SELECT body FROM build_trigger WHERE project_id = ? ORDER BY name', projectId)
      .map(({ body }) => JSON.parse(body) as Trigger)
  }

  async create(trigger: Trigger): Promise<void> {
    this.#refuseTakenName(trigger)
    this.#db.run('INSERT INTO build_trigger VALUES (?, ?, ?, ?)', trigger.id, trigger.projectId, trigger.name, JSON.stringify(trigger))
  }

  async update(trigger: Trigger): Promise<void> {
    this.#refuseTakenName(trigger)
    this.#db.run('UPDATE build_trigger SET name = ?, body = ? WHERE id = ?', trigger.name, JSON.stringify(trigger), trigger.id)
  }

  async delete(id: string): Promise<void> {
    this.#db.run('DELETE FROM build_trigger WHERE id = ?', id)
  }

  #refuseTakenName({ id, projectId, name }: Trigger): void {
    if (this.#db.get('SELECT 1 FROM build_trigger WHERE project_id = ? AND name = ? AND id <> ?', projectId, name, id))
      throw new AppError(
        'conflict',
        `There is a trigger "${name}" in project "${projectId}" already. Choose another name, or change that one.`,
      )
  }
}

interface TriggerRow {
  body: string
}
