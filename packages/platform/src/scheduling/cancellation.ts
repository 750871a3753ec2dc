/** Waits of deferred tasks that are to be cancelled with all that they have begun elsewhere: kept with the change that ended them, so that none is lost. */
import type { Wait } from './task-instance.ts'
import type { Attempt } from './task-runner.ts'

export type TriggerWait = Extract<Wait, { kind: 'trigger' }>

/** Stands for what a try may have begun that was lost before it could say so: its operator has to know how to find that. */
export const OF_LOST_TRY: TriggerWait = { kind: 'trigger', name: 'lost', args: null }

export interface Cancellation {
  readonly id: string
  /** An attempt that stands for the wait. */
  readonly attempt: Attempt
  readonly wait: TriggerWait
}

/** As it is kept: the documents of its task and DAG are those of now. */
export type PendingCancellation = Omit<Cancellation, 'attempt'> & { readonly attempt: Omit<Attempt, 'dag' | 'task'> }

export interface CancellationStore {
  /** Those that nobody has seen come to their end, in their order. */
  listPending(): Promise<PendingCancellation[]>
}
