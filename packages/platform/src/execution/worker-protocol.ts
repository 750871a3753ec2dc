/** What the platform and a worker process say to each other, one message at a time. */
import type { TaskFacts } from './task-facts.ts'

/** What a task may ask while it runs. */
export type Question =
  | { readonly what: 'variable'; readonly key: string }
  | { readonly what: 'connection'; readonly id: string }
  | { readonly what: 'xcomPull'; readonly taskId: string; readonly key: string }
  | { readonly what: 'xcomPush'; readonly key: string; readonly value: unknown }

export type ToWorker =
  | { readonly type: 'run'; readonly file: string; readonly facts: TaskFacts }
  | { readonly type: 'answer'; readonly question: number; readonly value?: unknown; readonly error?: string }
  | { readonly type: 'abort'; readonly reason: string }

export type TaskOutcome =
  | { readonly state: 'success'; readonly output: unknown; readonly renderedFields: unknown }
  | { readonly state: 'skipped'; readonly detail: string; readonly renderedFields: unknown }
  | { readonly state: 'failed'; readonly detail: string; readonly isFinal: boolean; readonly renderedFields: unknown }

export type FromWorker =
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'ask'; readonly question: number; readonly ask: Question }
  /**
   * `stamps`: of the DAG's file and all that it imports, by path; a change of any of them makes this worker old.
   * `isLast`: the worker ends itself now, and must not be given another task.
   */
  | { readonly type: 'done'; readonly outcome: TaskOutcome; readonly stamps: Readonly<Record<string, string>>; readonly isLast: boolean }
