/** Hides secrets in what the platform keeps of a try: its details and rendered fields, not its output, which other tasks need as it is. */
import { MOST_NESTED } from '../../core/json.ts'
import type { TaskOutcome } from '../../execution/task-outcome.ts'
import { maskFields, REDACTION_FAILED } from '../../secrets/masking.ts'

export function masked(outcome: TaskOutcome, mask: (text: string) => string): TaskOutcome {
  const renderedFields = outcome.renderedFields === null ? null : maskedValue(outcome.renderedFields, mask)
  if (outcome.state === 'success') return { ...outcome, renderedFields, ...(outcome.mapLabel && { mapLabel: mask(outcome.mapLabel) }) }
  if (outcome.state === 'deferred' && outcome.wait.kind === 'input') {
    const { subject, body } = outcome.wait.request
    const request = { ...outcome.wait.request, subject: mask(subject), body: body === null ? null : mask(body) }
    return { ...outcome, renderedFields, wait: { kind: 'input', request } }
  }
  return 'detail' in outcome ? { ...outcome, renderedFields, detail: mask(outcome.detail) } : { ...outcome, renderedFields }
}

/** `value` as it may be shown: without fields under sensitive names, and with `mask` over all of its texts. */
export const maskedValue = (value: unknown, mask: (text: string) => string): unknown => maskDeep(maskFields(value), mask)

function maskDeep(value: unknown, mask: (text: string) => string, depth = 0): unknown {
  if (depth > MOST_NESTED) return REDACTION_FAILED
  if (typeof value === 'string') return mask(value)
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask, depth + 1))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskDeep(item, mask, depth + 1)]))
}
