/** What the platform and a worker process say to each other. Messages that arise together travel together, as one array. */
import type { TaskDocument } from '@daggerboard/dag'
import { MOST_NESTED } from '../core/json.ts'
import type { DagFacts, TaskFacts } from './task-facts.ts'
import type { TaskInputs } from './task-input.ts'
import type { TaskOutcome } from './task-outcome.ts'
import type { Question } from './task-question.ts'

/** The facts of a try without the documents, which a worker is told once and keeps. */
export type LeanFacts = Omit<TaskFacts, 'dag' | 'task'>

/** So many messages travel together at most: the other side begins with the first ones while the next ones are made. */
export const MOST_TOGETHER = 8

/** One piece of work for a worker. */
export type JobWork =
  | { readonly kind: 'run'; readonly facts: LeanFacts; readonly inputs: TaskInputs | null }
  /** To wait as a deferred task has said. */
  | { readonly kind: 'wait'; readonly facts: LeanFacts; readonly name: string; readonly args: unknown; readonly inputs: TaskInputs | null }
  /** An author's function about something that has happened. `facts` are null when it is about the run. */
  | { readonly kind: 'call'; readonly facts: LeanFacts | null; readonly which: string; readonly about: CallFacts }

interface CallFacts {
  readonly dagId: string
  readonly runId: string
  readonly reason: string
}

export type ToWorker =
  | { readonly type: 'dag'; readonly dagId: string; readonly dag: DagFacts }
  | { readonly type: 'task'; readonly dagId: string; readonly task: TaskDocument }
  /** With `heard` it begins when another job ends: see {@link NextJobs}. */
  | { readonly type: 'start'; readonly job: number; readonly file: string; readonly work: JobWork; readonly heard?: number }
  /** What has not begun yet is not to begin here. */
  | { readonly type: 'withdraw' }
  | { readonly type: 'answer'; readonly question: number; readonly value?: unknown; readonly error?: string; readonly code?: string }
  | { readonly type: 'abort'; readonly job: number; readonly reason: string; readonly isCancelled: boolean }
  /** Whether it still lets what runs in it run. */
  | { readonly type: 'ping' }

export type FromWorker =
  /** It has read its own code and can begin. */
  | { readonly type: 'ready' }
  /** The answer to a ping. */
  | { readonly type: 'pong' }
  | { readonly type: 'log'; readonly job: number; readonly text: string }
  | { readonly type: 'ask'; readonly job: number; readonly question: number; readonly ask: Question }
  /** It has taken that job, and begins with it. */
  | { readonly type: 'taken'; readonly job: number }
  /** That job can hear when it is told to end, so it is given time for it. */
  | { readonly type: 'listens'; readonly job: number }
  /** It has read the file of that job: so that a change is noticed while its first job still runs. */
  | { readonly type: 'read'; readonly job: number; readonly stamps: FileStamps }
  /** That job was sent to begin when another ends, and will not. */
  | { readonly type: 'withdrawn'; readonly job: number }
  /** That job ends the process: what else runs in it is not to blame. */
  | { readonly type: 'exits'; readonly job: number }
  | DoneMessage

/** As they were when they were read, by path. */
type FileStamps = Readonly<Record<string, string>>

const STATES = new Set(['success', 'skipped', 'failed', 'rescheduled', 'deferred'])

/** Lists and objects in what a task hands on; around it stand those of the outcome. */
const MOST_DEEP = MOST_NESTED + 10

/** What a `Date` can be at most, in milliseconds since 1970. */
const LAST_INSTANT_MS = 8.64e15

/** Null when any of them is no message: the code of tasks shares the process that they come from. */
export function messagesOf(batch: readonly unknown[]): readonly FromWorker[] | null {
  return batch.every(isMessage) ? batch : null
}

function isMessage(message: unknown): message is FromWorker {
  if (typeof message !== 'object' || message === null) return false
  const { type, job, text, question, ask, outcome, stamps, startedAt, endedAt } = message as Readonly<Record<string, unknown>>
  if (type === 'ready' || type === 'pong') return true
  if (typeof job !== 'number') return false
  if (type === 'log') return typeof text === 'string'
  if (type === 'ask') return typeof question === 'number' && typeof ask === 'object' && ask !== null && isFlat(ask)
  if (type === 'done')
    return (
      typeof outcome === 'object' && outcome !== null && isOutcome(outcome as TaskOutcome) && isInstant(startedAt) && isInstant(endedAt)
    )
  if (type === 'read') return typeof stamps === 'object'
  return type === 'exits' || type === 'listens' || type === 'withdrawn' || type === 'taken'
}

const isInstant = (at: unknown): boolean => typeof at === 'number' && at >= 0 && at <= LAST_INSTANT_MS

function isOutcome(outcome: TaskOutcome): boolean {
  if (!STATES.has(String(outcome.state))) return false
  // Rendered fields may be deep: whoever shows them cuts them off.
  for (const [name, value] of Object.entries(outcome)) if (name !== 'renderedFields' && !isFlat(value)) return false
  return true
}

function isFlat(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth > MOST_DEEP) return false
  const parts = Array.isArray(value) ? value : Object.values(value)
  return parts.every((part) => isFlat(part, depth + 1))
}

export interface DoneMessage {
  readonly type: 'done'
  readonly job: number
  readonly outcome: TaskOutcome
  /** Milliseconds since 1970: when the worker took it and let it go. */
  readonly startedAt: number
  readonly endedAt: number
  /** Of the DAG's file and all that it imports, by path, when there are new ones; a change of any of them makes this worker old. */
  readonly stamps?: FileStamps
  /** The worker ends itself, and must not be given another task. */
  readonly isLast: boolean
  /** Processes that the task has started may have written what has not been heard yet. */
  readonly mayStillSpeak: boolean
}
