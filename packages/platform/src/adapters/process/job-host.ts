/** Whoever has given a worker a job, and hears what comes of it. */
import type { Question } from '../../execution/task-question.ts'
import type { DoneMessage } from '../../execution/worker-protocol.ts'

/** What a worker may do while it runs one job. */
export interface JobHost {
  onLog(text: string): void
  answer(question: Question): Promise<unknown>
  /** It may tidy up when it is told to end. */
  onListens(): void
  /** Of a job that waited there for a place: it has one now. */
  onBegan?(): void
  /** It has ended, and its last words may still come. */
  onOver?(): void
  onEnd(end: JobEnd): void
}

/** `displaced`: another job has ended the process, or this one has not begun there and will not, so it begins anew elsewhere. */
export type JobEnd =
  | DoneMessage
  | { readonly type: 'lost'; readonly detail: string }
  | { readonly type: 'displaced'; readonly detail: string }
