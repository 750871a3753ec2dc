/** DAGs in Airflow's words: list, pause, look into, delete. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import type { DagListQuery, DagSort } from '../../scheduling/dag-list.ts'
import { readBody } from '../airflow-body.ts'
import {
  choice,
  instantRange,
  instants,
  MAX_LIMIT,
  many,
  one,
  ordering,
  pageOf,
  paging,
  patternOf,
  patterns,
  readQuery,
  text,
  truth,
  whole,
} from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { BUNDLE, presentDag, presentDetails, presentNext } from './dag-response.ts'
import { RUN_STATES } from './dag-run-response.ts'
import { findDag } from './request.ts'

const Patch = z.strictObject({ is_paused: z.boolean() })

const ORDERS: Readonly<Record<string, DagSort>> = {
  dag_id: 'dagId',
  dag_display_name: 'dagId',
  next_dagrun: 'dagId',
  is_paused: 'isPaused',
  state: 'lastRunState',
  last_run_state: 'lastRunState',
  start_date: 'lastRunStartedAt',
  last_run_start_date: 'lastRunStartedAt',
}

const KINDS = ['cron', 'cronTrigger', 'delta', 'deltaTrigger', 'events', 'once', 'continuous', 'assets', 'assetsOrTime', 'none'] as const

const SOME = {
  ...paging,
  ...ordering(ORDERS),
  tags: many(text),
  tags_match_mode: one(choice(['any', 'all'])),
  owners: many(text),
  ...patterns('dag_id'),
  ...patterns('dag_display_name'),
  exclude_stale: one(truth),
  paused: one(truth),
}

const ALL = {
  ...SOME,
  has_import_errors: one(truth),
  last_dag_run_state: one(choice(RUN_STATES)),
  bundle_name: one(text),
  bundle_version: one(text),
  has_asset_schedule: one(truth),
  asset_dependency: one(text),
  dag_run_state: many(choice(RUN_STATES)),
  ...instants('dag_run_start_date', 'dag_run_end_date'),
  is_favorite: one(truth),
  timetable_type: many(choice(KINDS)),
}

/** How many DAGs are paused at a time by one request. */
const PAGE = 100

export function addDagRoutes(door: Door, options: AirflowDoorOptions): void {
  const { scheduler, dags, dagList, runList, logs, recorder } = options

  door.get('/api/v2/dags', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, ALL)
    // Bundles have no versions here, and nobody has favourites: nothing can be found by them.
    const isNone = (query.bundle_name ?? BUNDLE) !== BUNDLE || query.bundle_version !== undefined || query.is_favorite === true
    const found = isNone ? { dags: [], total: 0 } : await dagList.list({ ...wanted(query), ...pageOf(query) })
    return c.json({ dags: found.dags.map((dag) => presentDag(dag, options)), total_entries: found.total })
  })

  door.patch('/api/v2/dags', permit('dags.run'), recorded(recorder, 'patch_dags'), async (c) => {
    const query = readQuery(c.req, { ...SOME, update_mask: many(choice(['is_paused'])) })
    const { is_paused } = await readBody(c.req.raw, Patch)
    if (wanted(query).dagIdPattern === undefined && query.tags === undefined && query.owners === undefined)
      throw new AppError('invalid', 'Say which DAGs: with dag_id_pattern, tags or owners. dag_id_pattern=~ is all of them.')
    // Who is changed may fall out of the filter, so all are found first.
    const ids: string[] = []
    for (let offset = 0, total = 1; offset < total; offset += PAGE) {
      const page = await dagList.list({ ...wanted(query), limit: PAGE, offset })
      ids.push(...page.dags.map(({ dagId }) => dagId))
      total = page.total
    }
    const changed = await scheduler.setAllPaused(ids, is_paused)
    const { limit, offset } = pageOf(query)
    return c.json({ dags: changed.slice(offset, offset + limit).map((dag) => presentDag(dag, options)), total_entries: changed.length })
  })

  door.get('/api/v2/dags/:dag', permit('dags.read'), async (c) => {
    // `next_dagruns` is ours: that many of the runs that the schedule will make.
    const { next_dagruns: count } = readQuery(c.req, { next_dagruns: one(whole(1)) })
    const dag = await findDag(dags, c.req.param('dag'))
    const more = count === undefined ? {} : { next_dagruns: scheduler.nextRuns(dag.dagId, Math.min(count, MAX_LIMIT)).map(presentNext) }
    return c.json({ ...presentDag(dag, options), ...more })
  })

  door.patch('/api/v2/dags/:dag', permit('dags.run'), recorded(recorder, 'patch_dag'), async (c) => {
    readQuery(c.req, { update_mask: many(choice(['is_paused'])) })
    await findDag(dags, c.req.param('dag'))
    const { is_paused } = await readBody(c.req.raw, Patch)
    return c.json(presentDag(await scheduler.setPaused(c.req.param('dag'), is_paused), options))
  })

  door.delete('/api/v2/dags/:dag', permit('dags.run'), recorded(recorder, 'delete_dag'), async (c) => {
    await findDag(dags, c.req.param('dag'))
    await scheduler.deleteDag(c.req.param('dag'))
    await logs.delete(c.req.param('dag'))
    return c.json(null)
  })

  door.get('/api/v2/dags/:dag/details', permit('dags.read'), async (c) => {
    const dag = await findDag(dags, c.req.param('dag'))
    const running = await runList.list({ dagIds: [dag.dagId], states: ['running'], limit: 0, offset: 0, sort: [] })
    return c.json({ ...presentDag(dag, options), ...presentDetails(dag, running.total) })
  })

  door.get('/api/v2/dagTags', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, { ...paging, ...ordering({ name: 'name' }), ...patterns('tag_name') })
    const descending = query.order_by?.[0]?.descending ?? false
    const { tags, total } = await dagList.tags({ ...pageOf(query), pattern: patternOf(query, 'tag_name'), descending })
    return c.json({ tags, total_entries: total })
  })

  for (const verb of ['favorite', 'unfavorite'] as const)
    door.post(`/api/v2/dags/:dag/${verb}`, permit('dags.run'), async (c) => {
      await findDag(dags, c.req.param('dag'))
      throw new AppError('invalid', 'Favourites are not kept here. Tags find DAGs again: GET /api/v2/dags?tags=…')
    })
}

type Asked = Partial<ReturnType<typeof readQuery<typeof ALL>>>

function wanted(query: Asked): Omit<DagListQuery, 'limit' | 'offset'> {
  return {
    includeStale: query.exclude_stale === false,
    tags: query.tags,
    tagsMatch: query.tags_match_mode,
    owners: query.owners,
    dagIdPattern: patternOf(query, 'dag_id') ?? patternOf(query, 'dag_display_name'),
    isPaused: query.paused,
    hasImportErrors: query.has_import_errors,
    hasAssetSchedule: query.has_asset_schedule,
    assetPattern: query.asset_dependency === undefined ? undefined : { like: query.asset_dependency },
    scheduleKinds: query.timetable_type,
    lastRunState: query.last_dag_run_state,
    runStates: query.dag_run_state,
    runStartedAt: instantRange(query, 'dag_run_start_date'),
    runEndedAt: instantRange(query, 'dag_run_end_date'),
    sort: query.order_by ?? [],
  }
}
