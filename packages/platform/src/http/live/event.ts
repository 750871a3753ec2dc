/** The live stream of everything that happens. */
import type { Events } from '../../core/events.ts'
import type { Refresh } from '../../refreshes/refresh.ts'
import type { RefreshReader } from '../../refreshes/refresh-log.ts'
import { type Door, permit, streamReader } from '../door.ts'
import { eventStream, type Stream, type StreamOptions } from '../event-stream.ts'

/** So many refreshes are sent as they stand when a stream begins, so that a reader who was away has missed nothing. */
const CURRENT_REFRESHES = 20

export interface EventStreamOptions extends StreamOptions {
  readonly events: Events
  readonly refreshes: RefreshReader
  /** Changes of one refresh that come closer together than this are sent as one. */
  readonly coalesceMs?: number
}

export function eventRoutes(door: Door, options: EventStreamOptions): void {
  door.get('/api/v1/events', permit('events.read'), (c) =>
    eventStream({ ...options, ...streamReader(c, 'events.read') }, (stream) => begin(stream, options)),
  )
}

/** `event: TYPE` for every domain event, and `event: refresh` with the whole of each changed refresh. */
function begin({ send, ended }: Stream, { events, refreshes, clock, coalesceMs = 150 }: EventStreamOptions): void {
  const changed = new Map<string, Refresh>()
  const sendChanged = async () => {
    await clock.sleep(coalesceMs, ended)
    for (const refresh of changed.values()) send('refresh', refresh)
    changed.clear()
  }
  for (const refresh of refreshes.list(CURRENT_REFRESHES).toReversed()) send('refresh', refresh)
  const unsubscribes = [
    events.subscribe((event) => send(event.type, event, event.id)),
    refreshes.subscribe((refresh) => {
      if (changed.size === 0) void sendChanged()
      changed.set(refresh.id, refresh)
    }),
  ]
  ended.addEventListener('abort', () => {
    for (const unsubscribe of unsubscribes) unsubscribe()
  })
}
