/** Hands work to the runner and reports what comes of it. What it has in hand lives as long as the process. */
import { messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Report } from './report.ts'
import { instanceKey, type TaskInstance, type Wait } from './task-instance.ts'
import { type Attempt, type CallbackCall, type TaskRunner, WaitEnded } from './task-runner.ts'

interface LauncherOptions {
  readonly runner: TaskRunner
  readonly clock: Clock
  readonly logger: Logger
  readonly report: (report: Report) => void
}

type TriggerWait = Extract<Wait, { kind: 'trigger' }>

export class Launcher {
  readonly #options: LauncherOptions
  readonly #attempts = new Map<string, AbortController>()
  readonly #waits = new Map<string, { instance: TaskInstance; readonly controller: AbortController }>()
  /** Tries that have just been deferred, of which the scheduler has not heard yet, by instance. */
  readonly #justDeferred = new Map<string, { readonly attempt: Attempt; readonly wait: TriggerWait }>()
  readonly #calls = new Set<string>()
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
          if (controller.signal.aborted) this.#cancelBegun(attempt, wait)
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
      this.#cancelBegun(attempt, wait)
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
    const held = { instance, controller }
    this.#waits.set(key, held)
    const { runner } = this.#options
    runner
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

  /** Ends the wait of a deferred instance; when it is cancelled, so is what its operator has begun elsewhere, also if nobody waits just now. */
  endWait(attempt: Attempt | null, instance: TaskInstance, isCancelled: boolean): void {
    const key = instanceKey(instance)
    const wait = instance.deferral?.wait
    const known = this.#waits.get(key)
    this.#waits.delete(key)
    this.#justDeferred.delete(key)
    if (known) known.controller.abort(isCancelled ? undefined : new Error('The time to wait is over.'))
    else if (isCancelled && attempt && wait?.kind === 'trigger') this.#cancelBegun(attempt, wait)
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
  #cancelBegun(attempt: Attempt, wait: TriggerWait): void {
    if (this.#ending.signal.aborted) return
    this.#options.runner.wait(attempt, wait, AbortSignal.abort()).catch((error: unknown) => {
      const { dagId, runId, taskId } = attempt
      this.#options.logger.info('The wait of a deferred task was cancelled.', { dagId, runId, taskId, reason: messageOf(error) })
    })
  }

  #report(report: Report): void {
    if (!this.#ending.signal.aborted) this.#options.report(report)
  }
}

/** A note to a deferred task changes the instance, and not what it waits for. */
const isSameWait = (a: TaskInstance, b: TaskInstance): boolean =>
  a.tryNumber === b.tryNumber && a.rescheduleCount === b.rescheduleCount && a.queuedAt === b.queuedAt && a.startedAt === b.startedAt
