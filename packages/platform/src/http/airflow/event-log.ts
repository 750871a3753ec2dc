/** The event log in Airflow's words. */
import type { EventLogEntry } from '../../accounts/event-log.ts'
import { AppError } from '../../core/app-error.ts'
import { instant, many, one, ordering, pageOf, paging, patternOf, patterns, readQuery, text, whole } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { numberOf } from './request.ts'

const ORDERS = {
  id: 'id',
  event_log_id: 'id',
  dttm: 'at',
  when: 'at',
  event: 'event',
  owner: 'owner',
  dag_id: 'dagId',
  run_id: 'runId',
  task_id: 'taskId',
  logical_date: 'logicalDate',
  extra: 'extra',
} as const

export function addEventLogRoutes(door: Door, { recorder: { eventLog } }: AirflowDoorOptions): void {
  door.get('/api/v2/eventLogs', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, {
      ...paging,
      ...ordering(ORDERS),
      dag_id: one(text),
      task_id: one(text),
      run_id: one(text),
      map_index: one(whole(-1)),
      try_number: one(whole()),
      owner: one(text),
      event: one(text),
      excluded_events: many(text),
      included_events: many(text),
      before: one(instant),
      after: one(instant),
      ...patterns('dag_id'),
      ...patterns('task_id'),
      ...patterns('run_id'),
      ...patterns('owner'),
      ...patterns('event'),
    })
    const { entries, total } = await eventLog.list({
      ...pageOf(query),
      dagId: query.dag_id,
      taskId: query.task_id,
      runId: query.run_id,
      mapIndex: query.map_index,
      tryNumber: query.try_number,
      owner: query.owner,
      event: query.event,
      events: query.included_events,
      excludedEvents: query.excluded_events,
      at: { lt: query.before?.toISOString(), gt: query.after?.toISOString() },
      patterns: {
        dagId: patternOf(query, 'dag_id'),
        taskId: patternOf(query, 'task_id'),
        runId: patternOf(query, 'run_id'),
        owner: patternOf(query, 'owner'),
        event: patternOf(query, 'event'),
      },
      sort: query.order_by ?? [],
    })
    return c.json({ event_logs: entries.map(present), total_entries: total })
  })

  door.get('/api/v2/eventLogs/:id', permit('dags.read'), async (c) => {
    const entry = await eventLog.find(numberOf('event_log_id', c.req.param('id')))
    if (entry) return c.json(present(entry))
    throw new AppError('not_found', `There is no event log entry ${c.req.param('id')}. GET /api/v2/eventLogs lists them.`)
  })
}

const present = (entry: EventLogEntry) => ({
  event_log_id: entry.id,
  when: entry.at,
  event: entry.event,
  owner: entry.owner,
  dag_id: entry.dagId,
  dag_display_name: entry.dagId,
  run_id: entry.runId,
  task_id: entry.taskId,
  task_display_name: entry.taskId,
  map_index: entry.mapIndex,
  try_number: entry.tryNumber,
  logical_date: entry.logicalDate,
  extra: entry.extra,
})
