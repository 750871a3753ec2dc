/** Task instances and their logs in Airflow's words. */
import { createHash } from 'node:crypto'
import { AppError } from '../../core/app-error.ts'
import type { DagRun } from '../../scheduling/dag-run.ts'
import { isDone, type TaskInstance, type TaskInstanceState } from '../../scheduling/task-instance.ts'
import { paging } from '../airflow-paging.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { choices, durationSeconds, findInstance, findRun } from './request.ts'

const STATES: readonly TaskInstanceState[] = [
  'none',
  'scheduled',
  'queued',
  'running',
  'success',
  'failed',
  'skipped',
  'upstream_failed',
  'up_for_retry',
  'removed',
]

export function addTaskInstanceRoutes(door: Door, { runs, instances, logs, clock }: AirflowDoorOptions): void {
  door.get('/api/v2/dags/:dag/dagRuns/:run/taskInstances', permit('dags.read'), async (c) => {
    const { dag, run } = c.req.param()
    if (dag !== '~' && run !== '~') await findRun(runs, dag, run)
    const states = choices('state', c.req.queries('state'), STATES)
    const found = await instances.list({
      ...(dag !== '~' && { dagId: dag }),
      ...(run !== '~' && { runId: run }),
      ...(states && { states }),
      ...paging((name) => c.req.query(name)),
    })
    const ofRun = new Map<string, DagRun | null>()
    for (const { dagId, runId } of found.instances) {
      const key = `${dagId}/${runId}`
      if (!ofRun.has(key)) ofRun.set(key, await runs.find(dagId, runId))
    }
    const presented = found.instances.map((one) => present(one, ofRun.get(`${one.dagId}/${one.runId}`) ?? null, clock.now()))
    return c.json({ task_instances: presented, total_entries: found.total })
  })

  door.get('/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task', permit('dags.read'), async (c) => {
    const { dag, run, task } = c.req.param()
    const found = await findRun(runs, dag, run)
    return c.json(present(await findInstance(instances, dag, run, task), found, clock.now()))
  })

  door.get('/api/v2/dags/:dag/dagRuns/:run/taskInstances/:task/logs/:try', permit('dags.read'), async (c) => {
    const { dag, run, task, try: text } = c.req.param()
    const instance = await findInstance(instances, dag, run, task)
    const tryNumber = Number(text)
    if (!Number.isInteger(tryNumber) || tryNumber < 1 || tryNumber > Math.max(1, instance.tryNumber)) {
      throw new AppError(
        'not_found',
        `Task "${task}" in run "${run}" of DAG "${dag}" has no try ${text}; it has had ${instance.tryNumber}.`,
      )
    }
    const log = (await logs.read({ dagId: dag, runId: run, taskId: task, tryNumber })) ?? ''
    if (c.req.header('accept')?.includes('text/plain')) return c.text(log)
    if (c.req.header('accept')?.includes('application/x-ndjson')) {
      return c.body(
        structured(log)
          .map((line) => `${JSON.stringify(line)}\n`)
          .join(''),
        200,
        { 'Content-Type': 'application/x-ndjson' },
      )
    }
    return c.json({ content: structured(log), continuation_token: null })
  })
}

/** `detail` and `retry_at` are ours: why the task is in its state, and when it is tried again. */
function present(instance: TaskInstance, run: DagRun | null, now: Date) {
  const { dagId, runId, taskId, operator, state, tryNumber, maxTries, startedAt, endedAt, detail, retryAt } = instance
  return {
    id: stableUuid(`${dagId}/${runId}/${taskId}`),
    dag_id: dagId,
    dag_display_name: dagId,
    dag_run_id: runId,
    task_id: taskId,
    task_display_name: taskId,
    map_index: -1,
    state: state === 'none' ? null : state,
    try_number: tryNumber,
    max_tries: maxTries,
    logical_date: run?.logicalDate ?? null,
    run_after: run?.runAfter ?? now.toISOString(),
    start_date: startedAt,
    end_date: endedAt,
    duration: durationSeconds(startedAt, endedAt, isDone(state) || startedAt === null ? new Date(startedAt ?? 0) : now),
    scheduled_when: instance.scheduledAt,
    queued_when: instance.queuedAt,
    operator,
    operator_name: operator,
    rendered_fields: typeof instance.renderedFields === 'object' && instance.renderedFields !== null ? instance.renderedFields : {},
    rendered_map_index: null,
    note: null,
    detail,
    retry_at: retryAt,
    hostname: 'localhost',
    unixname: null,
    pid: null,
    pool: 'default_pool',
    pool_slots: 1,
    priority_weight: 1,
    queue: 'default',
    executor: null,
    executor_config: '{}',
    trigger: null,
    triggerer_job: null,
    dag_version: null,
  }
}

/** Airflow gives each instance a UUID; ours is made of what names it. */
function stableUuid(name: string): string {
  const hex = createHash('sha1').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const structured = (log: string): { timestamp: string | null; event: string }[] =>
  log
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, timestamp = null, event = line] = /^(\d{4}-\d\d-\d\dT\S+Z) (.*)$/.exec(line) ?? []
      return { timestamp, event }
    })
