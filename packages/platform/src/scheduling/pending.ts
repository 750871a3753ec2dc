/** What was committed to be done beside the tries, and of which nobody knows that it was: it is taken up again when the board is read. */
import type { Board } from './board.ts'
import type { CallbackStore } from './callback.ts'
import type { CancellationStore } from './cancellation.ts'
import { runKey } from './dag-run.ts'
import type { Launcher } from './launcher.ts'

/** Calls that were committed and not made: the platform has ended before, or did not hear that they were. */
export async function callPending(board: Board, launcher: () => Launcher, callbacks: CallbackStore | undefined): Promise<void> {
  for (const call of (await callbacks?.listPending()) ?? []) {
    const document = board.dags.get(call.dagId)?.record.document
    const task = document?.tasks.find(({ taskId }) => taskId === call.attempt?.taskId)
    const attempt = call.attempt && document && task ? { ...call.attempt, dag: document, task } : null
    if (document && (attempt !== null) === (call.attempt !== null)) launcher().call({ ...call, attempt })
  }
}

/** Cancellations that were committed, and of which nobody has heard that they have come to their end. */
export async function cancelPending(board: Board, launcher: () => Launcher, cancellations: CancellationStore | undefined): Promise<void> {
  for (const { attempt: kept, ...cancellation } of (await cancellations?.listPending()) ?? []) {
    const document = board.dags.get(kept.dagId)?.record.document
    const task = document?.tasks.find(({ taskId }) => taskId === kept.taskId)
    if (document && task) launcher().cancelWait({ ...cancellation, attempt: { ...kept, dag: document, task } })
  }
}

/** Ends work of this process for what has moved on, while the turn that moved it was taken to have failed. */
export function endUnwanted(board: Board, launcher: Launcher): void {
  launcher.keepOnly({
    attempt: (attemptId) => board.findAttempt(attemptId) !== undefined,
    wait: (instance) => {
      const now = board.runs.get(runKey(instance))?.find(instance.taskId, instance.mapIndex)
      return now?.state === 'deferred' && now.queuedAt === instance.queuedAt && now.tryNumber === instance.tryNumber
    },
  })
}
