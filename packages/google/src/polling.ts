/** Waiting for something remote: asks now and then, ever more rarely, until it has ended or the task is cancelled. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { problemOf, readable } from './google-error.ts'

/** The rest between two questions grows with the time that has passed: by so much nobody hears later of the end. */
const FRACTION = 0.05
const SHORTEST_MS = 150
const LONGEST_MS = 10_000
/** A system that is away is waited for so long. */
const TOLERATED_MS = 600_000

export interface PollOptions {
  readonly signal: AbortSignal
  /** The longest rest between two questions. */
  readonly longestMs?: number
  /** Answers undefined after so long. */
  readonly patienceMs?: number | undefined
}

/** Asks until `ask` answers something else than undefined. A system that is away for a moment is asked again. Throws the signal's reason when aborted. */
export async function pollUntil<T>(
  ask: () => Promise<T | undefined>,
  { signal, longestMs = LONGEST_MS, patienceMs = Number.POSITIVE_INFINITY }: PollOptions,
): Promise<T | undefined> {
  const begin = performance.now()
  let awaySince: number | null = null
  for (;;) {
    signal.throwIfAborted()
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      awaySince = null
    } catch (error) {
      awaySince ??= performance.now()
      if (problemOf(error) !== 'unavailable' || performance.now() - awaySince > TOLERATED_MS) throw readable(error)
    }
    const passed = performance.now() - begin
    const rest = Math.min(Math.max(SHORTEST_MS, passed * FRACTION), longestMs)
    if (passed + rest > patienceMs) return undefined
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
