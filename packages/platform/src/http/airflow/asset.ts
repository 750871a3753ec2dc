/** Assets in Airflow's words: who makes them, who waits for them. */
import type { AssetCondition, AssetReference, DagDocument } from '@daggerboard/dag'
import { AppError } from '../../core/app-error.ts'
import type { Asset } from '../../scheduling/asset.ts'
import type { DagRecord } from '../../scheduling/dag.ts'
import { maskFields } from '../../secrets/masking.ts'
import { readBody } from '../airflow-body.ts'
import { isFound } from '../airflow-like.ts'
import { pageOfItems } from '../airflow-list.ts'
import { many, one, ordering, pageOf, paging, patternOf, patterns, readQuery, text, truth } from '../airflow-query.ts'
import { recorded, recordFound } from '../airflow-record.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'
import { runRequest, Trigger } from './dag-run.ts'
import { presentRun } from './dag-run-response.ts'
import { numberOf } from './request.ts'
import { triggeredBy } from './triggered-by.ts'

const ORDERS = { id: 'id', name: 'name', uri: 'uri', created_at: 'createdAt', updated_at: 'updatedAt' } as const

export function addAssetRoutes(door: Door, { scheduler, dags, assets, clock, recorder }: AirflowDoorOptions): void {
  const find = async (id: string): Promise<Asset> => {
    const asset = await assets.find(numberOf('asset_id', id))
    if (asset) return asset
    throw new AppError('not_found', `There is no asset ${id}. GET /api/v2/assets lists them.`)
  }

  const present = async (shown: readonly Asset[], known: readonly Named[]) =>
    Promise.all(
      shown.map(async (asset) => {
        const { events } = await assets.events({ assetId: asset.id, limit: 1, offset: 0, descending: true })
        return presentAsset(asset, known, events[0] ?? null)
      }),
    )

  door.get('/api/v2/assets', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, {
      ...paging,
      ...ordering(ORDERS),
      ...patterns('name'),
      ...patterns('uri'),
      dag_ids: many(text),
      only_active: one(truth),
    })
    const known = (await dags.list()).map(namesOf)
    const ofDags =
      query.dag_ids && new Set(known.filter(({ dag }) => query.dag_ids?.includes(dag.dagId)).flatMap((each) => [...each.assets]))
    const found = await assets.page({
      ...pageOf(query),
      sort: query.order_by ?? [],
      namePattern: patternOf(query, 'name'),
      uriPattern: patternOf(query, 'uri'),
      names: ofDags && [...ofDags],
      onlyActive: query.only_active !== false,
    })
    return c.json({ assets: await present(found.assets, known), total_entries: found.total })
  })

  door.get('/api/v2/assets/aliases', permit('dags.read'), async (c) => {
    const query = readQuery(c.req, { ...paging, ...ordering({ id: 'id', name: 'name' }), ...patterns('name') })
    const all = aliasesOf(await dags.list()).filter(({ name }) => isFound(patternOf(query, 'name'), name))
    return c.json({
      asset_aliases: pageOfItems(all, pageOf(query), query.order_by, (alias, column) => alias[column]),
      total_entries: all.length,
    })
  })

  door.get('/api/v2/assets/aliases/:id', permit('dags.read'), async (c) => {
    const id = numberOf('asset_alias_id', c.req.param('id'))
    const alias = aliasesOf(await dags.list()).find((each) => each.id === id)
    if (alias) return c.json(alias)
    throw new AppError('not_found', `There is no asset alias ${id}. GET /api/v2/assets/aliases lists them.`)
  })

  door.get('/api/v2/assets/:id', permit('dags.read'), async (c) => {
    const [asset] = await present([await find(c.req.param('id'))], (await dags.list()).map(namesOf))
    return c.json(asset)
  })

  door.post('/api/v2/assets/:id/materialize', permit('dags.write'), recorded(recorder, 'materialize_asset'), async (c) => {
    const { subject } = requirePermission(c, 'dags.write')
    const asset = await find(c.req.param('id'))
    const run = await scheduler.materialize(asset.id, subject, runRequest(await readBody(c.req.raw, Trigger), triggeredBy(c)))
    recordFound(c.req.raw, run)
    return c.json(presentRun(run, clock.now()))
  })
}

