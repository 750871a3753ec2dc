/** When a task may run, given how the tasks before it ended. The names and meanings are Airflow's. */

export const TRIGGER_RULES = [
  /** All succeeded (the default). One that failed makes this task `upstream_failed`, one that was skipped makes it `skipped`. */
  'all_success',
  /** All failed. */
  'all_failed',
  /** All ended, however they did. */
  'all_done',
  /** All ended, none was skipped, at least one succeeded. */
  'all_done_min_one_success',
  /** All were skipped. */
  'all_skipped',
  /** At least one succeeded; does not wait for the others. */
  'one_success',
  /** At least one failed; does not wait for the others. */
  'one_failed',
  /** At least one succeeded or failed; does not wait for the others. */
  'one_done',
  /** None failed: each succeeded or was skipped. */
  'none_failed',
  /** None failed and at least one succeeded. */
  'none_failed_min_one_success',
  /** None was skipped. */
  'none_skipped',
  /** At once, whatever the tasks before it do. */
  'always',
] as const

export type TriggerRule = (typeof TRIGGER_RULES)[number]
