/** Reads the bodies of requests that are kept in memory, and gives up as soon as one is larger than it may be. */
import { AppError } from '../core/app-error.ts'
import { parseJson } from '../core/json.ts'

/** Enough for every document that these protocols send; files go to buckets, artifacts and the registry, which keep none in memory. */
const MAX_BYTES = 4 * 1024 * 1024

/** The body as text. Throws `invalid` when it has more than `maxBytes`. */
export async function readText(request: Request, maxBytes = MAX_BYTES): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new AppError('invalid', `The body has more than ${maxBytes} bytes. Send it in several smaller ones.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The JSON object in the body; an empty body counts as `{}`. Throws `invalid` for anything else. */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  const text = await readText(request)
  let cause: unknown
  try {
    const value: unknown = text.trim() === '' ? {} : parseJson(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    if (error instanceof AppError) throw error
    cause = error
  }
  throw new AppError('invalid', 'The body of this request is not a JSON object. Send one with Content-Type: application/json.', { cause })
}
