/** The one error type that leaves a room on purpose: a code for machines, a sentence for people, facts for both. */

export type ErrorCode = 'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'unavailable' | 'internal'

export interface ErrorFacts {
  /** Every single thing that is wrong, when there may be several; the message is then their heading. */
  readonly problems?: readonly string[]
  readonly cause?: unknown
  readonly [fact: string]: unknown
}

/**
 * Something a caller should know about. The message says what cannot be done, which one, because of what, and what to do.
 * Anything else that is thrown is `internal`: logged for the operator, never shown to a stranger.
 */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = 'AppError'
    this.code = code
    this.facts = facts
  }

  get problems(): readonly string[] {
    return this.facts.problems ?? []
  }
}

/** The code of anything thrown: `internal` unless it is an AppError. */
export const errorCode = (error: unknown): ErrorCode => (error instanceof AppError ? error.code : 'internal')

/** The sentence that a stranger may read. Internal errors say nothing of themselves. */
export function publicMessage(error: unknown): string {
  if (!(error instanceof AppError) || error.code === 'internal') return 'Internal error. The log of the server says more.'
  return error.problems.length > 0 ? `${error.message}\n${error.problems.map((p) => `  - ${p}`).join('\n')}` : error.message
}

/** The text of anything thrown, for logs. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The same with every single thing that is wrong, in one line: for what is told further as a text. */
export const wholeMessageOf = (error: unknown): string =>
  error instanceof AppError ? [error.message, ...error.problems].join(' ') : messageOf(error)

/** Names are shorter; to compare what is longer with all that there is would take long. */
const LONGEST_GUESSED = 250

/** ` Did you mean "x"?` when one of `known` is close to `given`; else nothing. */
export function didYouMean(given: string, known: Iterable<string>): string {
  if (given.length > LONGEST_GUESSED) return ''
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(given.length / 3)) + 1
  for (const candidate of known) {
    // So far apart are they in any case.
    if (Math.abs(given.length - candidate.length) >= bestDistance) continue
    const distance = editDistance(given.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : ` Did you mean "${best}"?`
}

/** Levenshtein distance with two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
