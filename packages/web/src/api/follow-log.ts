/** Reads a log to its end and on, while it grows: streamed where the door streams, else by asking for what has been added. */
import type { LogReader } from './platform.ts'
import { PlatformError } from './platform.ts'
import { request } from './request.ts'

const ASK_AGAIN_MS = 1000

export async function followLog(path: string, { onText, isGrowing, signal }: LogReader): Promise<void> {
  let bytes = 0
  let text = ''
  for (;;) {
    const wasGrowing = isGrowing()
    try {
      const response = await request(path, {
        signal,
        headers: { Accept: 'text/plain, application/json;q=0.5', ...(bytes > 0 ? { Range: `bytes=${bytes}-` } : {}) },
      })
      const isAddition = response.status === 206
      if (response.headers.get('content-type')?.includes('json')) onText(wordsOf(await response.json()))
      else {
        const before = isAddition ? text : ''
        if (!isAddition) bytes = 0
        const decoder = new TextDecoder()
        let read = before
        for await (const chunk of chunksOf(response)) {
          bytes += chunk.byteLength
          read += decoder.decode(chunk, { stream: true })
          onText(read)
        }
        text = read
        onText(text)
      }
    } catch (error) {
      if (signal.aborted) return
      // 416: nothing has been added. 404 while it is about to begin: there is no log yet.
      const isPatient = error instanceof PlatformError && (error.status === 416 || (error.status === 404 && wasGrowing))
      if (!isPatient) throw error
    }
    if (!wasGrowing) return
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    if (signal.aborted) return
  }
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) if (part.value) yield part.value
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
