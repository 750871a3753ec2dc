/** The room put together: experiments with their runs, and the models that came of them. */
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import type { ArtifactStore } from './artifact.ts'
import { type ExperimentStore, Experiments } from './experiment.ts'
import { type LoggedModelStore, LoggedModels } from './logged-model.ts'
import { type RegisteredModelStore, RegisteredModels } from './registered-model.ts'
import { type RunStore, Runs } from './run.ts'
import type { RunDataStore } from './run-data.ts'
import { type VersionStore, Versions } from './version.ts'

export interface ModelStores {
  readonly experiments: ExperimentStore
  readonly runs: RunStore
  readonly runData: RunDataStore
  readonly loggedModels: LoggedModelStore
  readonly registeredModels: RegisteredModelStore
  readonly versions: VersionStore
}

export interface ModelRegistry {
  readonly experiments: Experiments
  readonly runs: Runs
  readonly loggedModels: LoggedModels
  readonly registeredModels: RegisteredModels
  readonly versions: Versions
  readonly artifacts: ArtifactStore
}

export interface ModelRegistryOptions {
  readonly stores: ModelStores
  readonly artifacts: ArtifactStore
  readonly clock: Clock
  readonly events: Events
}

export function createModelRegistry({ stores, artifacts, clock, events }: ModelRegistryOptions): ModelRegistry {
  const experiments = new Experiments({ store: stores.experiments, clock })
  const runs = new Runs({ store: stores.runs, data: stores.runData, experiments, clock, events })
  const loggedModels = new LoggedModels({ store: stores.loggedModels, experiments, clock })
  const registeredModels = new RegisteredModels({ store: stores.registeredModels, clock })
  const versions = new Versions({ store: stores.versions, registeredModels, loggedModels, runs: stores.runs, clock, events })
  return { experiments, runs, loggedModels, registeredModels, versions, artifacts }
}
