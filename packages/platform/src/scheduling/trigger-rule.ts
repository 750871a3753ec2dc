/** Whether a task may run, must wait, or can no longer run, given how the tasks right before it stand. Airflow's table, pure. */
import type { TriggerRule } from '@daggerboard/dag'
import { isDone, type TaskInstanceState } from './task-instance.ts'

export type Verdict = 'run' | 'wait' | 'skipped' | 'upstream_failed'

/** How many of the tasks right before stand how. */
interface Counts {
  readonly all: number
  readonly done: number
  readonly success: number
  /** `failed` alone, without those that could not run. */
  readonly failed: number
  /** `failed` and `upstream_failed`. */
  readonly failedLike: number
  readonly skipped: number
}

/** Each rule, read from the top: the first line that is true decides, else the task waits. */
const RULES: Readonly<Record<TriggerRule, (counts: Counts) => Verdict>> = {
  all_success: ({ all, success, failedLike, skipped }) =>
    failedLike > 0 ? 'upstream_failed' : skipped > 0 ? 'skipped' : success === all ? 'run' : 'wait',
  all_failed: ({ all, success, failedLike, skipped }) => (success + skipped > 0 ? 'skipped' : failedLike === all ? 'run' : 'wait'),
  all_done: ({ all, done }) => (done === all ? 'run' : 'wait'),
  all_done_min_one_success: ({ all, done, success, skipped }) =>
    skipped > 0 ? 'skipped' : done < all ? 'wait' : success > 0 ? 'run' : 'upstream_failed',
  all_skipped: ({ all, success, failedLike, skipped }) => (success + failedLike > 0 ? 'skipped' : skipped === all ? 'run' : 'wait'),
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

/** A task without tasks before it may always run. */
export function verdict(rule: TriggerRule, upstream: readonly TaskInstanceState[]): Verdict {
  if (upstream.length === 0) return 'run'
  const count = (...states: TaskInstanceState[]) => upstream.filter((state) => states.includes(state)).length
  return RULES[rule]({
    all: upstream.length,
    done: upstream.filter(isDone).length,
    success: count('success'),
    failed: count('failed'),
    failedLike: count('failed', 'upstream_failed'),
    skipped: count('skipped'),
  })
}
