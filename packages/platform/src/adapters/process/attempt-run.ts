/** One job in one worker: its limits of time, its cancellation, and what it asks. */
import type { Clock } from '../../core/clock.ts'
import { failed, type TaskOutcome } from '../../execution/task-outcome.ts'
import type { Question } from '../../execution/task-question.ts'
import type { JobWork } from '../../execution/worker-protocol.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'
import type { JobEnd, JobHost } from './job-host.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface JobRun {
  readonly worker: WorkerProcess
  readonly file: string
  readonly work: JobWork
  readonly attempt: Attempt | null
  readonly signal: AbortSignal
  readonly timeoutSeconds: number | null
  readonly graceMs: number
  readonly clock: Clock
  /** Set: it begins when another job of that worker ends, which is told then. */
  readonly onBegan?: () => void
  /** It has ended, and others have its place; its last words may still come. */
  readonly onOver?: () => void
  onLog(text: string): void
  answer(question: Question): Promise<unknown>
}

export interface JobResult {
  readonly outcome: TaskOutcome
  /** Milliseconds since 1970, by the worker. */
  readonly startedAt: number | null
  readonly endedAt: number | null
}

/** So long a worker may take to say that its task is over when the task does not listen: one that computes without a pause says nothing. */
const DEAF_GRACE_MS = 1_000

/** Null: another task has ended the worker, and this one has to begin anew. */
export function runJob(run: JobRun): Promise<JobResult | { readonly displaced: string }> {
  const { worker, file, work, attempt, signal, timeoutSeconds, graceMs, clock } = run
  return new Promise((resolve) => {
    let ended: TaskOutcome | null = null
    let over: AbortController | null = null
    let listens = false
    const end = (reason: string, outcome: TaskOutcome, isCancelled = false) => {
      if (ended) return
      ended = outcome
      // After a cancellation or a timeout the whole process tree goes, whatever state the task has left it in; not the others' that share it.
      if (worker.capacity === 1) worker.isSpent = true
      worker.abort(job, reason, isCancelled)
      over ??= new AbortController()
      const { signal: isOver } = over
      // Who cannot hear that he is to end has nothing to do with the time for it.
      const isDeaf = work.kind === 'run' && worker.capacity === 1 && !listens
      void clock.sleep(isDeaf ? Math.min(graceMs, DEAF_GRACE_MS) : graceMs, isOver).then(() => {
        if (!isOver.aborted) worker.kill(job)
      })
    }
    let hasBegun = run.onBegan === undefined
    const onAbort = () => {
      // It is put off then, unless it begins at this moment.
      if (!hasBegun) return worker.abort(job, CANCELLED.detail, true)
      // Whoever aborts for a reason of his own does not cancel: a wait may only be over.
      const reason = signal.reason as Error | undefined
      const isCancelled = reason?.name === 'AbortError'
      end(isCancelled ? CANCELLED.detail : (reason?.message ?? CANCELLED.detail), CANCELLED, isCancelled)
    }
    const onEnd = (message: JobEnd) => {
      over?.abort()
      signal.removeEventListener('abort', onAbort)
      if (message.type === 'displaced' && !ended) return resolve({ displaced: message.detail })
      const isDone = message.type === 'done'
      const own = isDone ? message.outcome : failed(message.detail)
      resolve({
        // What it had rendered is known although it was ended; and that it has begun something elsewhere, of which others must know.
        outcome: ended && own.state !== 'deferred' ? { ...ended, renderedFields: own.renderedFields } : own,
        startedAt: isDone ? message.startedAt : null,
        endedAt: isDone ? message.endedAt : null,
      })
    }
    const limitTime = () => {
      if (timeoutSeconds === null) return
      over ??= new AbortController()
      const { signal: isOver } = over
      const detail =
        work.kind === 'call'
          ? `It took longer than the ${timeoutSeconds} s that a callback has.`
          : `The task ran longer than its executionTimeout of ${timeoutSeconds} s.`
      void clock.sleep(timeoutSeconds * 1000, isOver).then(() => {
        if (!isOver.aborted) end(detail, failed(detail))
      })
    }
    const host: JobHost = {
      onLog: run.onLog,
      answer: run.answer,
      onListens: () => {
        listens = true
      },
      onBegan: () => {
        hasBegun = true
        run.onBegan?.()
        limitTime()
        if (signal.aborted) onAbort()
      },
      ...(run.onOver && { onOver: run.onOver }),
      onEnd,
    }
    const job = worker.start(file, work, attempt, host, !hasBegun)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    if (hasBegun) limitTime()
  })
}

export const CANCELLED = failed('The task was cancelled.', true)
