/**
 * Stores of DAG runs whose commits fail now and then: before anything is kept, or after all of it is, while the caller hears of a failure.
 * And DAGs with documents that throw now and then where they are read, as if there were a mistake in what follows them.
 */
import type { DagDocument } from '@daggerboard/dag'
import { SqliteDagStore } from '../../src/adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../../src/adapters/sqlite/dag-run.ts'
import type { Database } from '../../src/adapters/sqlite/database.ts'
import { Journal } from '../../src/adapters/sqlite/journal.ts'
import { JournaledDagRunStore } from '../../src/adapters/sqlite/journaled-dag-run.ts'
import { TableWriter } from '../../src/adapters/sqlite/table-writer.ts'
import type { SqliteTaskInstanceStore } from '../../src/adapters/sqlite/task-instance.ts'
import { AppError } from '../../src/core/app-error.ts'
import type { Changes, DagRunStore } from '../../src/scheduling/dag-run.ts'
import type { Random } from './seeded.ts'

/** How likely each kind of fault is. */
export class Faults {
  lost = 0
  unheard = 0
  /** How likely the reading of a fact of a document throws. */
  bug = 0
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

  /** What looks at documents from outside. */
  without<T>(work: () => T): T {
    const { bug } = this
    this.bug = 0
    try {
      return work()
    } finally {
      this.bug = bug
    }
  }

  throwNowAndThen(fact: string): void {
    if (this.bug > 0 && this.#random.chance(this.bug)) throw new InjectedBug(`"${fact}" cannot be read`)
  }
}

export class InjectedBug extends Error {}

export class InjectedFault extends AppError {
  constructor(message: string) {
    super('unavailable', message)
    this.name = 'InjectedFault'
  }
}

export type NewRunStore = (db: Database, instances: SqliteTaskInstanceStore, faults: Faults) => DagRunStore

export const plainStore: NewRunStore = (db, instances, faults) => new FaultyDagRunStore(db, instances, faults)

/** With `hasWriter` a thread brings nearly everything to the tables. */
export const journaledStore =
  (journalFile: string, hasWriter: boolean): NewRunStore =>
  (db, instances, faults) =>
    new FaultyJournaledStore(db, instances, new FaultyJournal(journalFile, faults), faults, hasWriter ? new TableWriter(db.path) : null)

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

  constructor(db: Database, instances: SqliteTaskInstanceStore, journal: Journal, faults: Faults, writer: TableWriter | null) {
    super(db, instances, journal, writer ? { writer, many: 2 } : {})
    writer?.startNow()
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

/** What runs, slots and the beginnings of tasks depend on. */
const FACTS: ReadonlySet<string | symbol> = new Set(['pool', 'maxActiveTasks', 'maxActiveRuns', 'runTimeoutSeconds', 'endDate'])

export class FaultyDagStore extends SqliteDagStore {
  readonly #faults: Faults
  readonly #faulty = new WeakMap<DagDocument, DagDocument>()

  constructor(db: Database, faults: Faults) {
    super(db)
    this.#faults = faults
  }

  override async list(options?: { readonly includeStale?: boolean }) {
    return (await super.list(options)).map((record) => ({ ...record, document: this.#of(record.document) }))
  }

  override async find(dagId: string) {
    const found = await super.find(dagId)
    return found && { ...found, document: this.#of(found.document) }
  }

  #of(document: DagDocument): DagDocument {
    let made = this.#faulty.get(document)
    if (!made) {
      made = this.#proxy({ ...document, tasks: document.tasks.map((task) => this.#proxy(task)) })
      this.#faulty.set(document, made)
    }
    return made
  }

  #proxy<T extends object>(one: T): T {
    return new Proxy(one, {
      get: (target, name) => {
        if (FACTS.has(name)) this.#faults.throwNowAndThen(String(name))
        return Reflect.get(target, name)
      },
    })
  }
}
