/** All stores of the models room in SQLite, made in the order in which their tables need each other. */
import type { Clock } from '../../core/clock.ts'
import type { ModelStores } from '../../models/registry.ts'
import type { Database } from './database.ts'
import { SqliteExperimentStore } from './experiment.ts'
import { SqliteLoggedModelStore } from './logged-model.ts'
import { SqliteRegisteredModelStore } from './registered-model.ts'
import { SqliteRunStore } from './run.ts'
import { SqliteRunDataStore } from './run-data.ts'
import { SqliteVersionStore } from './version.ts'

export function sqliteModelStores({ db, clock }: { readonly db: Database; readonly clock: Clock }): ModelStores {
  const experiments = new SqliteExperimentStore(db, clock.now().getTime())
  const runs = new SqliteRunStore(db)
  const runData = new SqliteRunDataStore(db)
  const loggedModels = new SqliteLoggedModelStore(db)
  const registeredModels = new SqliteRegisteredModelStore(db)
  const versions = new SqliteVersionStore(db)
  return { experiments, runs, runData, loggedModels, registeredModels, versions }
}
