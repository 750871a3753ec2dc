/** A turn whose commit has failed as far as anybody knows, and that may have been durable all the same. */
import type { Events } from '../core/events.ts'
import { type DagRun, type DagRunStore, runKey } from './dag-run.ts'
import { tell, tellMissed } from './notice.ts'
import { instanceKey, type TaskInstanceStore } from './task-instance.ts'
import type { Turn } from './turn.ts'

interface UnheardCommitOptions {
  readonly runs: DagRunStore
  readonly instances: TaskInstanceStore
  readonly events: Events
  readonly onFailed: (run: DagRun) => Promise<void>
}

/** What the turn has moved that is durable: whoever follows what happens hears of it after all, once, as it is now; `onFailed` of runs that have failed. */
export async function tellUnheardCommit(turn: Turn, { runs, instances, events, onFailed }: UnheardCommitOptions): Promise<void> {
  const last = new Map(turn.notices.map(({ notice, by }) => ['taskId' in notice ? instanceKey(notice) : runKey(notice), { notice, by }]))
  for (const { notice, by } of last.values()) {
    const { dagId, runId } = notice
    const now = 'taskId' in notice ? await instances.find(dagId, runId, notice.taskId, notice.mapIndex) : await runs.find(dagId, runId)
    if (now && now.revision >= notice.revision) tell(events, now, by)
  }
  for (const { run, index, at } of turn.missed) {
    const now = await runs.find(run.dagId, run.runId)
    if (now?.deadlines[index]?.isMissed) tellMissed(events, now, index, at)
  }
  for (const run of turn.failed) if ((await runs.find(run.dagId, run.runId))?.state === 'failed') await onFailed(run)
}
