/** The names that a template may use, as Airflow has them, those of Airflow 2 among them. Pure. */
import { AppError } from '../core/app-error.ts'
import { idempotencyKey, paramsOf, type TaskFacts } from './task-facts.ts'
import { formatDate, parseDate, TemplateDate } from './template-date.ts'

const ds = (at: TemplateDate | string): string => asDate(at, 'ds').strftime('%Y-%m-%d')
const dsNodash = (at: TemplateDate | string): string => asDate(at, 'ds_nodash').strftime('%Y%m%d')
const ts = (at: TemplateDate | string): string => asDate(at, 'ts').isoformat()
const tsNodash = (at: TemplateDate | string): string => asDate(at, 'ts_nodash').strftime('%Y%m%dT%H%M%S')
const tsNodashWithTz = (at: TemplateDate | string): string => asDate(at, 'ts_nodash_with_tz').strftime('%Y%m%dT%H%M%S%z')

/** `{{ logical_date | ds }}` and its like. */
export const TEMPLATE_FILTERS = { ds, ds_nodash: dsNodash, ts, ts_nodash: tsNodash, ts_nodash_with_tz: tsNodashWithTz }

function asDate(at: unknown, filter: string): TemplateDate {
  if (at instanceof TemplateDate) return at
  const date = new Date(String(at))
  if (Number.isNaN(date.getTime())) throw new AppError('invalid', `The filter "${filter}" needs a date, and "${String(at)}" is none.`)
  return new TemplateDate(date)
}

const MACROS = {
  /** `ds_add("2019-10-07", 7)` is `2019-10-14`. */
  ds_add: (day: string, days: number): string => ds(new TemplateDate(parseDate(day, '%Y-%m-%d')).add(days)),
  /** `ds_format("2019-10-07", "%Y-%m-%d", "%d.%m.%Y")`. */
  ds_format: (day: string, input: string, output: string): string => formatDate(parseDate(day, input), output),
}

/**
 * `ds` and its like are of the logical date, and `next_ds` of the end of the data interval. As in Airflow 2, a run that was triggered for
 * a date of its own choice stands for no interval of the schedule: its `prev_ds` and `next_ds` are its `ds`.
 */
export function templateNames(facts: TaskFacts): Readonly<Record<string, unknown>> {
  const start = new TemplateDate(facts.dataIntervalStart)
  const end = new TemplateDate(facts.dataIntervalEnd)
  const logicalDate = new TemplateDate(facts.logicalDate ?? facts.dataIntervalStart)
  const standsForInterval = facts.runType === 'scheduled' || facts.logicalDate === null || facts.logicalDate === facts.dataIntervalStart
  const next = standsForInterval ? end : logicalDate
  const previous = standsForInterval ? facts.previousIntervalStart && new TemplateDate(facts.previousIntervalStart) : logicalDate
  const { dagId, runId, taskId, tryNumber, maxTries, runType, conf, dag, task } = facts
  const ofTask = { dag_id: dagId, run_id: runId, task_id: taskId }
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
    next_execution_date: next,
    next_ds: ds(next),
    next_ds_nodash: dsNodash(next),
    prev_execution_date: previous,
    prev_ds: previous && ds(previous),
    prev_ds_nodash: previous && dsNodash(previous),
    yesterday_ds: ds(logicalDate.add(-1)),
    yesterday_ds_nodash: dsNodash(logicalDate.add(-1)),
    tomorrow_ds: ds(logicalDate.add(1)),
    tomorrow_ds_nodash: dsNodash(logicalDate.add(1)),
    run_id: runId,
    dag_id: dagId,
    task_id: taskId,
    task_instance_key_str: `${dagId}__${taskId}__${dsNodash(logicalDate)}`,
    idempotency_key: idempotencyKey(facts),
    params: paramsOf(facts),
    dag: { dag_id: dagId, description: dag.description, tags: dag.tags, timezone: dag.timezone, owner: dag.owners.join(', ') },
    task: { task_id: taskId, owner: task.owner, retries: task.retries },
    dag_run: {
      dag_id: dagId,
      run_id: runId,
      run_type: runType,
      conf,
      logical_date: logicalDate,
      data_interval_start: start,
      data_interval_end: end,
    },
    ti: { ...ofTask, try_number: tryNumber, max_tries: maxTries },
    macros: MACROS,
    test_mode: false,
  }
}
