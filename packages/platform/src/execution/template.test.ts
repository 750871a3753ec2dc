import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import type { TaskFacts } from './task-facts.ts'
import { renderTemplates, type TemplateSources } from './template.ts'
import { templateNames } from './template-names.ts'

const facts: TaskFacts = {
  dagId: 'pipeline_ml_staging',
  runId: 'scheduled__2019-09-30T05:00:00+00:00',
  taskId: 'submit_job',
  tryNumber: 1,
  maxTries: 0,
  runType: 'scheduled',
  logicalDate: '2019-09-30T05:00:00.000Z',
  dataIntervalStart: '2019-09-30T05:00:00.000Z',
  dataIntervalEnd: '2019-10-07T05:00:00.000Z',
  previousIntervalStart: '2019-09-23T05:00:00.000Z',
  conf: { day: 'Monday', deep: { list: [1, 2] } },
  dag: { params: { day: 'Sunday', limit: 3 }, timezone: 'UTC', description: null, tags: [], owners: ['ml'] },
  task: { owner: 'ml', retries: 0, operator: 'DataprocSubmitJob' },
}

const asked: string[] = []
const sources: TemplateSources = {
  variable: async (key) => {
    asked.push(key)
    if (key === 'PROJECT_ID') return 'daggerboard'
    if (key === 'BUCKETS') return '{"data": ["a", "b"]}'
    throw new AppError('not_found', `There is no Variable "${key}".`)
  },
  connection: async (id) => ({ conn_id: id, host: 'localhost', password: 's3cret', extra_dejson: { region: 'us-central1' } }),
  xcom: async (taskId, key) => (taskId === 'extract' ? { rows: 12, key } : null),
}

const render = (template: unknown, changed: Partial<TaskFacts> = {}) =>
  renderTemplates(template, templateNames({ ...facts, ...changed }), sources)

test('every name of the data interval has the value that Airflow 2 gives it', async () => {
  const expected = {
    ds: '2019-09-30',
    ds_nodash: '20190930',
    ts: '2019-09-30T05:00:00+00:00',
    ts_nodash: '20190930T050000',
    next_ds: '2019-10-07',
    next_ds_nodash: '20191007',
    prev_ds: '2019-09-23',
    yesterday_ds: '2019-09-29',
    tomorrow_ds: '2019-10-01',
    execution_date: '2019-09-30 05:00:00+00:00',
    data_interval_end: '2019-10-07 05:00:00+00:00',
    run_id: facts.runId,
    task_instance_key_str: 'pipeline_ml_staging__submit_job__20190930',
    'ti.try_number': '1',
    'dag_run.conf.day': 'Monday',
    'params.day': 'Monday',
    'params.limit': '3',
    'params.deep.list[1]': '2',
    'logical_date.strftime("%d/%m/%y %H:%M")': '30/09/19 05:00',
    'data_interval_end | ds': '2019-10-07',
    'data_interval_end | ts_nodash': '20191007T050000',
    'macros.ds_add(ds, 7)': '2019-10-07',
    'macros.ds_format(ds, "%Y-%m-%d", "%d.%m.%Y")': '30.09.2019',
    'dag_run.conf.absent | default("x")': 'x',
  }
  const rendered = await render(Object.fromEntries(Object.keys(expected).map((name) => [name, `{{ ${name} }}`])))
  assert.deepEqual(rendered, expected)
})

test('a run by hand stands for its interval, unless it has a date of its own choice', async () => {
  const three = '{{ prev_ds }} {{ ds }} {{ next_ds }}'
  assert.equal(await render(three, { runType: 'manual', logicalDate: null }), '2019-09-23 2019-09-30 2019-10-07')
  assert.equal(await render(three, { runType: 'manual' }), '2019-09-23 2019-09-30 2019-10-07')
  assert.equal(await render(three, { runType: 'manual', logicalDate: '2019-10-09T12:00:00.000Z' }), '2019-10-09 2019-10-09 2019-10-09')
})

test('Variables, Connections and XComs are fetched once each, when the template asks', async () => {
  asked.length = 0
  const rendered = await render([
    'gs://{{ var.value.PROJECT_ID }}-data/{{ var.json.BUCKETS.data[1] }}',
    '{{ var.value.get("PROJECT_ID") }} {{ conn.warehouse.host }} {{ conn.warehouse.extra_dejson.region }}',
    '{{ ti.xcom_pull("extract").rows }} {{ ti.xcom_pull(task_ids="extract", key="k").key }}',
  ])
  assert.deepEqual(rendered, ['gs://daggerboard-data/b', 'daggerboard localhost us-central1', '12 k'])
  assert.equal(asked.filter((key) => key === 'BUCKETS').length, 1)
})

test('what is not there is an error that says what, where and what is near', async () => {
  await assert.rejects(render({ job: { query: ['{{ next_dss }}'] } }), {
    message:
      'The template of args.job.query[0] cannot be rendered: "next_dss" is not defined. Did you mean "next_ds"? It reads: {{ next_dss }}',
  })
  await assert.rejects(render('{{ params.table }}'), /"params\.table" has no value\. It reads/)
  await assert.rejects(render('{{ prev_ds }}', { previousIntervalStart: null }), /"prev_ds" has no value/)
  await assert.rejects(render('{{ var.value.NOPE }}'), /There is no Variable "NOPE"/)
  await assert.rejects(render('{{ var.json.PROJECT_ID }}'), /The Variable "PROJECT_ID" is not JSON/)
  await assert.rejects(render('{{ ds | dss }}'), /filter not found: dss/)
  await assert.rejects(render('{{ ds '), /cannot be rendered/)
})

test('what is no template stays as it is', async () => {
  const plain = { n: 1, yes: true, nothing: null, text: 'SELECT "a" FROM {x}', list: [{ a: '}}' }] }
  assert.deepEqual(await render(plain), plain)
})
