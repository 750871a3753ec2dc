/** What Google's clients throw, read the same whether it came over REST (HTTP status, JSON in the message) or gRPC (code). */

export type GoogleProblem = 'not_found' | 'already_exists' | 'unavailable' | 'other'

const PROBLEMS: Readonly<Record<string, GoogleProblem>> = {
  5: 'not_found',
  404: 'not_found',
  6: 'already_exists',
  409: 'already_exists',
  14: 'unavailable',
  503: 'unavailable',
  502: 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNRESET: 'unavailable',
}

export function problemOf(error: unknown): GoogleProblem {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  return PROBLEMS[String(code)] ?? PROBLEMS[String(cause?.code)] ?? 'other'
}

/** The sentence in it. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  try {
    return (JSON.parse(message) as { error?: { message?: string } }).error?.message ?? message
  } catch {
    return message
  }
}

/** The same error with a message that people can read. */
export const readable = (error: unknown): Error => new Error(messageOf(error), { cause: error })
