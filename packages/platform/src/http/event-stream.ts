/** Server-sent events: streams for whoever watches, a browser or `curl -N`. */
import { AppError } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'

/** What a message takes in memory beside its text, about. */
const MESSAGE_BYTES = 256
/** So much waits for a reader, in bytes, before {@link Stream.room} has its caller wait. */
const ROOM_BYTES = 256 * 1024
/** A reader for whom more than this waits is let go; it comes back and gets the current state instead. */
const LONGEST_BACKLOG_BYTES = 8 * 1024 * 1024
/** How many streams one person may have at the same time: each costs something with every change. */
export const MOST_STREAMS = 100

export interface StreamOptions {
  readonly clock: Clock
  /** Ends all streams: the platform is stopping. */
  readonly signal?: AbortSignal | undefined
  readonly heartbeatMs?: number | undefined
}

export interface StreamReader {
  /** The subject that reads. */
  readonly reader: string
  /** Asked with each heartbeat: the stream of whoever may read no longer ends. */
  readonly mayRead?: () => Promise<boolean>
}

export interface Stream {
  /** `id` comes back as Last-Event-ID when the reader has lost the connection. */
  send(type: string, data: unknown, id?: number): void
  /** Resolves when the reader has taken most of what was sent, or the stream has ended: whoever has much to send waits for it. */
  room(): Promise<void>
  end(): void
  /** Aborts when nobody reads any more. */
  readonly ended: AbortSignal
}

const open = new Map<string, number>()

/**
 * The answer to a request; `begin` sends what there is to send, now and later, until the stream has ended. Throws `unavailable` when the reader
 * has too many streams.
 */
export function eventStream(
  { clock, signal, heartbeatMs = 15_000, reader, mayRead = async () => true }: StreamOptions & StreamReader,
  begin: (stream: Stream) => void,
): Response {
  const over = new AbortController()
  const encoder = new TextEncoder()
  count(reader, over.signal)
  const waiting: (() => void)[] = []
  const taken = () => {
    for (const goOn of waiting.splice(0)) goOn()
  }
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
          if ((controller.desiredSize ?? 0) < -LONGEST_BACKLOG_BYTES) end()
          else controller.enqueue(encoder.encode(text))
        }
        const room = async () => {
          while (!over.signal.aborted && (controller.desiredSize ?? 0) <= 0) await new Promise<void>((resolve) => waiting.push(resolve))
        }
        over.signal.addEventListener('abort', () => taken())
        write('retry: 1000\n\n')
        signal?.addEventListener('abort', end, { signal: over.signal })
        if (signal?.aborted) return end()
        begin({
          send: (type, data, id) => write(`${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`),
          room,
          end,
          ended: over.signal,
        })
        void keepAlive(clock, heartbeatMs, over.signal, async () => ((await mayRead()) ? write(': still here\n\n') : end()))
      },
      pull: () => taken(),
      cancel: () => over.abort(),
    },
    { highWaterMark: ROOM_BYTES, size: ({ byteLength }) => byteLength + MESSAGE_BYTES },
  )
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  })
}

function count(reader: string, ended: AbortSignal): void {
  const others = open.get(reader) ?? 0
  if (others >= MOST_STREAMS)
    throw new AppError('unavailable', `${reader} has ${others} live streams open, and may have no more. Close some of them.`)
  open.set(reader, others + 1)
  ended.addEventListener('abort', () => {
    const left = (open.get(reader) ?? 1) - 1
    if (left === 0) open.delete(reader)
    else open.set(reader, left)
  })
}

async function keepAlive(clock: Clock, everyMs: number, signal: AbortSignal, beat: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal)
    if (!signal.aborted) await beat()
  }
}
