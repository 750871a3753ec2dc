/** Experiments, runs and models, behind MLflow's protocol. */
import { FilesystemArtifactStore } from '../adapters/filesystem/artifact.ts'
import { sqliteModelStores } from '../adapters/sqlite/model-stores.ts'
import { mlflowDoor } from '../http/mlflow/mlflow-door.ts'
import { createModelRegistry } from '../models/registry.ts'
import type { Ground, Part } from './part.ts'

export function composeModels({ db, home, clock, events }: Ground): Part {
  const artifacts = new FilesystemArtifactStore({ folder: home.folder('artifacts') })
  const models = createModelRegistry({ stores: sqliteModelStores({ db, clock }), artifacts, clock, events })
  return { doors: [mlflowDoor({ models })] }
}
