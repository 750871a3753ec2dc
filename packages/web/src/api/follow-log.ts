/** Reads a log to its end and on, while it grows: streamed where the door streams, else by asking for what has been added. */
import type { LogReader } from './platform.ts'
import { PlatformError } from './platform.ts'
import { request } from './request.ts'

const ASK_AGAIN_MS = 1000

/** A path with `follow=true` is streamed to the end of the work by the door itself; others are asked again while they grow. */
export async function followLog(path: string, { onText, isGrowing, signal }: LogReader): Promise<void> {
  const isFollowed = path.includes('follow=true')
  let known = new Uint8Array()
  for (;;) {
    const wasGrowing = isGrowing()
    try {
      const response = await request(path, { signal, headers: headersFor(isFollowed ? 0 : known.byteLength) })
      if (response.headers.get('content-type')?.includes('json')) onText(wordsOf(await response.json()))
      else {
        if (response.status !== 206) known = new Uint8Array()
        for await (const chunk of chunksOf(response)) {
          known = joined(known, chunk)
          onText(new TextDecoder().decode(known))
        }
      }
      if (isFollowed) return
    } catch (error) {
      if (signal.aborted) return
      if (!hasNothingNew(error) && !(wasGrowing && isWorthWaiting(error))) throw error
    }
    if (!wasGrowing) return
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    if (signal.aborted) return
  }
}

const headersFor = (bytes: number): HeadersInit => ({
  Accept: 'text/plain, application/json;q=0.5',
  ...(bytes > 0 ? { Range: `bytes=${bytes}-` } : {}),
})

/** 416: what was asked for begins behind the end. */
const hasNothingNew = (error: unknown): boolean => error instanceof PlatformError && error.status === 416

/** 404: there is no log yet. Anything that is no answer at all: the connection was lost. */
const isWorthWaiting = (error: unknown): boolean => !(error instanceof PlatformError) || error.status === 404 || error.status === 0

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) yield part.value
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(before.byteLength + after.byteLength)
  both.set(before)
  both.set(after, before.byteLength)
  return both
}

/** Airflow's JSON logs: `content` is a text, or a list of texts, of `[host, text]`, or of `{timestamp, event}`. */
function wordsOf(body: { content?: unknown }): string {
  if (typeof body.content === 'string') return body.content
  if (!Array.isArray(body.content)) return ''
  return body.content.map(lineOf).join('\n')
}

function lineOf(line: unknown): string {
  if (typeof line === 'string') return line
  if (Array.isArray(line)) return String(line.at(-1))
  const { timestamp, level, event } = line as { timestamp?: string; level?: string; event?: string }
  return [timestamp, level?.toUpperCase(), event].filter(Boolean).join(' ')
}
