/** Health, version and import errors in Airflow's words. */
import { AppError } from '../../core/app-error.ts'
import type { ImportError } from '../../scheduling/dag.ts'
import { paging } from '../airflow-paging.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'

/** A scheduler at rest makes a turn a minute; one that has made none for so long is ill. */
const HEARTBEAT_LIMIT_MS = 150_000

export function addMonitorRoutes(door: Door, { scheduler, dags, clock, version }: AirflowDoorOptions): void {
  door.get('/api/v2/version', (c) => c.json({ version, git_version: null }))

  door.get('/api/v2/monitor/health', (c) => {
    const last = scheduler.lastTurnAt
    const isHealthy = last !== null && clock.now().getTime() - last.getTime() < HEARTBEAT_LIMIT_MS
    return c.json({
      metadatabase: { status: 'healthy' },
      scheduler: { status: isHealthy ? 'healthy' : 'unhealthy', latest_scheduler_heartbeat: last?.toISOString() ?? null },
      triggerer: { status: null, latest_triggerer_heartbeat: null },
      dag_processor: { status: null, latest_dag_processor_heartbeat: null },
    })
  })

  door.get('/api/v2/importErrors', permit('dags.read'), async (c) => {
    const { limit, offset } = paging((name) => c.req.query(name))
    const errors = await dags.importErrors()
    return c.json({ import_errors: errors.slice(offset, offset + limit).map(present), total_entries: errors.length })
  })

  door.get('/api/v2/importErrors/:id', permit('dags.read'), async (c) => {
    const found = (await dags.importErrors()).find(({ id }) => String(id) === c.req.param('id'))
    if (!found) throw new AppError('not_found', `There is no import error ${c.req.param('id')}. GET /api/v2/importErrors lists them.`)
    return c.json(present(found))
  })
}

/** `line` and `message` are ours; the rest is Airflow's. */
const present = ({ id, file, line, message, trace, at }: ImportError) => ({
  import_error_id: id,
  timestamp: at,
  filename: file,
  bundle_name: 'dags-folder',
  stack_trace: line === null ? trace : `${file}:${line}\n${trace}`,
  line,
  message,
})
