/** Times by which a run has to be through. */
import type { DeadlineDocument } from './document.ts'
import { type Duration, notADuration, signedSeconds } from './duration.ts'
import type { Callbacks } from './task-context.ts'

export interface Deadline {
  /**
   * From when: the run was queued, its logical date, a fixed instant, or queued plus the mean of its last successful runs
   * (`averageRuntime` of them, 10 by default; none while there are fewer than `atLeast`, by default all of them).
   */
  readonly reference:
    | 'queuedAt'
    | 'logicalDate'
    | { readonly at: Date | string }
    | { readonly averageRuntime: number; readonly atLeast?: number }
  /** Added to it. `'-30m'` is half an hour before. */
  readonly interval: Duration
  /** Called once when the run is not through by then. */
  readonly callback: Callbacks
}

export function deadlineDocument(
  { reference, interval }: Deadline,
  instant: (name: string, value: Date | string) => string | null,
  problems: string[],
): DeadlineDocument {
  const intervalSeconds = signedSeconds(interval)
  if (intervalSeconds === null) problems.push(`The interval of a deadline ${notADuration(interval)}`)
  return { reference: referenceDocument(reference, instant, problems), intervalSeconds: intervalSeconds ?? 0 }
}

function referenceDocument(
  reference: Deadline['reference'],
  instant: (name: string, value: Date | string) => string | null,
  problems: string[],
): DeadlineDocument['reference'] {
  if (reference === 'queuedAt' || reference === 'logicalDate') return { kind: reference }
  if (typeof reference === 'object' && 'at' in reference)
    return { kind: 'fixed', at: instant('The time of a deadline', reference.at) ?? '' }
  const { averageRuntime: runs = 10, atLeast = runs } = (reference ?? {}) as { averageRuntime?: number; atLeast?: number }
  if (typeof reference !== 'object' || !Number.isInteger(runs) || runs < 1 || !Number.isInteger(atLeast) || atLeast < 1 || atLeast > runs) {
    problems.push(
      `The reference of a deadline ${JSON.stringify(reference)} is unknown. Write "queuedAt", "logicalDate", { at: … } or { averageRuntime: 10 }.`,
    )
  }
  return { kind: 'averageRuntime', runs, atLeast }
}
