/** Server-sent events: streams for whoever watches, a browser or `curl -N`. */
import type { Clock } from '../core/clock.ts'

/** A reader who is this many messages behind is let go; it comes back and gets the current state instead. */
const LONGEST_BACKLOG = 2000

export interface StreamOptions {
  readonly clock: Clock
  /** Ends all streams: the platform is stopping. */
  readonly signal?: AbortSignal | undefined
  readonly heartbeatMs?: number | undefined
}

export interface Stream {
  /** `id` comes back as Last-Event-ID when the reader has lost the connection. */
  send(type: string, data: unknown, id?: number): void
  end(): void
  /** Aborts when nobody reads any more. */
  readonly ended: AbortSignal
}

/** The answer to a request; `begin` sends what there is to send, now and later, until the stream has ended. */
export function eventStream({ clock, signal, heartbeatMs = 15_000 }: StreamOptions, begin: (stream: Stream) => void): Response {
  const over = new AbortController()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          if (over.signal.aborted) return
          over.abort()
          controller.close()
        }
        const write = (text: string) => {
          if (over.signal.aborted) return
          if ((controller.desiredSize ?? 0) < -LONGEST_BACKLOG) end()
          else controller.enqueue(encoder.encode(text))
        }
        write('retry: 1000\n\n')
        signal?.addEventListener('abort', end, { signal: over.signal })
        if (signal?.aborted) return end()
        begin({
          send: (type, data, id) => write(`${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`),
          end,
          ended: over.signal,
        })
        void keepAlive(clock, heartbeatMs, over.signal, () => write(': still here\n\n'))
      },
      cancel: () => over.abort(),
    },
    { highWaterMark: 64 },
  )
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  })
}

async function keepAlive(clock: Clock, everyMs: number, signal: AbortSignal, beat: () => void): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal)
    beat()
  }
}
