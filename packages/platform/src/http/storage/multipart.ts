/** Reads `multipart/related` uploads: a part of JSON facts, then a part of bytes, which are handed on as they arrive. */
import { AppError } from '../../core/app-error.ts'

export interface RelatedParts {
  readonly facts: Record<string, unknown>
  /** The content type that the second part states, if any. */
  readonly contentType: string | null
  readonly content: AsyncIterable<Uint8Array>
}

const MAX_HEAD = 1 << 20

/**
 * `contentType` is that of the request. Boundaries may stand in single quotes and lines may end with LF alone, as gcloud sends them.
 * Throws `invalid` for anything that is not two parts.
 */
export async function readRelated(contentType: string, body: AsyncIterable<Uint8Array>): Promise<RelatedParts> {
  const boundary = /boundary=(?:"([^"]+)"|'([^']+)'|([^;\s]+))/i.exec(contentType)?.slice(1).find(Boolean)
  if (!boundary) throw malformed('its Content-Type names no boundary')
  const source = body[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const { value, done } = await source.next()
    if (!done) buffer = Buffer.concat([buffer, value])
    return !done
  }
  const take = async (end: string): Promise<string> => {
    for (let from = 0; ; ) {
      const at = buffer.indexOf(end, from)
      if (at >= 0) {
        const text = buffer.subarray(0, at).toString('utf8')
        buffer = buffer.subarray(at + end.length)
        return text
      }
      from = Math.max(buffer.length - end.length, 0)
      if (buffer.length > MAX_HEAD || !(await more())) throw malformed(`${JSON.stringify(end)} is missing`)
    }
  }

  await take(`--${boundary}`)
  // What ends the first boundary line ends them all; the delimiter of the bytes depends on it.
  const eol = (await take('\n')).endsWith('\r') ? '\r\n' : '\n'
  const delimiter = `${eol}--${boundary}`
  const readHead = async () => {
    const lines: string[] = []
    for (let line = (await take('\n')).trim(); line !== ''; line = (await take('\n')).trim()) lines.push(line)
    return lines
  }
  await readHead()
  const facts = parseFacts(await take(delimiter))
  await take('\n')
  const type = (await readHead()).find((line) => /^content-type:/i.test(line))

  async function* content(): AsyncIterable<Uint8Array> {
    // The delimiter may be cut in two by a chunk, so the last bytes are held back.
    for (;;) {
      const at = buffer.indexOf(delimiter)
      if (at >= 0) {
        if (at > 0) yield buffer.subarray(0, at)
        return
      }
      const safe = buffer.length - delimiter.length
      if (safe > 0) {
        yield buffer.subarray(0, safe)
        buffer = buffer.subarray(safe)
      }
      if (!(await more())) throw malformed('it ends before its last boundary')
    }
  }
  return { facts, contentType: type ? type.slice(type.indexOf(':') + 1).trim() : null, content: content() }
}

function parseFacts(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text || '{}')
  } catch {
    throw malformed('its first part is not JSON')
  }
}

const malformed = (why: string) =>
  new AppError('invalid', `The multipart upload cannot be read: ${why}. Send the facts as JSON, then the bytes.`)