/** What a DAG says of assets. */
interface Named extends Names {
  readonly dag: DagRecord
}

interface Names {
  readonly waitsFor: ReadonlySet<string>
  readonly produces: readonly { readonly name: string; readonly taskId: string }[]
  readonly reads: readonly { readonly name: string; readonly taskId: string }[]
  /** All of them. */
  readonly assets: ReadonlySet<string>
}

/** A document is the same object as long as its DAG has not changed: it is looked through once. */
const KNOWN_NAMES = new WeakMap<DagDocument, Names>()

function namesOf(dag: DagRecord): Named {
  const names = KNOWN_NAMES.get(dag.document) ?? namesIn(dag.document)
  KNOWN_NAMES.set(dag.document, names)
  return { dag, ...names }
}

function namesIn({ schedule, tasks }: DagDocument): Names {
  const waitsFor = new Set('condition' in schedule ? conditionNames(schedule.condition) : [])
  const of = (references: (task: (typeof tasks)[number]) => readonly AssetReference[]) =>
    tasks.flatMap((task) => references(task).flatMap((each) => ('asset' in each ? [{ name: each.asset.name, taskId: task.taskId }] : [])))
  const [produces, reads] = [of(({ outlets }) => outlets), of(({ inlets }) => inlets)]
  return {
    waitsFor,
    produces,
    reads,
    assets: new Set([...waitsFor, ...produces.map(({ name }) => name), ...reads.map(({ name }) => name)]),
  }
}

function conditionNames(condition: AssetCondition): string[] {
  if ('asset' in condition) return [condition.asset.name]
  if ('all' in condition) return condition.all.flatMap(conditionNames)
  return 'any' in condition ? condition.any.flatMap(conditionNames) : []
}

function aliasNames(condition: AssetCondition): string[] {
  if ('alias' in condition) return [condition.alias]
  if ('all' in condition) return condition.all.flatMap(aliasNames)
  return 'any' in condition ? condition.any.flatMap(aliasNames) : []
}

function aliasesOf(records: readonly DagRecord[]) {
  const names = records.flatMap(({ document: { schedule, tasks } }) => [
    ...('condition' in schedule ? aliasNames(schedule.condition) : []),
    ...tasks.flatMap((task) => [...task.inlets, ...task.outlets].flatMap((each) => ('alias' in each ? [each.alias] : []))),
  ])
  return [...new Set(names)].sort().map((name) => ({ id: numberOfName(name), name, group: 'asset' }))
}

/** Aliases are names and nothing else, so the number that Airflow gives them is made of the name. */
const numberOfName = (name: string): number =>
  [...name].reduce((hash, character) => (hash * 31 + (character.codePointAt(0) ?? 0)) % 2147483647, 7)

function presentAsset(asset: Asset, known: readonly Named[], last: { readonly id: number; readonly at: string } | null) {
  const times = { created_at: asset.createdAt, updated_at: asset.updatedAt }
  const tasks = (which: 'produces' | 'reads') =>
    known.flatMap((each) =>
      each[which].filter(({ name }) => name === asset.name).map(({ taskId }) => ({ dag_id: each.dag.dagId, task_id: taskId, ...times })),
    )
  return {
    id: asset.id,
    name: asset.name,
    uri: asset.uri,
    group: asset.group,
    extra: maskFields(asset.extra),
    ...times,
    scheduled_dags: known.filter(({ waitsFor }) => waitsFor.has(asset.name)).map(({ dag }) => ({ dag_id: dag.dagId, ...times })),
    producing_tasks: tasks('produces'),
    consuming_tasks: tasks('reads'),
    aliases: [],
    watchers: [],
    last_asset_event: last && { id: last.id, timestamp: last.at },
  }
}
