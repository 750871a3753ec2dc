/** What goes from one task to the next: JSON of a moderate size. */
import { messageOf } from '../core/app-error.ts'
import { isNestedTooDeeply, MOST_NESTED } from '../core/json.ts'

/** A larger answer does not belong between tasks. */
const MAX_OUTPUT_BYTES = 1024 * 1024

/** `value` as JSON keeps it; throws when it cannot, or when it is too large to be handed on. */
export function toJson(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean' || Number.isFinite(value)) return value
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new Error(`What the task answered cannot be kept as JSON: ${messageOf(error)}. Answer plain data.`)
  }
  if (text === undefined) throw new Error(`What the task answered is a ${typeof value}, which is not JSON. Answer plain data.`)
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_OUTPUT_BYTES) {
    throw new Error(
      `What the task answered is ${bytes} bytes of JSON; at most ${MAX_OUTPUT_BYTES} go between tasks. Write it to a bucket and answer its path.`,
    )
  }
  if (isNestedTooDeeply(text))
    throw new Error(`What the task answered has lists and objects more than ${MOST_NESTED} deep in each other. Answer flatter data.`)
  return JSON.parse(text)
}
