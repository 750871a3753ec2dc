/** Task instances as Airflow's clients read them. */
import type { DagRun } from '../../scheduling/dag-run.ts'
import { isDone, type TaskInstance } from '../../scheduling/task-instance.ts'
import type { TaskTry } from '../../scheduling/task-try.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { stableUuid } from './dag-response.ts'
import { durationSeconds } from './request.ts'

/** All of them, each with what it has of its run. */
export async function presentInstances(
  instances: readonly TaskInstance[],
  { runs, clock }: Pick<AirflowDoorOptions, 'runs' | 'clock'>,
): Promise<ReturnType<typeof presentInstance>[]> {
  const ofRun = new Map<string, DagRun | null>()
  for (const { dagId, runId } of instances) {
    const key = `${dagId}/${runId}`
    if (!ofRun.has(key)) ofRun.set(key, await runs.find(dagId, runId))
  }
  return instances.map((one) => presentInstance(one, ofRun.get(`${one.dagId}/${one.runId}`) ?? null, clock.now()))
}

/** `detail`, `retry_at` and what follows them are ours: why the task is in its state, and when it is tried again. */
export function presentInstance(instance: TaskInstance, run: DagRun | null, now: Date) {
  const { dagId, runId, taskId, mapIndex, renderedFields } = instance
  return {
    id: instanceId(instance),
    ...presentTry(instance, now),
    logical_date: run?.logicalDate ?? null,
    run_after: run?.runAfter ?? now.toISOString(),
    rendered_fields: typeof renderedFields === 'object' && renderedFields !== null ? renderedFields : {},
    rendered_map_index: instance.mapLabel ?? (mapIndex >= 0 ? String(mapIndex) : null),
    note: instance.note,
    trigger: null,
    triggerer_job: null,
    task_instance_key_str: `${dagId}__${taskId}__${runId}${mapIndex >= 0 ? `__${mapIndex}` : ''}`,
    retry_at: instance.retryAt,
    reschedule_count: instance.rescheduleCount,
    waits_for: instance.deferral === null || isDone(instance.state) ? null : presentWait(instance.deferral),
  }
}

/** What an instance and each of its earlier tries have in common. */
export function presentTry(one: TaskTry, now: Date) {
  const { dagId, runId, taskId, state, startedAt, endedAt } = one
  return {
    dag_id: dagId,
    dag_display_name: dagId,
    dag_run_id: runId,
    task_id: taskId,
    task_display_name: taskId,
    map_index: one.mapIndex,
    state: state === 'none' ? null : state,
    try_number: one.tryNumber,
    max_tries: one.maxTries,
    start_date: startedAt,
    end_date: endedAt,
    duration: durationSeconds(startedAt, endedAt, isDone(state) ? new Date(startedAt ?? 0) : now),
    scheduled_when: one.scheduledAt,
    queued_when: one.queuedAt,
    operator: one.operator,
    operator_name: one.operator,
    hostname: 'localhost',
    unixname: null,
    pid: null,
    pool: one.pool,
    pool_slots: one.poolSlots,
    priority_weight: one.priorityWeight,
    queue: 'default',
    executor: null,
    executor_config: '{}',
    dag_version: null,
    detail: one.detail,
  }
}

const instanceId = ({ dagId, runId, taskId, mapIndex }: Pick<TaskInstance, 'dagId' | 'runId' | 'taskId' | 'mapIndex'>): string =>
  stableUuid(`${dagId}/${runId}/${taskId}${mapIndex >= 0 ? `/${mapIndex}` : ''}`)

/** Without the arguments, which may hold secrets. */
const presentWait = ({ wait, timeoutAt }: NonNullable<TaskInstance['deferral']>) => ({
  kind: wait.kind,
  at: wait.kind === 'time' ? wait.at : null,
  trigger: wait.kind === 'trigger' ? wait.name : null,
  timeout_at: timeoutAt,
})
