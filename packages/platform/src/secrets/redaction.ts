/** Fields whose names tell of a secret: hidden when they are shown, found when they are learned, and put back when the mask is sent back. */
import { isSensitiveName } from './sensitive-name.ts'

export const MASK = '***'
/** What is shown when something cannot be looked through: nothing of it. */
export const REDACTION_FAILED = '<redaction-failed>'

/**
 * `value` with `***` for every text and number under a sensitive name, at any depth; its lists and fields stay, so that `merge` can put back what
 * was hidden. `name` is the name that `value` itself has. Shows nothing, rather than too much, of what cannot be looked through.
 */
export function maskFields(value: unknown, name = ''): unknown {
  return guarded(() => hidden(value, isSensitiveName(name)))
}

/** The same for a text that may be JSON: a text that is none is hidden when its own name is sensitive. */
export function maskText(text: string, name = ''): string {
  return guarded(() => {
    const fields = fieldsIn(text)
    if (fields === null) return isSensitiveName(name) ? MASK : text
    const masked = maskFields(fields, name)
    if (masked === REDACTION_FAILED) return REDACTION_FAILED
    const shown = JSON.stringify(masked)
    // Where nothing is hidden, the text stays as it was written.
    return shown === JSON.stringify(fields) ? text : shown
  })
}

/**
 * Every text in `value` that stands under a sensitive name, at any depth. What a sensitive name holds is told by the names inside of it, as in
 * Airflow: of `keyfile_dict` the `private_key` is a secret and the `type` is not.
 */
export function sensitiveTexts(value: unknown, name = ''): string[] {
  if (typeof value === 'string') return isSensitiveName(name) ? [value] : []
  if (Array.isArray(value)) return value.flatMap((item) => sensitiveTexts(item, name))
  return isFields(value) ? Object.entries(value).flatMap(([key, field]) => sensitiveTexts(field, key)) : []
}

/** The same of a text that may be JSON; under a sensitive name it is a secret as a whole, too. */
export function sensitiveTextsIn(text: string, name = ''): string[] {
  const fields = fieldsIn(text)
  return [...(isSensitiveName(name) ? [text] : []), ...(fields === null ? [] : sensitiveTexts(fields, name))]
}

/** What a client sends back, with the old secret wherever it left the mask under a sensitive name. What is gone, or new, is as the client says. */
export function merge(given: unknown, old: unknown, name = '', isSensitive = isSensitiveName(name)): unknown {
  if (given === MASK) return isSensitive && old !== undefined ? old : given
  if (Array.isArray(given) && Array.isArray(old))
    return given.map((item, index) => (index < old.length ? merge(item, old[index], '', isSensitive) : item))
  if (!isFields(given) || !isFields(old)) return given
  return Object.fromEntries(
    Object.entries(given).map(([key, field]) => [
      key,
      Object.hasOwn(old, key) ? merge(field, old[key], key, isSensitive || isSensitiveName(key)) : field,
    ]),
  )
}

/** The same of texts that may be JSON. */
export function mergeText(given: string, old: string, name = ''): string {
  if (!given.includes(MASK)) return given
  const [fields, oldFields] = [fieldsIn(given), fieldsIn(old)]
  if (fields === null || oldFields === null) return given === MASK && isSensitiveName(name) ? old : given
  return JSON.stringify(merge(fields, oldFields, name))
}

/** What `work` answers; when it fails, that it has. */
export function guarded<T>(work: () => T): T | typeof REDACTION_FAILED {
  try {
    return work()
  } catch {
    return REDACTION_FAILED
  }
}

/** Empty texts, null and truths tell nothing and stay. */
function hidden(value: unknown, isHidden: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => hidden(item, isHidden))
  if (isFields(value))
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, hidden(field, isHidden || isSensitiveName(key))]))
  const tells = typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && value !== '')
  return isHidden && tells ? MASK : value
}

const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function fieldsIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
