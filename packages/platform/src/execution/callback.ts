/** Calls the author's functions about what has happened. */
import { inspect } from 'node:util'
import type { Callback, CallbackContext, Dag, Task } from '@daggerboard/dag'
import type { TaskHost } from './task-context.ts'
import { paramsOf, type TaskFacts } from './task-facts.ts'

export interface CallbackFacts {
  readonly which: string
  readonly dagId: string
  readonly runId: string
  readonly reason: string
}

/** Calls them one after the other; what one throws is in the log, and the first of it is thrown when all have been called. */
export async function callCallbacks(
  callbacks: readonly Callback[],
  { which, dagId, runId, reason }: CallbackFacts,
  facts: TaskFacts | null,
  dag: Dag,
  host: TaskHost,
): Promise<void> {
  const context: CallbackContext = {
    which,
    dagId,
    runId,
    reason,
    exception: facts && (which === 'onFailure' || which === 'onRetry') ? reason : null,
    taskId: facts?.taskId ?? null,
    mapIndex: facts?.mapIndex ?? null,
    tryNumber: facts?.tryNumber ?? null,
    logicalDate: facts?.logicalDate ? new Date(facts.logicalDate) : null,
    dataIntervalStart: facts ? new Date(facts.dataIntervalStart) : null,
    dataIntervalEnd: facts ? new Date(facts.dataIntervalEnd) : null,
    params: facts ? paramsOf(facts) : dag.document.params,
    conf: facts?.conf ?? {},
    timezone: dag.document.timezone,
    signal: host.signal,
    now: () => host.now(),
    log: (line) => host.log(`${line}\n`),
    connection: (id) => host.ask({ what: 'connection', id }) as ReturnType<CallbackContext['connection']>,
    variable: (key) => host.ask({ what: 'variable', key }) as Promise<string>,
  }
  let first: { readonly error: unknown } | null = null
  for (const callback of callbacks) {
    try {
      await callback(context)
    } catch (error) {
      first ??= { error }
      host.log(`The callback ${which} has thrown: ${inspect(error, { depth: 4 })}\n`)
    }
  }
  if (first) throw first.error
}

/** The author's functions of that name: of the task, of the DAG (`onSuccess`, `onFailure`) or of one of its deadlines (`deadline:0`). */
export function callbacksOf(dag: Dag, task: Task | null, which: string): readonly Callback[] {
  if (task) return (task.callbacks as Readonly<Record<string, readonly Callback[]>>)[which] ?? []
  const deadline = /^deadline:(\d+)$/.exec(which)
  return (
    (deadline ? dag.deadlineCallbacks?.[Number(deadline[1])] : (dag.callbacks as Readonly<Record<string, readonly Callback[]>>)?.[which]) ??
    []
  )
}
