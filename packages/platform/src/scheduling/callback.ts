/** Calls of authors' functions that are still to be made: kept with the change that they tell of, so that none is lost. */
import type { CallbackCall } from './task-runner.ts'

export interface CallbackStore {
  /** Those that have not been made, in their order. Of an attempt, the documents of its task and DAG are those of now. */
  listPending(): Promise<PendingCall[]>
}

/** As it is kept: without the documents. */
export type PendingCall = Omit<CallbackCall, 'attempt'> & {
  readonly attempt: Omit<NonNullable<CallbackCall['attempt']>, 'dag' | 'task'> | null
}
