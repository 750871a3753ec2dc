/** Operators that begin something elsewhere, wait for it without a worker, and go on with what came of it. */
import { Defer, type DeferredEvent, type Operator, type TaskContext } from '@daggerboard/dag'

export interface WaitingArgs {
  /** Whether the worker is given back while it waits. Default true; false: the worker waits. */
  readonly deferrable?: boolean
}

/** The work is through, or there is something to wait for. `Wait` is plain data and all that is needed to find it again, in any process. */
export type Step<Wait, Output> = { readonly output: Output } | { readonly wait: Wait }

export interface RemoteWork<Args, Wait, Seen, Output> {
  /** Begins it, or joins what an earlier try has begun. */
  begin(args: Args, context: TaskContext): Promise<Step<Wait, Output>>
  /**
   * Asks until there is something to go on with, and tells changes in the log. After `patienceMs` without it, undefined. Throws the signal's reason
   * when it is aborted, and leaves what it waits for as it is.
   */
  look(wait: Wait, context: TaskContext, patienceMs?: number): Promise<Seen | undefined>
  /** Throws when it has failed. */
  goOn(args: Args, wait: Wait, seen: Seen, context: TaskContext): Promise<Step<Wait, Output>>
  /** What a try that was lost has left running, as far as that can be known. */
  find(args: Args, context: TaskContext): Promise<Wait | null>
  /** Ends it elsewhere. Never rejects: the log says what could not be done. */
  cancel(wait: Wait, context: TaskContext): Promise<void>
}

/** What is over so soon is not worth a deferral. */
const PATIENCE_MS = 250
const TRIGGER = 'end'

/** When the task is cancelled or runs out of time, so is the work, whether a worker waits for it or not. */
export function remoteOperator<Args extends WaitingArgs, Wait, Seen, Output>(
  name: string,
  args: Args,
  work: RemoteWork<Args, Wait, Seen, Output>,
): Operator<Args, Output> {
  const follow = async (rendered: Args, first: Step<Wait, Output>, context: TaskContext): Promise<Output> => {
    let step = first
    while ('wait' in step) {
      const { wait } = step
      const patienceMs = rendered.deferrable === false ? undefined : PATIENCE_MS
      const seen = await lookOrCancel(wait, context, patienceMs)
      if (seen === undefined) throw new Defer({ trigger: TRIGGER, args: wait })
      step = await work.goOn(rendered, wait, seen, context)
    }
    return step.output
  }
  const lookOrCancel = async (wait: Wait, context: TaskContext, patienceMs?: number) => {
    try {
      return await work.look(wait, context, patienceMs)
    } catch (error) {
      if (context.signal.aborted) await cancelOnce(wait, context)
      throw error
    }
  }
  // A trigger that runs out of time has nobody else to cancel; one that is cancelled is asked to as well.
  const cancelled = new WeakSet<TaskContext>()
  const cancelOnce = async (wait: Wait, context: TaskContext) => {
    if (cancelled.has(context)) return
    cancelled.add(context)
    await work.cancel(wait, context)
  }
  return {
    name,
    args,
    run: async (rendered, context) => follow(rendered, await work.begin(rendered, context), context),
    async resume(rendered, event: DeferredEvent, context) {
      if ('error' in event) throw new Error(event.error)
      const { wait, seen } = event.value as { wait: Wait; seen: Seen }
      return follow(rendered, await work.goOn(rendered, wait, seen, context), context)
    },
    triggers: { [TRIGGER]: async (wait: Wait, context) => ({ wait, seen: await lookOrCancel(wait, context) }) },
    async cancel(rendered, context, waited) {
      const wait = waited === null ? await work.find(rendered, context) : (waited as Wait)
      if (wait !== null) await cancelOnce(wait, context)
    },
  }
}
