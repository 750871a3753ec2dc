/** The door of Cloud Storage's JSON API. */
import type { Buckets } from '../../buckets/bucket.ts'
import type { Storage, VirtualObjects } from '../../buckets/storage.ts'
import type { Uploads } from '../../buckets/upload.ts'
import { AppError } from '../../core/app-error.ts'
import { createDoor, type Door, googleErrorBody } from '../door.ts'
import { addBucketRoutes } from './bucket.ts'
import { addObjectRoutes } from './object.ts'
import { addUploadRoutes } from './upload.ts'

export interface StorageDoorOptions {
  /** Whose buckets are listed when a request names no project. */
  readonly project: string
  readonly buckets: Buckets
  readonly storage: Storage
  readonly uploads: Uploads
  /** Asked first for every object that is read: a build log that still grows is a file, not yet an object. */
  readonly virtualObjects?: VirtualObjects
  readonly onInternalError?: (error: unknown) => void
}

/** Mount it at `/`. */
export function storageDoor({
  project,
  buckets,
  storage,
  uploads,
  virtualObjects = () => null,
  onInternalError = console.error,
}: StorageDoorOptions): Door {
  const door = createDoor({ errorBody: googleErrorBody, statusOf, onInternalError })
  // Google's Node client leaves "/storage/v1" out when STORAGE_EMULATOR_HOST is set, so the bare root answers as well.
  for (const root of ['/storage/v1', '']) addBucketRoutes(door, root, { buckets, project })
  for (const root of ['/storage/v1', '/download/storage/v1', '']) addObjectRoutes(door, root, { storage, virtualObjects })
  addUploadRoutes(door, { storage, uploads })
  return door
}

const REASONS: readonly unknown[] = ['conditionNotMet', 'notModified']

const statusOf = (error: unknown) => (error instanceof AppError && REASONS.includes(error.facts.reason) ? 412 : null)
