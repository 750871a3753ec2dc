/** Whether a task may run, must wait, or can no longer run, given how the tasks right before it stand. Airflow's table, pure. */
import type { TriggerRule } from '@daggerboard/dag'
import { isDone, type TaskInstanceState } from './task-instance.ts'

export type Verdict = 'run' | 'wait' | 'skipped' | 'upstream_failed' | 'removed'

/** How many of the instances right before stand how. */
export interface UpstreamCounts {
  all: number
  done: number
  success: number
  /** `failed` alone, without those that could not run. */
  failed: number
  /** `failed` and `upstream_failed`. */
  failedLike: number
  skipped: number
  /** No longer there: a mapped task is made of a shorter list now. */
  removed: number
}

export const noCounts = (): UpstreamCounts => ({ all: 0, done: 0, success: 0, failed: 0, failedLike: 0, skipped: 0, removed: 0 })

/** Each rule, read from the top: the first line that is true decides, else the task waits. */
const RULES: Readonly<Record<TriggerRule, (counts: UpstreamCounts) => Verdict>> = {
  all_success: ({ all, success, failedLike, skipped, removed }) =>
    failedLike > 0 ? 'upstream_failed' : skipped > 0 ? 'skipped' : success === all - removed ? 'run' : 'wait',
  all_failed: ({ all, success, failedLike, skipped, removed }) =>
    success + skipped > 0 ? 'skipped' : failedLike === all - removed ? 'run' : 'wait',
  all_done: ({ all, done }) => (done === all ? 'run' : 'wait'),
  all_done_min_one_success: ({ all, done, success, skipped }) =>
    skipped > 0 ? 'skipped' : done < all ? 'wait' : success > 0 ? 'run' : 'upstream_failed',
  all_skipped: ({ all, success, failedLike, skipped, removed }) =>
    success + failedLike > 0 ? 'skipped' : skipped === all - removed ? 'run' : 'wait',
  one_success: ({ all, done, success, skipped }) =>
    success > 0 ? 'run' : done < all ? 'wait' : skipped === all ? 'skipped' : 'upstream_failed',
  one_failed: ({ all, done, failedLike }) => (failedLike > 0 ? 'run' : done < all ? 'wait' : 'skipped'),
  one_done: ({ all, done, success, failed }) => (success + failed > 0 ? 'run' : done < all ? 'wait' : 'skipped'),
  none_failed: ({ all, done, failedLike }) => (failedLike > 0 ? 'upstream_failed' : done === all ? 'run' : 'wait'),
  none_failed_min_one_success: ({ all, done, success, failedLike }) =>
    failedLike > 0 ? 'upstream_failed' : done < all ? 'wait' : success > 0 ? 'run' : 'skipped',
  none_skipped: ({ all, done, skipped }) => (skipped > 0 ? 'skipped' : done === all ? 'run' : 'wait'),
  always: () => 'run',
}

/**
 * A task without tasks before it may always run. `mapIndex` is that of the instance, -1 for a task that is not mapped: of a mapped one,
 * an instance for which no element is left among those before it is no longer needed.
 */
export function ruleVerdict(rule: TriggerRule, counts: UpstreamCounts, mapIndex = -1): Verdict {
  if (counts.all === 0) return 'run'
  const found = RULES[rule](counts)
  const isSurplus = counts.removed > 0 && counts.success > 0 && mapIndex >= 0 && mapIndex >= counts.success
  return rule === 'all_success' && isSurplus && found !== 'upstream_failed' && found !== 'skipped' ? 'removed' : found
}

/** A teardown runs when all before it is done and at least one of its setups succeeded. */
export function teardownVerdict({ all, done }: UpstreamCounts, setups: UpstreamCounts): Verdict {
  if (done < all) return 'wait'
  if (setups.all === 0 || setups.success > 0) return 'run'
  return setups.skipped === setups.all ? 'skipped' : 'upstream_failed'
}

/** A task in the scope of setups needs all of them, whatever its own rule says of the tasks right before it. */
export const setupVerdict = (setups: UpstreamCounts, mapIndex = -1): Verdict => ruleVerdict('all_success', setups, mapIndex)

/** The same for states that stand one by one. */
export function verdict(rule: TriggerRule, upstream: readonly TaskInstanceState[], mapIndex = -1): Verdict {
  const counts = noCounts()
  for (const state of upstream) addState(counts, state, 1)
  return ruleVerdict(rule, counts, mapIndex)
}

/** Adds `times` instances of a state. */
export function addState(counts: UpstreamCounts, state: TaskInstanceState, times: number): void {
  counts.all += times
  if (isDone(state)) counts.done += times
  if (state === 'success') counts.success += times
  else if (state === 'failed') {
    counts.failed += times
    counts.failedLike += times
  } else if (state === 'upstream_failed') counts.failedLike += times
  else if (state === 'skipped') counts.skipped += times
  else if (state === 'removed') counts.removed += times
}
