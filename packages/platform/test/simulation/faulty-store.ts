/** Stores of DAG runs whose commits fail now and then: before anything is kept, or after all of it is, while the caller hears of a failure. */
import { SqliteDagRunStore } from '../../src/adapters/sqlite/dag-run.ts'
import type { Database } from '../../src/adapters/sqlite/database.ts'
import { Journal } from '../../src/adapters/sqlite/journal.ts'
import { JournaledDagRunStore } from '../../src/adapters/sqlite/journaled-dag-run.ts'
import type { SqliteTaskInstanceStore } from '../../src/adapters/sqlite/task-instance.ts'
import { AppError } from '../../src/core/app-error.ts'
import type { Changes, DagRunStore } from '../../src/scheduling/dag-run.ts'
import type { Random } from './seeded.ts'

/** How likely each kind of fault is. */
export class Faults {
  lost = 0
  unheard = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  async around<T>(work: () => Promise<T>): Promise<T> {
    if (this.#random.chance(this.lost)) throw new InjectedFault('nothing was kept')
    const result = await work()
    if (this.#random.chance(this.unheard)) throw new InjectedFault('all was kept, but the answer was lost')
    return result
  }
}

export class InjectedFault extends AppError {
  constructor(message: string) {
    super('unavailable', message)
    this.name = 'InjectedFault'
  }
}

export type NewRunStore = (db: Database, instances: SqliteTaskInstanceStore, faults: Faults) => DagRunStore

export const plainStore: NewRunStore = (db, instances, faults) => new FaultyDagRunStore(db, instances, faults)

export const journaledStore =
  (journalFile: string): NewRunStore =>
  (db, instances, faults) =>
    new FaultyJournaledStore(db, instances, new FaultyJournal(journalFile, faults), faults)

class FaultyDagRunStore extends SqliteDagRunStore {
  readonly #faults: Faults

  constructor(db: Database, instances: SqliteTaskInstanceStore, faults: Faults) {
    super(db, instances)
    this.#faults = faults
  }

  override record(changes: Changes): Promise<void> {
    return this.#faults.around(() => super.record(changes))
  }
}

class FaultyJournaledStore extends JournaledDagRunStore {
  readonly #faults: Faults

  constructor(db: Database, instances: SqliteTaskInstanceStore, journal: Journal, faults: Faults) {
    super(db, instances, journal)
    this.#faults = faults
  }

  override record(changes: Changes): Promise<void> {
    return this.#faults.around(() => super.record(changes))
  }
}

/** Small, so that it is full now and then. */
const JOURNAL_BYTES = 64 * 1024

class FaultyJournal extends Journal {
  readonly #faults: Faults

  constructor(path: string, faults: Faults) {
    super(path, JOURNAL_BYTES)
    this.#faults = faults
  }

  override append(text: string): Promise<number> {
    return this.#faults.around(() => super.append(text))
  }
}
