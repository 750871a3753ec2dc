/** The door that MLflow's clients come through: tracking, registry and proxied artifacts, each at both of the prefixes in use. */
import { Hono } from 'hono'
import type { ModelRegistry } from '../../models/registry.ts'
import { createDoor, type Door } from '../door.ts'
import { artifactListRoutes, artifactRoutes } from './artifacts.ts'
import { endpointNotFound, mlflowErrors } from './error.ts'
import { experimentRoutes } from './experiments.ts'
import { loggedModelRoutes } from './logged-models.ts'
import { modelVersionRoutes } from './model-versions.ts'
import { registeredModelRoutes } from './registered-models.ts'
import { runRoutes } from './runs.ts'

/** The version of MLflow whose protocol this door speaks. */
const MLFLOW_VERSION = '3.17.2'

export interface MlflowDoorOptions {
  readonly models: ModelRegistry
  readonly onInternalError?: (error: unknown) => void
}

export function mlflowDoor({ models, onInternalError = console.error }: MlflowDoorOptions): Door {
  const door = createDoor()
  door.onError(mlflowErrors(onInternalError))
  const api: Door = new Hono()
  for (const routes of [experimentRoutes, runRoutes, artifactListRoutes, registeredModelRoutes, modelVersionRoutes, loggedModelRoutes])
    routes(api, models)
  const artifacts: Door = new Hono()
  artifactRoutes(artifacts, models)
  for (const prefix of ['/api', '/ajax-api']) {
    door.route(`${prefix}/2.0/mlflow`, api)
    door.route(`${prefix}/2.0/mlflow-artifacts`, artifacts)
    door.get(`${prefix}/3.0/mlflow/server-info`, (c) => c.json(SERVER_INFO))
    for (const unknown of ['2.0/mlflow', '2.0/mlflow-artifacts', '3.0/mlflow']) door.all(`${prefix}/${unknown}/*`, endpointNotFound)
  }
  door.get('/version', (c) => c.text(MLFLOW_VERSION))
  return door
}

const SERVER_INFO = {
  store_type: 'SqlStore',
  workspaces_enabled: false,
  trace_archival_enabled: false,
  multipart_uploads_enabled: false,
  multipart_downloads_enabled: false,
}
