/** What a journal entry holds of a turn: nothing that is made anew, and nothing that the tables keep encrypted. */
import { type Changes, type DagRun, runKey } from '../../scheduling/dag-run.ts'
import { instanceKey, type TaskInstance } from '../../scheduling/task-instance.ts'

export type Moves = Pick<Changes, 'runs' | 'instances' | 'tries' | 'xcoms' | 'xcomsCleared' | 'callbacksDone' | 'cancellationsDone'>

/** Null when there is more to the changes than moves. */
export function movesOf(changes: Changes): Moves | null {
  if (!isOnlyMoves(changes)) return null
  const { runs, instances, tries, xcoms, xcomsCleared, callbacksDone, cancellationsDone } = changes
  return { runs, instances, tries, xcoms, xcomsCleared, callbacksDone, cancellationsDone }
}

const isOnlyMoves = (changes: Changes): boolean =>
  changes.created.length === 0 &&
  changes.added.length === 0 &&
  changes.deleted.length === 0 &&
  changes.callbacks.length === 0 &&
  changes.cancellations.length === 0 &&
  changes.assetEvents.length === 0 &&
  changes.assetsQueued.length === 0 &&
  changes.assetsConsumed.length === 0 &&
  changes.backfills.length === 0 &&
  changes.backfillDates.length === 0 &&
  changes.instances.every(({ deferral }) => deferral?.wait.kind !== 'trigger')

/** Of each run and instance only where it has come to; what else there is, in its order. */
export function* joined(pending: readonly Moves[]): Generator<Moves> {
  const runs = new Map<string, DagRun>()
  const instances = new Map<string, TaskInstance>()
  for (const moves of pending) {
    for (const run of moves.runs) runs.set(runKey(run), run)
    for (const instance of moves.instances) instances.set(instanceKey(instance), instance)
  }
  const [first] = pending
  if (!first) return
  yield { ...first, runs: [...runs.values()], instances: [...instances.values()] }
  for (const moves of pending.slice(1)) yield { ...moves, runs: [], instances: [] }
}
