/** What the scheduler does for one run or one DAG may throw: that is the trouble of that one, and of no other. */
import { messageOf } from '../core/app-error.ts'

/** Whose trouble it is: one run; the runs that a schedule or assets bring; those of a backfill; a whole DAG; what its file says. */
export type Subject =
  | { readonly kind: 'run'; readonly dagId: string; readonly runId: string }
  | { readonly kind: 'schedule'; readonly dagId: string }
  | { readonly kind: 'backfill'; readonly dagId: string; readonly backfillId: number }
  | { readonly kind: 'dag'; readonly dagId: string }
  | { readonly kind: 'document'; readonly dagId: string }

export class Fault extends Error {
  readonly subject: Subject

  constructor(subject: Subject, cause: unknown) {
    super(messageOf(cause), { cause })
    this.name = 'Fault'
    this.subject = subject
  }
}

/** What is thrown in place of `error`: whoever was handled most closely is at fault. */
export const faultOf = (subject: Subject, error: unknown): Fault => (error instanceof Fault ? error : new Fault(subject, error))

export const faultOfRun = ({ dagId, runId }: { readonly dagId: string; readonly runId: string }, error: unknown): Fault =>
  faultOf({ kind: 'run', dagId, runId }, error)

/** What the scheduler cannot do with it, as a clause. */
export function sentenceOf(subject: Subject): string {
  const { dagId } = subject
  switch (subject.kind) {
    case 'run':
      return `The scheduler cannot go on with run "${subject.runId}" of DAG "${dagId}"`
    case 'schedule':
      return `The scheduler cannot make the runs that the schedule of DAG "${dagId}" brings`
    case 'backfill':
      return `The scheduler cannot make the runs of backfill ${subject.backfillId} of DAG "${dagId}"`
    case 'dag':
      return `The scheduler cannot go on with the runs of DAG "${dagId}"`
    case 'document':
      return `The scheduler cannot follow what the file of DAG "${dagId}" says`
  }
}
