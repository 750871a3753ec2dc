/** Many runs changed, deleted or cleared with one request, in Airflow's words. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import type { TaskInstance } from '../../scheduling/task-instance.ts'
import { readBody } from '../airflow-body.ts'
import { bulk, bulkBody, masked } from '../airflow-bulk.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { Clear } from './dag-run.ts'
import { presentRun } from './dag-run-response.ts'
import { ANY, findRun } from './request.ts'
import { presentInstances } from './task-instance-response.ts'

const Entity = z.strictObject({
  dag_run_id: z.string(),
  dag_id: z.string().nullish(),
  state: z.enum(['queued', 'success', 'failed']).nullish(),
  note: z.string().max(1000).nullish(),
})
type Entity = z.infer<typeof Entity>

const ClearMany = Clear.extend({
  dag_runs: z.array(Entity).min(1).max(1000),
  partition_key: z.null('is not supported: runs have no partitions').optional(),
  partition_date_start: z.null('is not supported: runs have no partitions').optional(),
  partition_date_end: z.null('is not supported: runs have no partitions').optional(),
})

export function addDagRunBulkRoutes(door: Door, options: AirflowDoorOptions): void {
  const { scheduler, runs, logs, clock, recorder } = options

  door.patch('/api/v2/dags/:dag/dagRuns', permit('dags.run'), recorded(recorder, 'bulk_dag_runs'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const dag = c.req.param('dag')
    const body = await readBody(c.req.raw, bulkBody(Entity, Entity))
    const placeOf = (entity: Entity) => ({ dagId: dag === ANY ? (entity.dag_id ?? '') : dag, runId: entity.dag_run_id })
    const keyOf = (entity: Entity) => (dag === ANY ? `${entity.dag_id ?? ''}.${entity.dag_run_id}` : entity.dag_run_id)
    const places = new Map<string, { readonly dagId: string; readonly runId: string }>()
    for (const entity of body.actions.flatMap(({ entities }): (string | Entity)[] => entities))
      if (typeof entity !== 'string') places.set(keyOf(entity), placeOf(entity))
    const place = (key: string) => places.get(key) ?? { dagId: dag, runId: key }
    return c.json(
      await bulk<Entity, Entity>(body, {
        noun: 'run',
        keyOf,
        has: async (key) => (await runs.find(place(key).dagId, place(key).runId)) !== null,
        create: async () => {
          throw new AppError('invalid', 'Runs are not made in bulk. Trigger each, or make a backfill.')
        },
        update: async (entity, mask) => {
          const { dagId, runId } = placeOf(entity)
          const { state, note } = masked(entity, mask)
          if (state) await scheduler.setRunState(dagId, runId, state, subject)
          if (note !== undefined) await runs.updateNote(dagId, runId, note)
        },
        delete: async (key) => {
          const { dagId, runId } = place(key)
          await scheduler.deleteRun(dagId, runId)
          await logs.delete(dagId, runId)
        },
      }),
    )
  })

  door.post('/api/v2/dags/:dag/clearDagRuns', permit('dags.run'), recorded(recorder, 'clear_dag_runs'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const body = await readBody(c.req.raw, ClearMany)
    const dag = c.req.param('dag')
    const places = body.dag_runs.map((each) => ({ dagId: dag === ANY ? (each.dag_id ?? '') : dag, runId: each.dag_run_id }))
    for (const { dagId, runId } of places) await findRun(runs, dagId, runId)
    const cleared: TaskInstance[] = []
    for (const { dagId, runId } of places) {
      cleared.push(...(await scheduler.clearRun(dagId, runId, { onlyFailed: body.only_failed, dryRun: body.dry_run }, subject)))
      if (body.note !== undefined && !body.dry_run) await runs.updateNote(dagId, runId, body.note)
    }
    if (body.dry_run) return c.json({ task_instances: await presentInstances(cleared, options), total_entries: cleared.length })
    const found = await Promise.all(places.map(({ dagId, runId }) => findRun(runs, dagId, runId)))
    return c.json({ dag_runs: found.map((run) => presentRun(run, clock.now())), total_entries: found.length })
  })
}
