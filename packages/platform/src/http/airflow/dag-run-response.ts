/** Runs as Airflow's clients read them. */
import type { DagRun, DagRunState, RunType } from '../../scheduling/dag-run.ts'
import { durationSeconds } from './request.ts'

export const RUN_STATES: readonly DagRunState[] = ['queued', 'running', 'success', 'failed']
export const RUN_TYPES: readonly RunType[] = ['backfill', 'scheduled', 'manual', 'asset_triggered', 'asset_materialization']

export function presentRun(run: DagRun, now: Date) {
  return {
    dag_run_id: run.runId,
    dag_id: run.dagId,
    dag_display_name: run.dagId,
    logical_date: run.logicalDate,
    data_interval_start: run.dataIntervalStart,
    data_interval_end: run.dataIntervalEnd,
    run_after: run.runAfter,
    queued_at: run.queuedAt,
    start_date: run.startedAt,
    end_date: run.endedAt,
    duration: durationSeconds(run.startedAt, run.endedAt, now),
    run_type: run.runType,
    state: run.state,
    triggered_by: run.triggeredBy,
    triggering_user_name: run.createdBy.startsWith('user:') ? run.createdBy.slice(5) : null,
    conf: run.conf,
    note: run.note,
    last_scheduling_decision: run.decidedAt,
    partition_key: null,
    bundle_version: null,
    dag_versions: [],
    // Ours: how often it was cleared, of which backfill it is, and by when it has to be through.
    clear_number: run.clearNumber,
    backfill_id: run.backfill?.id ?? null,
    deadlines: run.deadlines.flatMap((deadline) => (deadline ? [{ at: deadline.at, is_missed: deadline.isMissed }] : [])),
  }
}
