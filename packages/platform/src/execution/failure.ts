/** What becomes of a try whose task has thrown. */
import { inspect } from 'node:util'
import { retryDecision, type Task } from '@daggerboard/dag'
import { AppError, messageOf } from '../core/app-error.ts'
import type { TaskHost } from './task-context.ts'
import type { TaskOutcome, WaitOutcome } from './task-outcome.ts'
import { toJson } from './task-output.ts'

/** The endings that a task may choose are known by name and fields: a DAG folder may bring its own copy of our package. */
export function failureOutcome(error: unknown, task: Task | null, host: Pick<TaskHost, 'log' | 'signal'>): TaskOutcome {
  const name = error instanceof Error ? error.name : ''
  const detail = error === null || error === undefined ? `The task has thrown ${error}.` : messageOf(error)
  const renderedFields = null
  if (name === 'SkipTask') return { state: 'skipped', detail, renderedFields }
  const { at, wait, timeoutSeconds = null } = (error ?? {}) as { at?: unknown; wait?: object; timeoutSeconds?: number | null }
  if (name === 'Reschedule' && at instanceof Date && !Number.isNaN(at.getTime()))
    return { state: 'rescheduled', at: at.toISOString(), renderedFields }
  if (name === 'Defer' && wait) {
    const kept = keptWait(wait, host)
    return kept
      ? { state: 'deferred', wait: kept, timeoutSeconds, renderedFields }
      : { state: 'failed', detail: NO_WAIT, isFinal: true, renderedFields }
  }
  // Where in the platform it was noticed, or ended, says nothing to the author.
  const isOurs = error instanceof AppError || error === host.signal.reason
  if (!isOurs) host.log(`${inspect(error, { depth: 4 })}\n`)
  return { state: 'failed', detail, isFinal: name === 'FailTask', renderedFields, ...policyOf(error, task, host) }
}

/** What the task's retry policy says of the error. */
function policyOf(error: unknown, task: Task | null, host: Pick<TaskHost, 'log'>): { isFinal?: boolean; retryAfterSeconds?: number } {
  const policy = task?.options.retryPolicy
  if (!policy || !(error instanceof Error) || error.name === 'FailTask') return {}
  try {
    const decision = retryDecision(policy, error)
    if (!decision || decision.action === 'default') return {}
    if (decision.action === 'fail') return { isFinal: true }
    return { isFinal: false, ...(decision.delaySeconds !== null && { retryAfterSeconds: decision.delaySeconds }) }
  } catch (problem) {
    host.log(`The retry policy has thrown: ${messageOf(problem)}\n`)
    return {}
  }
}

const NO_WAIT = 'The task has deferred to something that cannot be waited for. Throw a Defer with a time, a trigger or a question.'

/** Null for what nobody could wait for: the task would be deferred for ever. */
function keptWait(wait: object, host: Pick<TaskHost, 'log'>): WaitOutcome | null {
  try {
    const { kind, at, name, request } = toJson(wait) as Readonly<Record<string, unknown>>
    const isKnown =
      (kind === 'time' && !Number.isNaN(Date.parse(String(at)))) ||
      (kind === 'trigger' && typeof name === 'string') ||
      (kind === 'input' && request)
    return isKnown ? waitOutcome(toJson(wait) as WaitOutcome) : null
  } catch (error) {
    host.log(`${messageOf(error)}\n`)
    return null
  }
}

function waitOutcome(wait: WaitOutcome): WaitOutcome {
  if (wait.kind !== 'input') return wait
  return { ...wait, request: { ...wait.request, respondedBy: null, respondedAt: null, chosen: null, paramsInput: null } }
}
