/** By when a run has to be through, as its DAG says. Pure. */
import type { DagDocument } from '@daggerboard/dag'
import type { DagRun } from './dag-run.ts'

/**
 * The times of the DAG's deadlines for `run`, in their order; null where there is none: a run without logical date, or too few runs to
 * tell from. `recentDurations` are those of the last successful runs in seconds, newest first, at least as many as {@link durationsNeeded}.
 */
export function deadlinesOf(
  { deadlines }: Pick<DagDocument, 'deadlines'>,
  run: Pick<DagRun, 'queuedAt' | 'logicalDate'>,
  recentDurations: readonly number[] = [],
): DagRun['deadlines'] {
  return deadlines.map(({ reference, intervalSeconds }) => {
    const start = startOf(reference, run, recentDurations)
    return start === null ? null : { at: new Date(start + intervalSeconds * 1000).toISOString(), isMissed: false }
  })
}

/** How many durations of successful runs the deadlines of a DAG look at. */
export const durationsNeeded = ({ deadlines }: Pick<DagDocument, 'deadlines'>): number =>
  Math.max(0, ...deadlines.map(({ reference }) => (reference.kind === 'averageRuntime' ? reference.runs : 0)))

type Reference = DagDocument['deadlines'][number]['reference']

function startOf(
  reference: Reference,
  { queuedAt, logicalDate }: Pick<DagRun, 'queuedAt' | 'logicalDate'>,
  recent: readonly number[],
): number | null {
  if (reference.kind === 'queuedAt') return Date.parse(queuedAt)
  if (reference.kind === 'logicalDate') return logicalDate === null ? null : Date.parse(logicalDate)
  if (reference.kind === 'fixed') return Date.parse(reference.at)
  const seen = recent.slice(0, reference.runs)
  if (seen.length === 0 || seen.length < reference.atLeast) return null
  const mean = seen.reduce((sum, seconds) => sum + seconds, 0) / seen.length
  return Date.parse(queuedAt) + Math.round(mean * 1000)
}
