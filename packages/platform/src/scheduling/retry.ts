/** How long a failed task waits before it is tried again. Pure, and the same for the same try every time. */
import { createHash } from 'node:crypto'
import type { TaskDocument } from '@daggerboard/dag'

/** No wait grows beyond a day. */
const MAX_DELAY_SECONDS = 86_400

/**
 * Seconds to wait after try `tryNumber` failed: `retryDelaySeconds`, however long; or with a backoff other than 1 Airflow's exact
 * `delay × backoff^(try − 1)` plus a jitter below the same amount, taken from the SHA-1 of what the try is, at most a day.
 */
export function retryDelaySeconds(
  task: Pick<TaskDocument, 'taskId' | 'retryDelaySeconds' | 'retryBackoff' | 'maxRetryDelaySeconds'>,
  { dagId, logicalDate, tryNumber }: { dagId: string; logicalDate: Date; tryNumber: number },
): number {
  if (task.retryBackoff <= 0 || task.retryBackoff === 1) return task.retryDelaySeconds
  const least = Math.max(1, Math.ceil(task.retryDelaySeconds * task.retryBackoff ** (tryNumber - 1)))
  if (!Number.isSafeInteger(least)) return Math.min(MAX_DELAY_SECONDS, task.maxRetryDelaySeconds ?? MAX_DELAY_SECONDS)
  const digest = createHash('sha1')
    .update(`${dagId}#${task.taskId}#${pythonDate(logicalDate)}#${tryNumber}`)
    .digest('hex')
  const jitter = Number(BigInt(`0x${digest}`) % BigInt(least))
  return Math.min(least + jitter, MAX_DELAY_SECONDS, task.maxRetryDelaySeconds ?? MAX_DELAY_SECONDS)
}

/** `str()` of a datetime in UTC, with which Airflow feeds the hash. */
const pythonDate = (at: Date): string =>
  at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$/, '+00:00')
    .replace(/\.(\d{3})Z$/, '.$1000+00:00')
