/** Assets and their events as templates see them, under Airflow's names. Pure. */
import type { AssetReference } from '@daggerboard/dag'
import { TemplateDate } from './template-date.ts'

/** As the platform answers it: `AssetEventFacts` with `at` in ISO, and the run that its source was part of. */
interface AnsweredEvent {
  readonly name: string
  readonly uri: string
  readonly at: string
  readonly extra: Readonly<Record<string, unknown>>
  readonly source: { readonly dagId: string; readonly runId: string; readonly taskId: string; readonly mapIndex: number } | null
  readonly aliases?: readonly string[]
  readonly sourceRun?: {
    readonly runType: string
    readonly logicalDate: string | null
    readonly dataIntervalStart: string
    readonly dataIntervalEnd: string
    readonly conf: Readonly<Record<string, unknown>>
  } | null
}

/** `{{ outlets[0].uri }}`: an asset, or an alias with its name. */
export const templateAssets = (references: readonly AssetReference[]): readonly object[] =>
  references.map((reference) => ('asset' in reference ? reference.asset : { name: reference.alias }))

/** `{{ inlet_events["rows"] | last }}`, or by the place of the inlet. `answer`: lists of events by the names of assets. */
export function inletEvents(inlets: readonly AssetReference[], answer: unknown): object {
  const events = answer as Readonly<Record<string, readonly AnsweredEvent[]>>
  const found = Object.fromEntries(Object.entries(events).map(([name, ofAsset]) => [name, ofAsset.map(shown)]))
  return byPlace(inlets, found)
}

/** Lists by the names of assets and of the aliases that they came through. `answer`: the events that the run was made of. */
export function triggeringAssetEvents(answer: unknown): object {
  const events = (answer as readonly AnsweredEvent[]).flatMap((event) =>
    [event.name, ...(event.aliases ?? [])].map((name) => ({ name, event: shown(event) })),
  )
  return Object.fromEntries([...Map.groupBy(events, ({ name }) => name)].map(([name, of]) => [name, of.map(({ event }) => event)]))
}

/** What the events of the outlets will be, as far as it is known before the task runs. */
export const outletEvents = (outlets: readonly AssetReference[]): object =>
  byPlace(
    outlets,
    Object.fromEntries(
      outlets.map((outlet) => ['asset' in outlet ? outlet.asset.name : outlet.alias, { extra: {}, asset_alias_events: [] }]),
    ),
  )

/** `events[0]` besides `events["rows"]`; who goes through them meets each once. */
function byPlace(references: readonly AssetReference[], byName: Readonly<Record<string, unknown>>): object {
  const places = references.map((reference) => ({
    value: byName['asset' in reference ? reference.asset.name : reference.alias],
    enumerable: false,
    // Proxies may only answer something else for what can change.
    configurable: true,
    writable: true,
  }))
  return Object.defineProperties({ ...byName }, Object.fromEntries(places.map((place, i) => [i, place])))
}

function shown({ name, uri, at, extra, source, sourceRun }: AnsweredEvent): object {
  const { dagId = null, runId = null, taskId = null, mapIndex = null } = source ?? {}
  return {
    asset: { name, uri },
    name,
    uri,
    extra,
    timestamp: new TemplateDate(at),
    source_dag_id: dagId,
    source_run_id: runId,
    source_task_id: taskId,
    source_map_index: mapIndex,
    source_task_instance: source && { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex },
    source_dag_run: sourceRun
      ? {
          dag_id: dagId,
          run_id: runId,
          run_type: sourceRun.runType,
          conf: sourceRun.conf,
          logical_date: sourceRun.logicalDate === null ? null : new TemplateDate(sourceRun.logicalDate),
          data_interval_start: new TemplateDate(sourceRun.dataIntervalStart),
          data_interval_end: new TemplateDate(sourceRun.dataIntervalEnd),
        }
      : null,
  }
}
