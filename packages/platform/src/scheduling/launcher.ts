/** Hands work to the runner and reports what comes of it. What it has in hand lives as long as the process. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Cancellation, TriggerWait } from './cancellation.ts'
import type { Report } from './report.ts'
import { instanceKey, type TaskInstance } from './task-instance.ts'
import { type Attempt, type CallbackCall, type TaskRunner, WaitEnded } from './task-runner.ts'

interface LauncherOptions {
  readonly runner: TaskRunner
  readonly clock: Clock
  readonly logger: Logger
  readonly report: (report: Report) => void
}

/** A wait under way, for the instance as it is now; `ended` when nothing of it is left. */
interface Held {
  instance: TaskInstance
  readonly controller: AbortController
  ended: Promise<void>
}

export class Launcher {
  readonly #options: LauncherOptions
  readonly #attempts = new Map<string, AbortController>()
  readonly #waits = new Map<string, Held>()
  /** Tries that have just been deferred, of which the scheduler has not heard yet, by instance. */
  readonly #justDeferred = new Map<string, { readonly attempt: Attempt; readonly wait: TriggerWait }>()
  readonly #calls = new Set<string>()
  readonly #cancelling = new Set<string>()
  readonly #ending = new AbortController()

  constructor(options: LauncherOptions) {
    this.#options = options
  }

  isRunning(attemptId: string): boolean {
    return this.#attempts.has(attemptId)
  }

  /** Ends everything without cancelling what has been begun elsewhere. Nothing is reported any more. */
  async stop(): Promise<void> {
    this.#ending.abort()
    this.#attempts.clear()
    this.#waits.clear()
    this.#justDeferred.clear()
    await this.#options.runner.stop()
  }

  run(attempt: Attempt): void {
    const { attemptId } = attempt
    const { runner, logger, clock } = this.#options
    const controller = new AbortController()
    this.#attempts.set(attemptId, controller)
    runner
      .run(attempt, controller.signal, () => this.#report({ kind: 'started', attemptId, at: clock.now() }))
      .catch((error: unknown) => {
        logger.error('A task could not be run.', { dagId: attempt.dagId, taskId: attempt.taskId, error: messageOf(error) })
        return { state: 'failed' as const, detail: `The task could not be run: ${messageOf(error)}`, isFinal: false, renderedFields: null }
      })
      .then((result) => {
        this.#attempts.delete(attemptId)
        if (result.state === 'deferred' && result.wait.kind === 'trigger') {
          const { wait } = result
          if (controller.signal.aborted) void this.#cancelBegun(attempt, wait)
          else this.#justDeferred.set(instanceKey(attempt), { attempt, wait })
        }
        this.#report({ kind: 'ended', attemptId, result })
      })
  }

  /** Also of a try that has just been deferred what it has begun elsewhere. */
  cancel(attemptId: string): void {
    this.#attempts.get(attemptId)?.abort()
    for (const [key, { attempt, wait }] of this.#justDeferred) {
      if (attempt.attemptId !== attemptId) continue
      this.#justDeferred.delete(key)
      void this.#cancelBegun(attempt, wait)
    }
  }

  /** Waits for a deferred instance; nothing happens when it is waited for already. */
  wait(attempt: Attempt, instance: TaskInstance): void {
    const wait = instance.deferral?.wait
    const key = instanceKey(instance)
    this.#justDeferred.delete(key)
    if (wait?.kind !== 'trigger') return
    const known = this.#waits.get(key)
    if (known && isSameWait(known.instance, instance)) {
      known.instance = instance
      return
    }
    const controller = new AbortController()
    known?.controller.abort()
    const held: Held = { instance, controller, ended: Promise.resolve() }
    this.#waits.set(key, held)
    const { runner } = this.#options
    held.ended = runner
      .wait(attempt, wait, controller.signal)
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error: messageOf(error), ...(error instanceof WaitEnded && { ends: error.ends }) }),
      )
      .then((event) => {
        if (this.#waits.get(key)?.controller === controller) this.#waits.delete(key)
        if (!controller.signal.aborted) this.#report({ kind: 'waited', instance: held.instance, event })
      })
  }

  /** Ends the wait of a deferred instance that is over. What its operator has begun elsewhere goes on. */
  endWait(instance: TaskInstance): void {
    const key = instanceKey(instance)
    this.#waits.get(key)?.controller.abort(new Error('The time to wait is over.'))
    this.#waits.delete(key)
    this.#justDeferred.delete(key)
  }

  /** Ends a wait, and has its operator end what it has begun elsewhere, also if nobody waits just now. */
  cancelWait({ id, attempt, wait }: Cancellation): void {
    if (this.#cancelling.has(id)) return
    this.#cancelling.add(id)
    const key = instanceKey(attempt)
    const known = this.#waits.get(key)
    this.#waits.delete(key)
    this.#justDeferred.delete(key)
    known?.controller.abort()
    const ended = known?.ended ?? this.#cancelBegun(attempt, wait)
    void ended.then(() => {
      this.#cancelling.delete(id)
      this.#report({ kind: 'cancelled', id })
    })
  }

  /** Ends what has no place any more: tries and waits of instances that have moved on without this being told. */
  keepOnly(isWanted: { readonly attempt: (attemptId: string) => boolean; readonly wait: (instance: TaskInstance) => boolean }): void {
    for (const attemptId of [...this.#attempts.keys()]) if (!isWanted.attempt(attemptId)) this.cancel(attemptId)
    for (const { attempt } of [...this.#justDeferred.values()]) if (!isWanted.attempt(attempt.attemptId)) this.cancel(attempt.attemptId)
    for (const { instance } of [...this.#waits.values()]) if (!isWanted.wait(instance)) this.endWait(instance)
  }

  call(call: CallbackCall): void {
    if (this.#calls.has(call.id)) return
    this.#calls.add(call.id)
    const { runner, logger } = this.#options
    runner
      .call(call, this.#ending.signal)
      .catch((error: unknown) => {
        logger.error('A callback has failed.', { dagId: call.dagId, runId: call.runId, which: call.which, error: messageOf(error) })
      })
      .then(() => {
        this.#calls.delete(call.id)
        this.#report({ kind: 'called', id: call.id })
      })
  }

  /** Has the operator end what it has begun elsewhere, although nobody waits for it. */
  async #cancelBegun(attempt: Attempt, wait: TriggerWait): Promise<void> {
    if (this.#ending.signal.aborted) return
    try {
      await this.#options.runner.wait(attempt, wait, AbortSignal.abort())
    } catch (error) {
      const { dagId, runId, taskId } = attempt
      this.#options.logger.info('The wait of a deferred task was cancelled.', { dagId, runId, taskId, reason: messageOf(error) })
    }
  }

  #report(report: Report): void {
    if (!this.#ending.signal.aborted) this.#options.report(report)
  }
}

/** A note to a deferred task changes the instance, and not what it waits for. */
const isSameWait = (a: TaskInstance, b: TaskInstance): boolean =>
  a.tryNumber === b.tryNumber && a.rescheduleCount === b.rescheduleCount && a.queuedAt === b.queuedAt && a.startedAt === b.startedAt
