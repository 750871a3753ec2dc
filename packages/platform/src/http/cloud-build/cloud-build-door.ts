/** The door of Cloud Build's REST API v1: builds, triggers, operations, and the live log of a build. */
import { createDoor, type Door, googleErrorBody } from '../door.ts'
import { addBuildRoutes, type BuildRoutesOptions } from './build.ts'
import { addLogRoute, type LogRouteOptions } from './log.ts'
import { addTriggerRoutes, type TriggerRoutesOptions } from './trigger.ts'

export interface CloudBuildDoorOptions extends BuildRoutesOptions, TriggerRoutesOptions, LogRouteOptions {
  readonly onInternalError?: (error: unknown) => void
}

/** Mount it at `/`. Every route answers both with and without `locations/LOCATION`. */
export function cloudBuildDoor({ onInternalError = console.error, ...options }: CloudBuildDoorOptions): Door {
  const door = createDoor({ errorBody: googleErrorBody, onInternalError })
  for (const root of ['/v1/projects/:project', '/v1/projects/:project/locations/:location']) {
    addLogRoute(door, root, options)
    addBuildRoutes(door, root, options)
    addTriggerRoutes(door, root, options)
  }
  return door
}
