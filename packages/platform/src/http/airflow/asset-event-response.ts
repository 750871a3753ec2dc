/** Updates of assets as Airflow's clients read them. */
import type { AssetEvent } from '../../scheduling/asset.ts'
import type { DagRun } from '../../scheduling/dag-run.ts'
import { maskFields } from '../../secrets/masking.ts'

/** `runs`: those that were made of it. */
export const presentAssetEvent = (
  { id, assetId, name, uri, group, extra, at, source, createdBy, aliases }: AssetEvent,
  runs: readonly DagRun[],
) => ({
  id,
  asset_id: assetId,
  name,
  uri,
  group,
  extra: maskFields(extra),
  timestamp: at,
  source_dag_id: source?.dagId ?? null,
  source_run_id: source?.runId ?? null,
  source_task_id: source?.taskId ?? null,
  source_map_index: source?.mapIndex ?? -1,
  partition_key: null,
  created_dagruns: runs.map((run) => ({
    dag_id: run.dagId,
    run_id: run.runId,
    logical_date: run.logicalDate,
    start_date: run.startedAt ?? run.queuedAt,
    end_date: run.endedAt,
    state: run.state,
    data_interval_start: run.dataIntervalStart,
    data_interval_end: run.dataIntervalEnd,
    partition_key: null,
    triggering: true,
  })),
  // Ours.
  created_by: createdBy.replace(/^user:/, ''),
  aliases,
})
