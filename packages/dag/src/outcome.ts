/**
 * How a task may end, or go on without a worker, other than by answering or failing. Whoever runs tasks knows these by their `name` and fields,
 * never by `instanceof`: a DAGs folder may bring its own copy of this package.
 */
import { type Duration, secondsOf } from './duration.ts'

/** Thrown by a task that wants to end as `skipped`. */
export class SkipTask extends Error {
  override readonly name = 'SkipTask'
}

/** Thrown by a task that wants to fail at once, whatever its `retries` say. */
export class FailTask extends Error {
  override readonly name = 'FailTask'
}

/** Thrown by a task that wants to give its worker back and be begun anew at `at`: the same try goes on. */
export class Reschedule extends Error {
  override readonly name = 'Reschedule'
  readonly at: Date

  constructor(at: Date) {
    super(`Goes on at ${at.toISOString()}.`)
    this.at = at
  }
}

/** A question to a human. Plain data. */
export interface InputQuestion {
  readonly subject: string
  readonly body: string | null
  readonly options: readonly string[]
  /** Chosen when nobody has answered in time; null: the task fails then. */
  readonly defaults: readonly string[] | null
  readonly multiple: boolean
  /** Names of users who may answer; empty for everybody who may run DAGs. */
  readonly assignees: readonly string[]
  /** Default values of further fields, and their JSON Schemas. */
  readonly params: Readonly<Record<string, unknown>>
  readonly paramSchemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** The event of `Defer({ input })`. */
export interface InputAnswer {
  readonly chosen: readonly string[]
  readonly paramsInput: Readonly<Record<string, unknown>>
  /** Null when the defaults were taken because nobody answered in time, as is the next. */
  readonly respondedBy: string | null
  readonly respondedAt: string | null
}

/** What came of a wait: what its trigger answered (null for a time), or why there is nothing, such as a timeout. */
export type DeferredEvent = { readonly value: unknown } | { readonly error: string }

type DeferOptions = (
  | { readonly until: Date }
  /** The name of one of the operator's `triggers`, and what it is given: plain data, which is kept encrypted. */
  | { readonly trigger: string; readonly args?: unknown }
  | { readonly input: InputQuestion }
) & {
  /** When it is over the task goes on with an error. Default: it waits as long as it takes. */
  readonly timeout?: Duration | number
}

type DeferredWait =
  | { readonly kind: 'time'; readonly at: string }
  | { readonly kind: 'trigger'; readonly name: string; readonly args: unknown }
  | { readonly kind: 'input'; readonly request: InputQuestion }

/** Thrown by an operator's `run` or `resume` that waits without a worker: until a time, for one of its triggers, or for a human's answer. */
export class Defer extends Error {
  override readonly name = 'Defer'
  /** What is waited for, as the platform keeps it. */
  readonly wait: DeferredWait
  readonly timeoutSeconds: number | null

  /** Throws `RangeError` when the timeout is not a length of time. A number is seconds. */
  constructor(options: DeferOptions) {
    super('Goes on when what it waits for has come.')
    const { timeout } = options
    this.timeoutSeconds = timeout === undefined ? null : typeof timeout === 'number' ? timeout : secondsOf(timeout)
    if ('until' in options) this.wait = { kind: 'time', at: options.until.toISOString() }
    else if ('trigger' in options) this.wait = { kind: 'trigger', name: options.trigger, args: options.args ?? null }
    else this.wait = { kind: 'input', request: options.input }
  }
}

/** Of the tasks right after: all but the followed ones and what comes after those; or all right after; or all after, whatever their trigger rules. */
export type SkipDecision = { readonly followed: readonly string[] } | { readonly all: 'direct' | 'descendants' }

const DECISION = Symbol.for('daggerboard.decision')

/** What a branch or a short circuit answers: its output, and which of the tasks after it are skipped. */
export interface Decision<Output = unknown> {
  readonly [DECISION]: true
  readonly output: Output
  /** Null: none of them. */
  readonly skip: SkipDecision | null
}

/** What others get of an operator: what is in its decision, if it answers one. */
export type OutputOf<Answer> = Answer extends Decision<infer Output> ? Output : Answer

export const isDecision = (value: unknown): value is Decision => typeof value === 'object' && value !== null && DECISION in value

/** Follows those of the tasks right after, and skips the others. Whole task ids. Its output is the ids. */
export const branchTo = (...taskIds: readonly string[]): Decision<readonly string[]> => ({
  [DECISION]: true,
  output: taskIds,
  skip: { followed: taskIds },
})

/** Skips all tasks after this one, or only those right after it (the trigger rules of what follows count then). */
export const skipAfter = <Output>(output: Output, all: 'direct' | 'descendants' = 'descendants'): Decision<Output> => ({
  [DECISION]: true,
  output,
  skip: { all },
})

/** Goes on with all tasks after this one. */
export const goOn = <Output>(output: Output): Decision<Output> => ({ [DECISION]: true, output, skip: null })
