/** The names that a template may use, as Airflow has them, those of Airflow 2 among them. Pure. */
import { AppError } from '../core/app-error.ts'
import { idempotencyKey, paramsOf, type TaskFacts } from './task-facts.ts'
import type { Neighbours, PlatformQuestion, PreviousSuccess } from './task-question.ts'
import { inletEvents, outletEvents, templateAssets, triggeringAssetEvents } from './template-assets.ts'
import { TemplateDate } from './template-date.ts'
import { MACROS } from './template-macros.ts'

const ds = (at: TemplateDate | string): string => asDate(at, 'ds').strftime('%Y-%m-%d')
const dsNodash = (at: TemplateDate | string): string => asDate(at, 'ds_nodash').strftime('%Y%m%d')
const ts = (at: TemplateDate | string): string => asDate(at, 'ts').isoformat()
const tsNodash = (at: TemplateDate | string): string => asDate(at, 'ts_nodash').strftime('%Y%m%dT%H%M%S')
const tsNodashWithTz = (at: TemplateDate | string): string =>
  asDate(at, 'ts_nodash_with_tz')
    .isoformat()
    .replaceAll(/[-:](?!\d\d:?\d\d$)|:/g, '')

/** `{{ logical_date | ds }}` and its like. */
export const TEMPLATE_FILTERS = { ds, ds_nodash: dsNodash, ts, ts_nodash: tsNodash, ts_nodash_with_tz: tsNodashWithTz }

function asDate(at: unknown, filter: string): TemplateDate {
  if (at instanceof TemplateDate) return at
  const date = new Date(String(at))
  if (Number.isNaN(date.getTime())) throw new AppError('invalid', `The filter "${filter}" needs a date, and "${String(at)}" is none.`)
  return new TemplateDate(date)
}

/** A name whose value the platform is asked for when a template uses it. */
export class AskedName {
  readonly ask: PlatformQuestion
  readonly read: (answer: unknown) => unknown

  constructor(ask: PlatformQuestion, read: (answer: unknown) => unknown) {
    this.ask = ask
    this.read = read
  }
}

const dateOf = (at: string | null | undefined): TemplateDate | null => (at ? new TemplateDate(at) : null)

/**
 * `ds` and its like are of the logical date; `next_ds` and `prev_ds` of the runs after and before it, by the schedule alone. As in Airflow 2, a run
 * by hand that has a logical date stands for no interval of the schedule: its `prev_ds` and `next_ds` are its `ds`.
 */
export function templateNames(facts: TaskFacts): Readonly<Record<string, unknown>> {
  const { dagId, runId, taskId, mapIndex, tryNumber, maxTries, runType, conf, dag, task } = facts
  const start = new TemplateDate(facts.dataIntervalStart)
  const end = new TemplateDate(facts.dataIntervalEnd)
  const logicalDate = new TemplateDate(facts.logicalDate ?? facts.dataIntervalStart)
  const isByHand = runType === 'manual' || runType === 'asset_materialization'
  const standsAlone = isByHand && facts.logicalDate !== null
  const neighbour = (which: 'previous' | 'next', read: (at: TemplateDate) => unknown = (at) => at): unknown =>
    standsAlone
      ? read(logicalDate)
      : new AskedName({ what: 'neighbours', dagId, runId }, (answer) => {
          const at = dateOf((answer as Neighbours)[which])
          return at && read(at)
        })
  const lastSuccess = (field: keyof PreviousSuccess): unknown =>
    new AskedName({ what: 'previousSuccess', dagId, before: facts.logicalDate ?? facts.dataIntervalStart }, (answer) =>
      dateOf((answer as PreviousSuccess | null)?.[field]),
    )
  const ofTask = {
    task_id: taskId,
    owner: task.owner,
    retries: task.retries,
    pool: task.pool,
    doc_md: task.docMd,
    trigger_rule: task.triggerRule,
    upstream_task_ids: task.upstream,
    downstream_task_ids: task.downstream,
  }
  const dagRun = {
    dag_id: dagId,
    run_id: runId,
    run_type: runType,
    conf,
    logical_date: logicalDate,
    execution_date: logicalDate,
    data_interval_start: start,
    data_interval_end: end,
    external_trigger: isByHand,
    // A task runs only in a run that does.
    state: 'running',
    run_after: dateOf(facts.runAfter),
    queued_at: dateOf(facts.runQueuedAt),
    start_date: dateOf(facts.runStartedAt),
    end_date: null,
  }
  const ti = {
    dag_id: dagId,
    run_id: runId,
    task_id: taskId,
    map_index: mapIndex,
    try_number: tryNumber,
    max_tries: maxTries,
    operator: task.operator,
    execution_date: logicalDate,
    start_date: dateOf(facts.firstStartedAt),
    pool: task.pool,
    task: ofTask,
    dag_run: dagRun,
  }
  return {
    data_interval_start: start,
    data_interval_end: end,
    logical_date: logicalDate,
    execution_date: logicalDate,
    ds: ds(logicalDate),
    ds_nodash: dsNodash(logicalDate),
    ts: ts(logicalDate),
    ts_nodash: tsNodash(logicalDate),
    ts_nodash_with_tz: tsNodashWithTz(logicalDate),
    next_execution_date: neighbour('next'),
    next_ds: neighbour('next', ds),
    next_ds_nodash: neighbour('next', dsNodash),
    prev_execution_date: neighbour('previous'),
    prev_ds: neighbour('previous', ds),
    prev_ds_nodash: neighbour('previous', dsNodash),
    prev_execution_date_success: lastSuccess('logicalDate'),
    prev_data_interval_start_success: lastSuccess('dataIntervalStart'),
    prev_data_interval_end_success: lastSuccess('dataIntervalEnd'),
    prev_start_date_success: lastSuccess('startedAt'),
    prev_end_date_success: lastSuccess('endedAt'),
    yesterday_ds: ds(logicalDate.add(-1)),
    yesterday_ds_nodash: dsNodash(logicalDate.add(-1)),
    tomorrow_ds: ds(logicalDate.add(1)),
    tomorrow_ds_nodash: dsNodash(logicalDate.add(1)),
    start_date: dateOf(facts.firstStartedAt),
    run_id: runId,
    dag_id: dagId,
    task_id: taskId,
    map_index: mapIndex,
    map_index_template: task.mapIndexTemplate,
    expanded_ti_count: facts.mapCount,
    task_reschedule_count: facts.rescheduleCount,
    task_instance_key_str: `${dagId}__${taskId}__${dsNodash(logicalDate)}`,
    idempotency_key: idempotencyKey(facts),
    params: paramsOf(facts),
    inlets: templateAssets(task.inlets),
    outlets: templateAssets(task.outlets),
    inlet_events: new AskedName(
      { what: 'inletEvents', assets: task.inlets.flatMap((inlet) => ('asset' in inlet ? [inlet.asset.name] : [])) },
      (answer) => inletEvents(task.inlets, answer),
    ),
    outlet_events: outletEvents(task.outlets),
    triggering_asset_events: new AskedName({ what: 'triggeringAssetEvents', dagId, runId }, triggeringAssetEvents),
    dag: {
      dag_id: dagId,
      description: dag.description,
      tags: dag.tags,
      timezone: dag.timezone,
      owner: dag.owners.join(', '),
      doc_md: dag.docMd,
    },
    task: ofTask,
    dag_run: dagRun,
    ti,
    macros: MACROS,
    test_mode: facts.isTest ?? false,
  }
}
