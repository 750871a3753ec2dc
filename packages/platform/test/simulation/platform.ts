/** A platform that can be ended at any moment, and begun again with what was durable. */
import { SqliteBackfillStore } from '../../src/adapters/sqlite/backfill.ts'
import { SqliteCallbackStore } from '../../src/adapters/sqlite/callback.ts'
import { SqliteCancellationStore } from '../../src/adapters/sqlite/cancellation.ts'
import { Database } from '../../src/adapters/sqlite/database.ts'
import { SqlitePoolStore } from '../../src/adapters/sqlite/pool.ts'
import { SqliteTaskInstanceStore } from '../../src/adapters/sqlite/task-instance.ts'
import { SqliteXComStore } from '../../src/adapters/sqlite/xcom.ts'
import type { ManualClock } from '../../src/core/clock.ts'
import { Events } from '../../src/core/events.ts'
import { Scheduler } from '../../src/scheduling/scheduler.ts'
import { type Faults, FaultyDagStore, type NewRunStore } from './faulty-store.ts'
import type { SimulatedRunner } from './simulated-runner.ts'

export const PARALLELISM = 6

/** Where a history takes place: in memory, or in files. */
export interface Place {
  /** Path of the tables; `:memory:` for those that outlive the end of a platform within this process. */
  readonly file: string
  readonly newRuns: NewRunStore
}

export type Platform = ReturnType<typeof openPlatform>

export function openPlatform(
  { newRuns }: Place,
  db: MortalDatabase,
  { clock, runner, faults }: { clock: ManualClock; runner: SimulatedRunner; faults: Faults },
) {
  const instances = new SqliteTaskInstanceStore(db)
  const stores = {
    dags: new FaultyDagStore(db, faults),
    instances,
    runs: newRuns(db, instances, faults),
    pools: new SqlitePoolStore(db),
    backfills: new SqliteBackfillStore(db),
    callbacks: new SqliteCallbackStore(db),
    cancellations: new SqliteCancellationStore(db, instances),
  }
  const limits = { parallelism: PARALLELISM }
  const scheduler = new Scheduler({ ...stores, runner: runner.ofNewPlatform(), clock, events: new Events(clock), limits })
  return { ...stores, xcoms: new SqliteXComStore(db), scheduler, db }
}

/** A store whose process ends: from then on nothing of what it had in mind comes to the tables. */
export class MortalDatabase extends Database {
  #isDead = false

  die(): void {
    this.#isDead = true
    this.beforeUse = () => {}
    super.close()
  }

  override transaction<T>(work: () => T): T {
    return this.#isDead ? (undefined as T) : super.transaction(work)
  }
}
