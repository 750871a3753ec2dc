/** The door of those who watch: refreshes as documents, and everything that happens as a stream. */
import { createDoor, type Door, type DoorOptions } from '../door.ts'
import { type EventStreamOptions, eventRoutes } from './event.ts'
import { refreshRoutes } from './refresh.ts'

export function liveDoor({ onInternalError, ...options }: EventStreamOptions & Pick<DoorOptions, 'onInternalError'>): Door {
  const door = createDoor(onInternalError ? { onInternalError } : {})
  refreshRoutes(door, options.refreshes)
  eventRoutes(door, options)
  return door
}
