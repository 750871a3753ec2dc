/** Updates of assets in Airflow's words: list, tell one, and those that wait for a run. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import type { Range, TextFilter } from '../../core/list-query.ts'
import type { AssetEvent, QueuedAssetEvent } from '../../scheduling/asset.ts'
import { readBody } from '../airflow-body.ts'
import { isFound } from '../airflow-like.ts'
import {
  instant,
  instantRange,
  instants,
  one,
  ordering,
  pageOf,
  paging,
  patternOf,
  patterns,
  readQuery,
  text,
  whole,
} from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { presentAssetEvent } from './asset-event-response.ts'
import { findDag, numberOf } from './request.ts'

const Body = z.strictObject({
  asset_id: z.int(),
  extra: z.record(z.string(), z.unknown()).nullish(),
  partition_key: z.null('is not supported: assets have no partitions').optional(),
})

const ORDERS = {
  timestamp: 'at',
  id: 'at',
  source_task_id: 'at',
  source_dag_id: 'at',
  source_run_id: 'at',
  source_map_index: 'at',
} as const

export function addAssetEventRoutes(door: Door, { scheduler, dags, runs, assets, recorder }: AirflowDoorOptions): void {
  const requireAsset = async (id: number): Promise<void> => {
    if (!(await assets.find(id))) throw new AppError('not_found', `There is no asset ${id}. GET /api/v2/assets lists them.`)
  }

  door.get('/api/v2/assets/events', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, {
      ...paging,
      ...ordering(ORDERS),
      ...instants('timestamp'),
      asset_id: one(whole()),
      source_dag_id: one(text),
      source_task_id: one(text),
      source_run_id: one(text),
      source_map_index: one(whole(-1)),
      ...patterns('name'),
    })
    const { after, before } = inclusive(instantRange(query, 'timestamp'))
    const named = patternOf(query, 'name')
    const ids = named === undefined ? [query.asset_id] : await namedAssets(named, query.asset_id)
    const { limit, offset } = pageOf(query)
    const lists = await Promise.all(
      ids.map((assetId) =>
        assets.events({
          ...(assetId !== undefined && { assetId }),
          ...(query.source_dag_id !== undefined && { dagId: query.source_dag_id }),
          ...(query.source_run_id !== undefined && { runId: query.source_run_id }),
          ...(query.source_task_id !== undefined && { taskId: query.source_task_id }),
          ...(query.source_map_index !== undefined && { mapIndex: query.source_map_index }),
          ...(after !== undefined && { after }),
          ...(before !== undefined && { before }),
          // The pages of several assets are laid together.
          ...(ids.length === 1 ? { limit, offset } : { limit: limit + offset, offset: 0 }),
          descending: query.order_by?.[0]?.descending ?? false,
        }),
      ),
    )
    const merged = lists.flatMap(({ events }) => events)
    if (ids.length > 1) merged.sort((a, b) => (a.id - b.id) * (query.order_by?.[0]?.descending ? -1 : 1))
    const page = ids.length === 1 ? merged : merged.slice(offset, offset + limit)
    return c.json({
      asset_events: await withRuns(page),
      total_entries: lists.reduce((sum, { total }) => sum + total, 0),
    })
  })

  const withRuns = async (shown: readonly AssetEvent[]) => {
    const made = await assets.runsOfEvents(shown.map(({ id }) => id))
    return Promise.all(
      shown.map(async (event) => {
        const ofEvent = made.filter(({ eventId }) => eventId === event.id)
        const found = await Promise.all(ofEvent.map(({ dagId, runId }) => runs.find(dagId, runId)))
        return presentAssetEvent(
          event,
          found.filter((run) => run !== null),
        )
      }),
    )
  }

  const namedAssets = async (pattern: TextFilter, id: number | undefined): Promise<number[]> =>
    (await assets.list()).filter((asset) => isFound(pattern, asset.name) && (id === undefined || asset.id === id)).map((asset) => asset.id)

  door.post('/api/v2/assets/events', permit('dags.write'), recorded(recorder, 'create_asset_event'), async (c) => {
    const { subject } = requirePermission(c, 'dags.write')
    const { asset_id: assetId, extra } = await readBody(c.req.raw, Body)
    await requireAsset(assetId)
    const event = await scheduler.createAssetEvent({ assetId, extra: { ...extra, from_rest_api: true } }, subject)
    return c.json(presentAssetEvent(event, []))
  })

  const BEFORE = { before: one(instant) }
  const present = ({ dagId, assetId, at }: QueuedAssetEvent) => ({
    dag_id: dagId,
    dag_display_name: dagId,
    asset_id: assetId,
    created_at: at,
  })

  /** By DAG, by asset, or by both. */
  const QUEUED = [
    ['/api/v2/assets/:asset/queuedEvents', 'asset'],
    ['/api/v2/dags/:dag/assets/queuedEvents', 'dag'],
    ['/api/v2/dags/:dag/assets/:asset/queuedEvents', 'dag_asset'],
  ] as const
  for (const [path, kind] of QUEUED) {
    const which = async (params: { dag?: string; asset?: string }, before: Date | undefined) => {
      if (params.dag !== undefined) await findDag(dags, params.dag)
      const assetId = params.asset === undefined ? undefined : numberOf('asset_id', params.asset)
      if (assetId !== undefined) await requireAsset(assetId)
      return {
        ...(params.dag !== undefined && { dagId: params.dag }),
        ...(assetId !== undefined && { assetId }),
        ...(before && { before: before.toISOString() }),
      }
    }
    door.on('GET', [path], permit('dags.read'), async (c) => {
      const found = await assets.queued(await which(c.req.param(), readQuery(c.req, BEFORE).before))
      if (kind !== 'dag_asset') return c.json({ queued_events: found.map(present), total_entries: found.length })
      const [first] = found
      if (first) return c.json(present(first))
      throw new AppError('not_found', `DAG "${c.req.param('dag')}" has no queued event of asset ${c.req.param('asset')}.`)
    })
    door.on('DELETE', [path], permit('dags.write'), recorded(recorder, `delete_${kind}_queued_events`), async (c) => {
      const count = await assets.deleteQueued(await which(c.req.param(), readQuery(c.req, BEFORE).before))
      if (count === 0) throw new AppError('not_found', 'There are no such queued events.')
      return c.body(null, 204)
    })
  }
}

/** The bounds as the store takes them, both included: instants are whole milliseconds. */
function inclusive({ gte, gt, lte, lt }: Range<string>): { after: string | undefined; before: string | undefined } {
  const moved = (bound: string | undefined, ms: number) => (bound === undefined ? [] : [new Date(Date.parse(bound) + ms).toISOString()])
  return {
    after: [...moved(gte, 0), ...moved(gt, 1)].sort().at(-1),
    before: [...moved(lte, 0), ...moved(lt, -1)].sort().at(0),
  }
}
