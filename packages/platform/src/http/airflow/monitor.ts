/** Health, version and jobs in Airflow's words. */
import { hostname } from 'node:os'
import { pageOfItems } from '../airflow-list.ts'
import { instantRange, instants, one, ordering, pageOf, paging, readQuery, text, truth } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'

/** A scheduler at rest makes a turn a minute; one that has made none for so long is ill. */
const HEARTBEAT_LIMIT_MS = 150_000

const ORDERS = {
  id: 'id',
  dag_id: 'dag_id',
  state: 'state',
  job_type: 'job_type',
  start_date: 'start_date',
  end_date: 'end_date',
  latest_heartbeat: 'latest_heartbeat',
  executor_class: 'executor_class',
  hostname: 'hostname',
  unixname: 'unixname',
} as const

export function addMonitorRoutes(door: Door, { scheduler, clock, version }: AirflowDoorOptions): void {
  const startedAt = clock.now().toISOString()
  const health = () => {
    const last = scheduler.lastTurnAt
    const isHealthy = last !== null && clock.now().getTime() - last.getTime() < HEARTBEAT_LIMIT_MS
    return { isHealthy, status: isHealthy ? 'healthy' : 'unhealthy', at: last?.toISOString() ?? null }
  }

  door.get('/api/v2/version', (c) => c.json({ version, git_version: null }))

  door.get('/api/v2/monitor/health', (c) => {
    const { status, at } = health()
    return c.json({
      metadatabase: { status: 'healthy' },
      scheduler: { status, latest_scheduler_heartbeat: at },
      // What waits without a worker is the scheduler's own work.
      triggerer: { status, latest_triggerer_heartbeat: at },
      dag_processor: { status: null, latest_dag_processor_heartbeat: null },
    })
  })

  // One process does it all.
  door.get('/api/v2/jobs', permit('dags.read'), (c) => {
    const query = readQuery(c.req, {
      ...paging,
      ...ordering(ORDERS),
      ...instants('start_date', 'end_date'),
      is_alive: one(truth),
      job_state: one(text),
      job_type: one(text),
      hostname: one(text),
      executor_class: one(text),
    })
    const { isHealthy, at } = health()
    const job = {
      id: 1,
      dag_id: null,
      dag_display_name: null,
      state: isHealthy ? 'running' : 'failed',
      job_type: 'SchedulerJob',
      start_date: startedAt,
      end_date: null,
      latest_heartbeat: at,
      executor_class: 'WorkerPool',
      hostname: hostname(),
      unixname: null,
    }
    const started = instantRange(query, 'start_date')
    const hasEnd = Object.values(instantRange(query, 'end_date')).some((bound) => bound !== undefined)
    const isAsked =
      !hasEnd &&
      (query.is_alive === undefined || query.is_alive === isHealthy) &&
      (query.job_state === undefined || query.job_state === job.state) &&
      (query.job_type === undefined || query.job_type === job.job_type) &&
      (query.hostname === undefined || query.hostname === job.hostname) &&
      (query.executor_class === undefined || query.executor_class === job.executor_class) &&
      (started.gte === undefined || startedAt >= started.gte) &&
      (started.gt === undefined || startedAt > started.gt) &&
      (started.lte === undefined || startedAt <= started.lte) &&
      (started.lt === undefined || startedAt < started.lt)
    const jobs = isAsked ? [job] : []
    return c.json({ jobs: pageOfItems(jobs, pageOf(query), query.order_by, (each, column) => each[column]), total_entries: jobs.length })
  })
}
