/** A store of DAG runs whose commits fail now and then: before anything is kept, or after all of it is, while the caller hears of a failure. */
import { SqliteDagRunStore } from '../../src/adapters/sqlite/dag-run.ts'
import type { Database } from '../../src/adapters/sqlite/database.ts'
import type { Changes } from '../../src/scheduling/dag-run.ts'
import type { Random } from './seeded.ts'

export class FaultyDagRunStore extends SqliteDagRunStore {
  /** How likely each kind of fault is. */
  faults = { lost: 0, unheard: 0 }
  readonly #random: Random

  constructor(db: Database, random: Random) {
    super(db)
    this.#random = random
  }

  override async record(changes: Changes): Promise<void> {
    if (this.#random.chance(this.faults.lost)) throw new InjectedFault('nothing was kept')
    await super.record(changes)
    if (this.#random.chance(this.faults.unheard)) throw new InjectedFault('all was kept, but the answer was lost')
  }
}

export class InjectedFault extends Error {
  override readonly name = 'InjectedFault'
}
