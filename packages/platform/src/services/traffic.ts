/** Traffic: which revisions of a service answer, and how much of the requests each gets. */
import { AppError, didYouMean } from '../core/app-error.ts'

/** As the user states it. `revision` null means the latest one that is ready. */
export interface TrafficTarget {
  readonly revision: string | null
  readonly percent: number
}

/** As it is: a named revision and its share, more than 0. */
export interface Share {
  readonly revision: string
  readonly percent: number
}

export const TO_LATEST: readonly TrafficTarget[] = [{ revision: null, percent: 100 }]

/** Throws `invalid` with all that is wrong. */
export function checkTraffic(targets: readonly TrafficTarget[], revisions: readonly string[]): void {
  const problems: string[] = []
  for (const { revision, percent } of targets) {
    if (!Number.isInteger(percent) || percent < 0 || percent > 100) problems.push(`${percent} is not a whole percentage`)
    if (revision !== null && !revisions.includes(revision))
      problems.push(`there is no revision "${revision}".${didYouMean(revision, revisions)}`)
  }
  const total = targets.reduce((sum, { percent }) => sum + percent, 0)
  if (total !== 100) problems.push(`the percentages add up to ${total}, not 100`)
  if (problems.length > 0) throw new AppError('invalid', 'The traffic cannot be divided like this:', { problems })
}

/** The shares that `targets` mean while `latest` is the latest revision; shares of the same revision are added. */
export function sharesOf(targets: readonly TrafficTarget[], latest: string): Share[] {
  const shares = new Map<string, number>()
  for (const { revision, percent } of targets) {
    const name = revision ?? latest
    if (percent > 0) shares.set(name, (shares.get(name) ?? 0) + percent)
  }
  return [...shares].map(([revision, percent]) => ({ revision, percent }))
}

/** The revision for one request; `chance` is from 0 to below 1. Null when nothing serves. */
export function pickRevision(shares: readonly Share[], chance: number): string | null {
  let rest = chance * shares.reduce((sum, { percent }) => sum + percent, 0)
  for (const { revision, percent } of shares) {
    if (rest < percent) return revision
    rest -= percent
  }
  return shares.at(-1)?.revision ?? null
}
