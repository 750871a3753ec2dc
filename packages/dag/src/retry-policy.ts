/** Which errors are worth another try. */
import { type Duration, durationSeconds } from './duration.ts'

/** The first rule that fits an error decides. */
export interface RetryRule {
  /** A class of errors, the name of one (as in `error.name`), or a question about it. */
  readonly on: string | (abstract new (...args: never) => Error) | ((error: Error) => boolean)
  /** `retry`: as long as there are tries left; `fail`: at once, whatever tries are left; `default`: as without a rule. */
  readonly action: 'retry' | 'fail' | 'default'
  /** The wait before the next try, instead of the task's own; for example what the server asked for in `Retry-After`. */
  readonly delay?: Duration | ((error: Error) => Duration)
}

/** What the policy says of `error`; null when no rule fits. `delaySeconds` is null where the task's own wait counts. */
export function retryDecision(
  policy: readonly RetryRule[],
  error: Error,
): { readonly action: RetryRule['action']; readonly delaySeconds: number | null } | null {
  const rule = policy.find(({ on }) => fits(on, error))
  if (!rule) return null
  const delay = typeof rule.delay === 'function' ? rule.delay(error) : rule.delay
  return { action: rule.action, delaySeconds: delay === undefined ? null : durationSeconds(delay) }
}

function fits(on: RetryRule['on'], error: Error): boolean {
  if (typeof on === 'string') return namesOf(error).includes(on)
  if (on === Error || on.prototype instanceof Error) return error instanceof on || namesOf(error).includes(on.name)
  return (on as (error: Error) => boolean)(error)
}

/** Its own name, and those of the classes that it is of. */
function namesOf(error: Error): string[] {
  const names = [error.name]
  for (let proto = Object.getPrototypeOf(error); proto; proto = Object.getPrototypeOf(proto)) names.push(proto.constructor?.name)
  return names
}
