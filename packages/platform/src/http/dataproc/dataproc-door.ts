/** The door of Dataproc's REST API v1: clusters, jobs and operations of a region. */
import type { Clusters } from '../../clusters/clusters.ts'
import type { Jobs } from '../../clusters/jobs.ts'
import { createDoor, type Door, googleErrorBody } from '../door.ts'
import { addClusterRoutes } from './cluster.ts'
import { addJobRoutes } from './job.ts'

export interface DataprocDoorOptions {
  readonly clusters: Clusters
  readonly jobs: Jobs
  readonly onInternalError?: (error: unknown) => void
}

/** Mount it at `/`. */
export function dataprocDoor({ clusters, jobs, onInternalError = console.error }: DataprocDoorOptions): Door {
  const door = createDoor({ errorBody: googleErrorBody, onInternalError })
  addClusterRoutes(door, clusters)
  addJobRoutes(door, jobs)
  return door
}
