/** Task instances changed by hand in Airflow's words: marked, annotated, cleared. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { TaskInstance } from '../../scheduling/task-instance.ts'
import { readBody } from '../airflow-body.ts'
import { bulk, bulkBody } from '../airflow-bulk.ts'
import { choice, instant, many, one, readQuery, whole } from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { ANY, findDag, findInstance, findRun, mapIndexOf, tasksOfGroup } from './request.ts'
import { presentInstances } from './task-instance-response.ts'

const flag = z.boolean().default(false)
const CHANGE = {
  new_state: z
    .string()
    .nullish()
    .refine(
      (state) => state == null || state === 'success' || state === 'failed' || state === 'skipped',
      'is none of success, failed, skipped: other states come of running, and clearing begins anew',
    ),
  note: z.string().max(1000).nullish(),
  include_upstream: flag,
  include_downstream: flag,
  include_future: flag,
  include_past: flag,
}
const Patch = z.strictObject(CHANGE)
type Patch = z.infer<typeof Patch>

const BulkEntity = z.strictObject({
  ...CHANGE,
  task_id: z.string(),
  map_index: z.int().min(-1).nullish(),
  dag_id: z.string().nullish(),
  dag_run_id: z.string().nullish(),
})
type BulkEntity = z.infer<typeof BulkEntity>

const Clear = z.strictObject({
  dry_run: z.boolean().default(true),
  only_failed: z.boolean().default(true),
  only_running: flag,
  reset_dag_runs: z.boolean().default(true),
  include_upstream: flag,
  include_downstream: flag,
  include_future: flag,
  include_past: flag,
  task_ids: z.array(z.union([z.string(), z.tuple([z.string(), z.int().min(-1)])])).nullish(),
  dag_run_id: z.string().nullish(),
  start_date: instant.nullish(),
  end_date: instant.nullish(),
  prevent_running_task: flag,
  // There is one version of each DAG, the latest.
  run_on_latest_version: z.boolean().nullish(),
  note: z.string().max(1000).nullish(),
})

const MASK = {
  update_mask: many(choice(['new_state', 'note', 'include_upstream', 'include_downstream', 'include_future', 'include_past'])),
}

export function addTaskInstanceChangeRoutes(door: Door, options: AirflowDoorOptions): void {
  const { scheduler, dags, runs, instances, recorder } = options
  const path = '/api/v2/dags/:dag/dagRuns/:run/taskInstances'
  const collection = async (found: readonly TaskInstance[]) => ({
    task_instances: await presentInstances(found, options),
    total_entries: found.length,
  })

  /** Several tasks, or one; without a map index every instance of it. */
  const change = async (
    of: { readonly dag: string; readonly run: string; readonly tasks: readonly string[]; readonly mapIndex?: number | undefined },
    body: Patch,
    { mask, dryRun, by }: { mask: readonly string[] | undefined; dryRun: boolean; by: string },
  ): Promise<TaskInstance[]> => {
    const { dag, run, tasks, mapIndex } = of
    await findRun(runs, dag, run)
    const listOwn = async () =>
      (await instances.listOfRun(dag, run)).filter(
        (each) => tasks.includes(each.taskId) && (mapIndex === undefined || each.mapIndex === mapIndex),
      )
    const own = await listOwn()
    if (own.length === 0) await findInstance(instances, dag, run, tasks[0] ?? '', mapIndex)
    const counts = (field: 'new_state' | 'note') => mask === undefined || mask.includes(field)
    const state = counts('new_state') ? (body.new_state as 'success' | 'failed' | 'skipped' | null | undefined) : null
    const around = {
      upstream: body.include_upstream,
      downstream: body.include_downstream,
      future: body.include_future,
      past: body.include_past,
    }
    const keys = tasks.map((taskId) => ({ taskId, ...(mapIndex !== undefined && { mapIndex }) }))
    const marked = state ? await scheduler.setTaskState(dag, run, keys, state, { ...around, dryRun }, by) : []
    if (dryRun) return marked
    if (body.note !== undefined && counts('note'))
      for (const each of own) await scheduler.setTaskNote(dag, run, each.taskId, each.mapIndex, body.note)
    return marked.length > 0 && body.note === undefined ? marked : listOwn()
  }

  // The longer addresses first: a map index may stand where `dry_run` does.
  for (const dryRun of [true, false]) {
    const end = dryRun ? '/dry_run' : ''
    const record = dryRun ? [] : [recorded(recorder, 'patch_task_instance')]
    door.on('PATCH', [`${path}/:task${end}`], permit('dags.run'), ...record, async (c) => {
      const { subject: by } = requirePermission(c, 'dags.run')
      const { dag, run, task } = c.req.param() as Record<'dag' | 'run' | 'task', string>
      const { map_index: mapIndex, update_mask: mask } = readQuery(c.req, { ...MASK, map_index: one(whole(-1)) })
      const body = await readBody(c.req.raw, Patch)
      return c.json(await collection(await change({ dag, run, tasks: [task], mapIndex }, body, { mask, dryRun, by })))
    })
    door.on('PATCH', [`${path}/:task/:map${end}`], permit('dags.run'), ...record, async (c) => {
      const { subject: by } = requirePermission(c, 'dags.run')
      const { dag, run, task, map } = c.req.param() as Record<'dag' | 'run' | 'task' | 'map', string>
      const { update_mask: mask } = readQuery(c.req, MASK)
      const body = await readBody(c.req.raw, Patch)
      return c.json(await collection(await change({ dag, run, tasks: [task], mapIndex: mapIndexOf(map) }, body, { mask, dryRun, by })))
    })
  }

  for (const dryRun of [true, false]) {
    const record = dryRun ? [] : [recorded(recorder, 'patch_task_group_instances')]
    const address = `/api/v2/dags/:dag/dagRuns/:run/taskGroupInstances/:group${dryRun ? '/dry_run' : ''}`
    door.on('PATCH', [address], permit('dags.run'), ...record, async (c) => {
      const { subject: by } = requirePermission(c, 'dags.run')
      const { dag, run, group } = c.req.param() as Record<'dag' | 'run' | 'group', string>
      const { document } = await findDag(dags, dag)
      await findRun(runs, dag, run)
      const tasks = tasksOfGroup(document, group)
      const known = document.groups.map(({ groupId }) => groupId)
      if (tasks.length === 0) throw new AppError('not_found', `DAG "${dag}" has no group "${group}" with tasks.${didYouMean(group, known)}`)
      const { update_mask: mask } = readQuery(c.req, MASK)
      const body = await readBody(c.req.raw, Patch)
      return c.json(await collection(await change({ dag, run, tasks }, body, { mask, dryRun, by })))
    })
  }

  door.patch(path, permit('dags.run'), recorded(recorder, 'bulk_task_instances'), async (c) => {
    const { subject: by } = requirePermission(c, 'dags.run')
    const { dag, run } = c.req.param()
    const place = (entity: BulkEntity) => ({
      dag: dag === ANY ? (entity.dag_id ?? '') : dag,
      run: run === ANY ? (entity.dag_run_id ?? '') : run,
      tasks: [entity.task_id],
      mapIndex: entity.map_index ?? undefined,
    })
    const keyOf = (entity: BulkEntity) => {
      const of = place(entity)
      return `${of.dag}.${of.run}.${entity.task_id}[${of.mapIndex ?? -1}]`
    }
    const body = await readBody(c.req.raw, bulkBody(BulkEntity, BulkEntity))
    const byKey = new Map(
      body.actions.flatMap(({ entities }) =>
        entities.flatMap((each) => (typeof each === 'string' ? [] : [[keyOf(each), place(each)] as const])),
      ),
    )
    return c.json(
      await bulk<BulkEntity, BulkEntity>(body, {
        noun: 'task instance',
        keyOf,
        has: async (key) => {
          const of = byKey.get(key)
          if (!of) return false
          const all = await instances.listOfRun(of.dag, of.run)
          return all.some((each) => of.tasks.includes(each.taskId) && (of.mapIndex === undefined || each.mapIndex === of.mapIndex))
        },
        create: async () => {
          throw new AppError('invalid', 'Task instances are made by runs. Trigger a run, or clear the task.')
        },
        update: async (entity, mask) => void (await change(place(entity), entity, { mask, dryRun: false, by })),
        delete: async () => {
          throw new AppError('conflict', 'A run keeps what became of each of its tasks. Clear them, or delete the run.')
        },
      }),
    )
  })

  door.post('/api/v2/dags/:dag/clearTaskInstances', permit('dags.run'), recorded(recorder, 'post_clear_task_instances'), async (c) => {
    const { subject } = requirePermission(c, 'dags.run')
    const dag = c.req.param('dag')
    await findDag(dags, dag)
    const body = await readBody(c.req.raw, Clear)
    if (body.dag_run_id) await findRun(runs, dag, body.dag_run_id)
    const cleared = await scheduler.clear(
      dag,
      {
        dryRun: body.dry_run,
        onlyFailed: body.only_failed,
        onlyRunning: body.only_running,
        resetDagRuns: body.reset_dag_runs,
        includeUpstream: body.include_upstream,
        includeDownstream: body.include_downstream,
        includeFuture: body.include_future,
        includePast: body.include_past,
        taskIds: body.task_ids ?? null,
        runId: body.dag_run_id ?? null,
        startDate: body.start_date ?? null,
        endDate: body.end_date ?? null,
        preventRunningTask: body.prevent_running_task,
        note: body.note ?? null,
      },
      subject,
    )
    return c.json(await collection(cleared))
  })
}
