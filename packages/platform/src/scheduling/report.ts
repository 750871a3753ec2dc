/** What the scheduler hears of the work that it has handed out. */
import type { TaskInstance, WaitEvent } from './task-instance.ts'
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
