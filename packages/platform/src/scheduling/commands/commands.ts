/** What people and programs can tell the scheduler to do: each command is part of a turn, and answered when that is kept. */
import type { Pattern } from '../../core/pattern.ts'
import type { AssetEvent } from '../asset.ts'
import type { Backfill, BackfillRequest } from '../backfill.ts'
import type { PlannedDate } from '../backfill-plan.ts'
import { type ClearRequest, clearRunRequest } from '../clear.ts'
import type { DagRun } from '../dag-run.ts'
import type { Explanation } from '../explain.ts'
import type { Answer } from '../input-answer.ts'
import type { RunRequest } from '../manual-run.ts'
import type { MarkedState, MarkRequest } from '../mark.ts'
import type { TaskInstance } from '../task-instance.ts'
import { createAssetEvent, materialize } from './asset.ts'
import { cancelBackfill, createBackfill, planBackfill, setBackfillPaused } from './backfill.ts'
import type { Command } from './command.ts'
import { explain } from './explain.ts'
import { deleteDag, deleteRun, setRunState, trigger } from './run.ts'
import { answerInput, clear, setTaskNote, setTaskState } from './task.ts'

type MarkOptions = Pick<MarkRequest, 'upstream' | 'downstream' | 'future' | 'past'> & { readonly dryRun: boolean }

export abstract class Commands {
  /** How many tasks may hold a slot at the same time. */
  protected abstract readonly parallelism: number
  /** What the id of a run by hand has to match; undefined: what every id has to. */
  protected abstract readonly runIdPattern: Pattern | undefined

  /** Does `work` within a turn. */
  protected abstract command<T>(work: (command: Command) => Promise<T>): Promise<T>

  /** Creates a run by hand; of a paused DAG it waits as `queued`. Throws `not_found`, `invalid`, `conflict`. */
  trigger(dagId: string, request: RunRequest, by: string): Promise<DagRun> {
    return this.command((command) => trigger(command, dagId, request, by, this.runIdPattern))
  }

  /** Marks a run by hand, with all that follows for its tasks. Throws `not_found`, `conflict`. */
  setRunState(dagId: string, runId: string, state: 'queued' | 'success' | 'failed', by: string): Promise<DagRun> {
    return this.command((command) => setRunState(command, { dagId, runId, state, by }))
  }

  /** Clears the tasks of a run, which is taken up again. Answers them: for a dry run as they are, else as they become. */
  clearRun(dagId: string, runId: string, options: Pick<ClearRequest, 'onlyFailed' | 'dryRun'>, by: string): Promise<TaskInstance[]> {
    return this.clear(dagId, clearRunRequest(runId, options), by)
  }

  /** Clears tasks so that they run again. Answers as {@link clearRun}. Throws `not_found`, `invalid`, `conflict`. */
  clear(dagId: string, request: ClearRequest, _by: string): Promise<TaskInstance[]> {
    return this.command((command) => clear(command, dagId, request))
  }

  /** Marks tasks by hand. Answers what changes. Throws `not_found`, `invalid`. */
  setTaskState(
    dagId: string,
    runId: string,
    keys: MarkRequest['keys'],
    state: MarkedState,
    { dryRun = false, upstream = false, downstream = false, future = false, past = false }: Partial<MarkOptions>,
    by: string,
  ): Promise<TaskInstance[]> {
    const around = { upstream, downstream, future, past }
    return this.command((command) => setTaskState(command, { dagId, runId, keys, state, dryRun, by, ...around }))
  }

  setTaskNote(dagId: string, runId: string, taskId: string, mapIndex: number, note: string | null): Promise<TaskInstance> {
    return this.command((command) => setTaskNote(command, { dagId, runId, taskId, mapIndex, note }))
  }

  /** Answers the question of a task that waits for a human. Throws `not_found`, `conflict`, `forbidden`, `invalid`. */
  answerInput(dagId: string, runId: string, taskId: string, mapIndex: number, answer: Answer, by: string): Promise<TaskInstance> {
    return this.command((command) => answerInput(command, { dagId, runId, taskId, mapIndex, ...answer, by }))
  }

  /** What a backfill would make, without making it. */
  planBackfill(request: BackfillRequest): Promise<PlannedDate[]> {
    return this.command((command) => planBackfill(command, request))
  }

  createBackfill(request: BackfillRequest, by: string): Promise<Backfill> {
    return this.command((command) => createBackfill(command, request, by))
  }

  setBackfillPaused(id: number, isPaused: boolean): Promise<Backfill> {
    return this.command((command) => setBackfillPaused(command, id, isPaused))
  }

  cancelBackfill(id: number, by = 'system'): Promise<Backfill> {
    return this.command((command) => cancelBackfill(command, id, by))
  }

  createAssetEvent({ assetId, extra }: { assetId: number; extra: AssetEvent['extra'] }, by: string): Promise<AssetEvent> {
    return this.command((command) => createAssetEvent(command, { assetId, extra, by }))
  }

  /** Triggers the DAG that updates an asset. Throws `not_found`, `invalid`, `conflict`, also when several DAGs do. */
  materialize(assetId: number, by: string, request: RunRequest = {}): Promise<DagRun> {
    return this.command((command) => materialize(command, { assetId, request, by, runIds: this.runIdPattern }))
  }

  /** Why a task does not run, what would free it, and when. Throws `not_found`. */
  explain(dagId: string, runId: string, taskId: string, mapIndex = -1): Promise<Explanation> {
    return this.command((command) => explain(command, { dagId, runId, taskId, mapIndex, parallelism: this.parallelism }))
  }

  deleteRun(dagId: string, runId: string): Promise<void> {
    return this.command((command) => deleteRun(command, dagId, runId))
  }

  deleteDag(dagId: string): Promise<void> {
    return this.command((command) => deleteDag(command, dagId))
  }
}
