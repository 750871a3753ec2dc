/** The live stream: server-sent events for whoever is watching, a browser or `curl -N`. */
import type { Clock } from '../../core/clock.ts'
import type { DomainEvent, Events } from '../../core/events.ts'
import type { Refresh } from '../../refreshes/refresh.ts'
import type { RefreshReader } from '../../refreshes/refresh-log.ts'
import { type Door, permit } from '../door.ts'

/** So many refreshes are sent as they stand when a stream begins, so that a reader who was away has missed nothing. */
const CURRENT_REFRESHES = 20
/** A reader who is this many messages behind is let go; it comes back and gets the current state instead. */
const LONGEST_BACKLOG = 2000

export interface EventStreamOptions {
  readonly events: Events
  readonly refreshes: RefreshReader
  readonly clock: Clock
  /** Ends all streams: the platform is stopping. */
  readonly signal?: AbortSignal
  readonly heartbeatMs?: number
  /** Changes of one refresh that come closer together than this are sent as one. */
  readonly coalesceMs?: number
}

export function eventRoutes(door: Door, options: EventStreamOptions): void {
  door.get('/api/v1/events', permit('events.read'), () => {
    const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
    return new Response(eventStream(options), { headers })
  })
}

/** `event: TYPE` for every domain event, and `event: refresh` with the whole of each changed refresh. */
function eventStream({
  events,
  refreshes,
  clock,
  signal,
  heartbeatMs = 15_000,
  coalesceMs = 150,
}: EventStreamOptions): ReadableStream<Uint8Array> {
  const ended = new AbortController()
  const encoder = new TextEncoder()
  const changed = new Map<string, Refresh>()

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          if (ended.signal.aborted) return
          ended.abort()
          controller.close()
        }
        const send = (text: string) => {
          if (ended.signal.aborted) return
          if ((controller.desiredSize ?? 0) < -LONGEST_BACKLOG) end()
          else controller.enqueue(encoder.encode(text))
        }
        const sendChanged = async () => {
          await clock.sleep(coalesceMs, ended.signal)
          for (const refresh of changed.values()) send(message('refresh', refresh))
          changed.clear()
        }

        send('retry: 1000\n\n')
        for (const refresh of refreshes.list(CURRENT_REFRESHES).toReversed()) send(message('refresh', refresh))
        const unsubscribes = [
          events.subscribe((event) => send(message(event.type, event, event.id))),
          refreshes.subscribe((refresh) => {
            if (changed.size === 0) void sendChanged()
            changed.set(refresh.id, refresh)
          }),
        ]
        ended.signal.addEventListener('abort', () => {
          for (const unsubscribe of unsubscribes) unsubscribe()
        })
        signal?.addEventListener('abort', end, { signal: ended.signal })
        if (signal?.aborted) end()
        void keepAlive(clock, heartbeatMs, ended.signal, () => send(': still here\n\n'))
      },
      cancel: () => ended.abort(),
    },
    { highWaterMark: 64 },
  )
}

const message = (type: string, data: Refresh | DomainEvent, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`

async function keepAlive(clock: Clock, everyMs: number, signal: AbortSignal, beat: () => void): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal)
    beat()
  }
}
