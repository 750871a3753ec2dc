/** What the scheduler hears of the work that it has handed out. */
import { instanceKey, type TaskInstance, type WaitEvent } from './task-instance.ts'
import type { AttemptResult } from './task-runner.ts'

export type Report =
  /** A worker has taken the try at `at`. */
  | { readonly kind: 'started'; readonly attemptId: string; readonly at: Date }
  | { readonly kind: 'ended'; readonly attemptId: string; readonly result: AttemptResult }
  /** What a deferred instance (as it was then) waited for has come, or cannot come. */
  | { readonly kind: 'waited'; readonly instance: TaskInstance; readonly event: WaitEvent }
  | { readonly kind: 'called'; readonly id: string }
  /** A wait has been cancelled. */
  | { readonly kind: 'cancelled'; readonly id: string }

/** Whether it tells of the try with that token, or of what that instance waits for. */
export function isAbout(report: Report, of: string | TaskInstance): boolean {
  if (typeof of === 'string') return 'attemptId' in report && report.attemptId === of
  return report.kind === 'waited' && report.instance.revision === of.revision && instanceKey(report.instance) === instanceKey(of)
}
