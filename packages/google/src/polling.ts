/** Waiting for something remote: asks now and then, ever more rarely, until it has ended or the task is cancelled. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { problemOf, readable } from './google-error.ts'

const FIRST_MS = 150
const FACTOR = 1.4
const TOLERATED_FAILURES = 8

export interface PollOptions {
  readonly signal: AbortSignal
  /** The longest rest between two questions. */
  readonly longestMs?: number
  /** Gives up after so long; no limit by default, because the task has its own. */
  readonly timeoutMs?: number
  /** What is waited for, for the message when the time is over. */
  readonly what: string
}

/** Asks until `ask` answers something else than undefined. A system that is away for a moment is asked again. Throws the signal's reason when aborted. */
export async function pollUntil<T>(
  ask: () => Promise<T | undefined>,
  { signal, longestMs = 5000, timeoutMs, what }: PollOptions,
): Promise<T> {
  const begin = Date.now()
  let failures = 0
  for (let rest = FIRST_MS; ; rest = Math.min(longestMs, rest * FACTOR)) {
    signal.throwIfAborted()
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      failures = 0
    } catch (error) {
      if (problemOf(error) !== 'unavailable' || ++failures > TOLERATED_FAILURES) throw error
    }
    if (timeoutMs !== undefined && Date.now() - begin > timeoutMs)
      throw new Error(`${what} took longer than ${Math.round(timeoutMs / 1000)} s. Give it more time, or look why it is slow.`)
    await sleep(rest, undefined, { signal }).catch(() => {})
  }
}

/** A key of 36 characters from any texts, as Google's request ids may be. */
export const requestId = (...parts: readonly (string | number)[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 36)

/** Runs `call`, and says what Google said when it fails. */
export async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw readable(error)
  }
}
