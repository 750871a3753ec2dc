import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { asset, assetAlias, dag, type TaskDocument } from '@daggerboard/dag'
import { AppError } from '../core/app-error.ts'
import { dagFacts, type TaskFacts } from './task-facts.ts'
import { renderTemplates, type TemplateOptions, type TemplateSources } from './template.ts'
import { templateReader } from './template-file.ts'
import { templateNames } from './template-names.ts'

const written = dag('pipeline_ml_staging', {}, ({ task }) => void task('submit_job', async () => {}, { owner: 'ml' })).document

const facts: TaskFacts = {
  dagId: 'pipeline_ml_staging',
  runId: 'scheduled__2019-09-30T05:00:00+00:00',
  taskId: 'submit_job',
  mapIndex: -1,
  tryNumber: 1,
  maxTries: 0,
  runType: 'scheduled',
  logicalDate: '2019-09-30T05:00:00.000Z',
  dataIntervalStart: '2019-09-30T05:00:00.000Z',
  dataIntervalEnd: '2019-10-07T05:00:00.000Z',
  previousIntervalStart: '2019-09-23T05:00:00.000Z',
  runAfter: '2019-10-07T05:00:00.000Z',
  runQueuedAt: '2019-10-07T05:00:01.000Z',
  runStartedAt: '2019-10-07T05:00:02.000Z',
  conf: { day: 'Monday', deep: { list: [1, 2] } },
  startedBy: 'system',
  resume: null,
  firstStartedAt: null,
  rescheduleCount: 0,
  mapCount: null,
  dag: { ...dagFacts(written), params: { day: 'Sunday', limit: 3 } },
  task: written.tasks[0] as TaskDocument,
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
  xcom: async (taskId, key, mapIndex) => (taskId === 'extract' ? { rows: 12, key, mapIndex } : null),
  async platform(question) {
    if (question.what === 'neighbours') return { previous: '2019-09-23T05:00:00.000Z', next: '2019-10-07T05:00:00.000Z' }
    if (question.what === 'inletEvents')
      return { rows: [1, 2].map((n) => ({ name: 'rows', at: '2019-09-30T00:00:00.000Z', extra: { n } })) }
    if (question.what === 'triggeringAssetEvents') {
      const source = { dagId: 'shop', runId: 'r', taskId: 'load', mapIndex: -1 }
      const interval = { dataIntervalStart: '2019-09-29T00:00:00.000Z', dataIntervalEnd: '2019-09-30T00:00:00.000Z' }
      const sourceRun = { runType: 'scheduled', logicalDate: interval.dataIntervalStart, conf: {}, ...interval }
      return [{ name: 'rows', uri: 'gs://shop/rows', at: '2019-09-30T01:00:00.000Z', extra: { n: 7 }, source, sourceRun, aliases: ['any'] }]
    }
    return { dataIntervalStart: '2019-09-16T05:00:00.000Z', startedAt: null }
  },
}

const render = (template: unknown, changed: Partial<TaskFacts> = {}, options: TemplateOptions = {}) =>
  renderTemplates(template, templateNames({ ...facts, ...changed }), sources, options)

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
    'ti.task.owner ~ " " ~ ti.dag_run.run_type ~ " " ~ ti.pool': 'ml scheduled default_pool',
    'dag_run.conf.day': 'Monday',
    'dag_run.state ~ " " ~ dag_run.run_after': 'running 2019-10-07 05:00:00+00:00',
    'dag_run.queued_at | ts': '2019-10-07T05:00:01+00:00',
    'dag_run.start_date | ts': '2019-10-07T05:00:02+00:00',
    'ti.dag_run.run_after | ds_nodash': '20191007',
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

test('a run by hand stands for its interval, unless it has a logical date', async () => {
  const three = '{{ prev_ds }} {{ ds }} {{ next_ds }}'
  assert.equal(await render(three, { runType: 'manual', logicalDate: null }), '2019-09-23 2019-09-30 2019-10-07')
  assert.equal(await render(three, { runType: 'manual' }), '2019-09-30 2019-09-30 2019-09-30')
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
  assert.equal(await render('{{ var.value.get("NOPE", "otherwise") }} {{ var.value.get("PROJECT_ID", "x") }}'), 'otherwise daggerboard')
  assert.equal(
    await render('{{ ti.xcom_pull("extract", map_indexes=[3])[0].mapIndex }} {{ ti.xcom_pull("no", default="none") }}'),
    '3 none',
  )
  assert.equal(asked.filter((key) => key === 'BUCKETS').length, 1)
  await assert.rejects(
    render('{{ ti.xcom_pull("extract", dag_id="other") }}'),
    /ti\.xcom_pull has no "dag_id" here: it pulls from this run/,
  )
})

test('what is not there is an error that says what, where and what is near', async () => {
  await assert.rejects(render({ job: { query: ['{{ next_dss }}'] } }), {
    message:
      'The template of args.job.query[0] cannot be rendered: "next_dss" is not defined. Did you mean "next_ds"? It reads: {{ next_dss }}',
  })
  await assert.rejects(render('{{ params.table }}'), /"params\.table" has no value\. It reads/)
  await assert.rejects(render('{{ prev_start_date_success }}'), /"prev_start_date_success" has no value/)
  await assert.rejects(render('{{ var.value.NOPE }}'), /There is no Variable "NOPE"/)
  await assert.rejects(render('{{ var.json.PROJECT_ID }}'), /The Variable "PROJECT_ID" is not JSON/)
  await assert.rejects(render('{{ ds | dss }}'), /filter not found: dss/)
  await assert.rejects(render('{{ ds '), /cannot be rendered/)
})

test('no template leads to the language behind it, and what it shows is never taken for a template', async () => {
  const data = { ...facts, conf: { text: '{{ 7 * 7 }}', constructor: 'a field of that name', rows: [{ a: 1 }] } }
  const ways = [
    ...['constructor', '"".constructor', 'params.rows.constructor', 'params.rows[0].constructor', 'params.__proto__', 'range.constructor'],
    ...['macros.ds_add.constructor', 'macros.datetime.constructor', 'macros.datetime.call', 'ti.xcom_pull.apply', 'params.text.at.bind'],
    ...[
      '[].map.constructor',
      '([params.rows[0]] | map(attribute="constructor"))[0]',
      'logical_date.constructor',
      'var.value.get.constructor',
    ],
  ]
  for (const way of ways) {
    await assert.rejects(renderTemplates(`{{ ${way} }}`, templateNames(data), sources), { code: 'invalid' }, way)
    await assert.rejects(renderTemplates(`{{ ${way}("return 1")() }}`, templateNames(data), sources), { code: 'invalid' }, way)
  }
  assert.equal(
    await renderTemplates('{{ params.text }} {{ params.constructor }}', templateNames(data), sources),
    '{{ 7 * 7 }} a field of that name',
  )
  assert.equal(await renderTemplates('{{ 1 if True else 2 }}{{ 1 if False else 2 }}', templateNames(data), sources), '12')
})

test('a name that may be missing is asked for with default, or whether it is defined', async () => {
  const lines = {
    '{{ exception | default("none") }} {{ nope | d("x") | upper }}': 'none X',
    '{% if exception is defined %}some{% else %}none{% endif %} {{ nope is undefined }}': 'none true',
    '{{ ds is defined }} {{ next_ds is defined }} {{ ds | default("x") }} {{ constructor | default("x") }}': 'true true 2019-09-30 x',
    '{% set mine = 1 %}{{ mine is defined }} {{ mine | default(2) }}': 'true 1',
  }
  assert.deepEqual(await render(Object.keys(lines)), Object.values(lines))
  await assert.rejects(render('{{ nope.deep | default("x") }}'), /"nope" is not defined/)
})

test('nothing is never written into a text, nor counted as 0; lists and objects beside a text are JSON', async () => {
  const missing = { ...sources, platform: async () => null }
  for (const template of ['"x_" ~ D', 'D ~ 1', '"x" + D', '1 - D', '2 * D', '2 / D', '"x_%s" | format(D)']) {
    const written = `{{ ${template.replace('D', 'prev_start_date_success')} }}`
    await assert.rejects(renderTemplates(written, templateNames(facts), missing), /"prev_start_date_success" has no value/, written)
  }
  const conf = { list: [1, 'a'], fields: { n: true } }
  assert.equal(
    await render(
      '{{ "x" ~ dag_run.conf.list ~ dag_run.conf.fields ~ 1.5 }} {{ dag_run.conf.fields | string }} {{ "y" + dag_run.conf.list }}',
      {
        conf,
      },
    ),
    'x[1, "a"]{"n": true}1.5 {"n": true} y[1, "a"]',
  )
})

test('an empty list or object is false, as in Python', async () => {
  const lines = {
    '{{ dag_run.conf["x"] if dag_run.conf else "no conf" }}': 'no conf',
    '{% if params.list %}some{% elif dag_run.conf %}conf{% else %}none{% endif %}': 'none',
    '{{ params.list or "empty" }} {{ params.full and "full" }} {{ (params.list and 1) | length }}': 'empty full 0',
    '{{ not params.list }} {{ not params.full }} {{ params.zero or 1 }} {{ 1 if logical_date }}': 'true false 1 1',
    '{{ 1 and 2 or 3 }} {{ "" or params.text or "z" }}': '2 t',
  }
  const params = { list: [], full: { a: 1 }, zero: 0, text: 't' }
  assert.deepEqual(await render(Object.keys(lines), { conf: {}, dag: { ...facts.dag, params } }), Object.values(lines))
})

test('what is no template stays as it is', async () => {
  const plain = { n: 1, yes: true, nothing: null, text: 'SELECT "a" FROM {x}', list: [{ a: '}}' }] }
  assert.deepEqual(await render(plain), plain)
})

test('instants are counted with as in Python', async () => {
  const expected = {
    '(logical_date + macros.timedelta(days=1, hours=2)) | ts': '2019-10-01T07:00:00+00:00',
    '(data_interval_end - data_interval_start).days': '7',
    'data_interval_end - data_interval_start': '<Interval [2019-09-30 05:00:00+00:00 -> 2019-10-07 05:00:00+00:00]>',
    'logical_date - macros.timedelta(1)': '2019-09-29 05:00:00+00:00',
    'logical_date.add(months=5)': '2020-02-29 05:00:00+00:00',
    'logical_date.subtract(days=1).to_date_string()': '2019-09-29',
    'logical_date.in_timezone("Europe/Paris")': '2019-09-30 07:00:00+02:00',
    'logical_date.in_timezone("Europe/Paris").strftime("%H:%M %z")': '07:00 +0200',
    'logical_date.in_timezone("Europe/Paris").strftime("%Z") ~ logical_date.strftime(" %Z")': 'CEST UTC',
    'logical_date.in_timezone("America/Sao_Paulo").format("zz z")': '-03 America/Sao_Paulo',
    'logical_date.replace(day=1).date()': '2019-09-01',
    'logical_date.start_of("month") | ds': '2019-09-01',
    'logical_date.weekday()': '0',
    'logical_date < data_interval_end': 'true',
    'macros.datetime(2020, 2, 3) | ds': '2020-02-03',
    'macros.datetime.strptime("03.02.2020", "%d.%m.%Y") | ds': '2020-02-03',
    'macros.dateutil.parser.parse("2020-02-03 04:05:06") | ts': '2020-02-03T04:05:06+00:00',
    'macros.datetime_diff_for_humans("2020-02-03", "2020-02-01")': '2 days after',
    '(logical_date - macros.dateutil.relativedelta.relativedelta(months=7)) | ds': '2019-02-28',
    '(logical_date + macros.dateutil.relativedelta.relativedelta(day=31, weekday=macros.dateutil.relativedelta.FR(-1))) | ds': '2019-09-27',
    'macros.dateutil.relativedelta.relativedelta(months=-14, hours=50, day=3)':
      'relativedelta(years=-1, months=-2, days=+2, hours=+2, day=3)',
    '"same" if logical_date == data_interval_start else "other"': 'same',
    '"in" if data_interval_start <= logical_date < data_interval_end else "out"': 'in',
    '1 < 3 < 2': 'false',
    'ti.execution_date - dag_run.execution_date': '<Interval [2019-09-30 05:00:00+00:00 -> 2019-09-30 05:00:00+00:00]>',
    'macros.uuid.uuid4() | string | length': '36',
    'macros.uuid.uuid5(macros.uuid.NAMESPACE_DNS, "python.org")': '886313e1-3b8a-5372-9b90-0c9aee199e5d',
    'macros.json.dumps(macros.json.loads("[1,2]"))': '[1, 2]',
    '1 + 2 * 3 - 4': '3',
    '(-7) % 4 + 7 % 4': '4',
    '"a" + "b" ~ 1': 'ab1',
    'prev_data_interval_start_success | ds': '2019-09-16',
    'triggering_asset_events.rows[0].extra.n': '7',
    '(inlet_events["rows"] | last).extra.n': '2',
    'task.owner ~ " " ~ task_reschedule_count ~ " " ~ test_mode': 'ml 0 false',
  }
  const rendered = await render(Object.fromEntries(Object.keys(expected).map((name) => [name, `{{ ${name} }}`])))
  assert.deepEqual(rendered, expected)
})

test('a text is not filled in with "%", and never becomes a number that is none', async () => {
  await assert.rejects(render('{{ "table_%s" % ds_nodash }}'), /"%" does not fill in texts\. Write "table_%s" \| format\(…\)/)
  await assert.rejects(render('{{ logical_date % 2 }}'), /"%" does not go with/)
  for (const zero of ['{{ 1 / 0 }}', '{{ 1 % 0 }}']) await assert.rejects(render(zero), /Nothing can be divided by 0/)
})

test('what is no JSON is not repeated: there may be secrets in it', async () => {
  await assert.rejects(render('{{ macros.json.loads(conn.db.password) }}'), (error: Error) => !error.message.includes('s3cret'))
})

test('a date that is not there is not counted with, nor compared', async () => {
  const missing = { ...sources, platform: async () => null }
  for (const template of [
    '{{ D - macros.timedelta(days=1) }}',
    '{{ macros.timedelta(days=1) + D }}',
    '{{ D < logical_date }}',
    '{{ ds - logical_date }}',
  ]) {
    const written = template.replace('D', 'prev_execution_date_success')
    await assert.rejects(
      renderTemplates(written, templateNames(facts), missing),
      /"prev_execution_date_success" has no value|does not go with/,
      written,
    )
  }
})

test('assets and their events have the names that Airflow gives them', async () => {
  const { document } = dag('pipeline_ml_staging', {}, ({ task }) => {
    const rows = asset({ name: 'rows', uri: 'gs://shop/rows' })
    task('submit_job', async () => {}, { inlets: [rows], outlets: [asset({ name: 'model', uri: 'gs://shop/model' }), assetAlias('any')] })
  })
  const event = '(triggering_asset_events.values() | first | first)'
  const expected = {
    'inlets[0].uri ~ " " ~ outlets[0].name ~ " " ~ outlets[1].name': 'gs://shop/rows model any',
    'outlet_events["model"].extra': '{}',
    'outlet_events[1].asset_alias_events | length': '0',
    '(inlet_events[0] | first).extra.n': '1',
    'inlet_events | length': '1',
    'triggering_asset_events.keys() | join(" ")': 'rows any',
    [`${event}.asset.uri ~ " " ~ ${event}.timestamp.strftime("%H:%M %Z")`]: 'gs://shop/rows 01:00 UTC',
    [`${event}.source_dag_id ~ "/" ~ ${event}.source_run_id ~ "/" ~ ${event}.source_task_instance.task_id`]: 'shop/r/load',
    [`${event}.source_dag_run.data_interval_start | ds`]: '2019-09-29',
  }
  const rendered = await render(Object.fromEntries(Object.keys(expected).map((name) => [name, `{{ ${name} }}`])), {
    task: document.tasks[0] as TaskDocument,
  })
  assert.deepEqual(rendered, expected)
})

test('a field that is one expression keeps the type of its value, where the DAG says so', async () => {
  const native = await render(['{{ params.limit }}', '{{ params.deep.list }}', '{{ ds }}', 'n {{ params.limit }}'], {}, { isNative: true })
  assert.deepEqual(native, [3, [1, 2], '2019-09-30', 'n 3'])
  assert.deepEqual(await render(['{{ params.limit }}']), ['3'])
})

test('texts, lists and objects have the methods that Python gives them, and are printed as JSON', async () => {
  const lines = {
    '{{ conf.name.upper().replace("N", "M") }}': 'AMMA',
    '{{ conf.name.split("n") | join("/") }} {{ conf.path.strip("/") }}': 'a//a data',
    '{{ conf.rows }} {{ conf.rows[0] }}': '[{"n": 1}, {"n": 2}] {"n": 1}',
    '{% for key, value in conf.rows[1].items() %}{{ key }}={{ value }}{% endfor %}': 'n=2',
    '{{ conf.rows | map(attribute="n") | max }} {{ conf.get("none", 5) }} {{ conf.get("name") }}': '2 5 anna',
    '{{ "%s %03d" | format(conf.name, 7) }}\n': 'anna 007',
  }
  const conf = { name: 'anna', path: '/data/', rows: [{ n: 1 }, { n: 2 }] }
  assert.deepEqual(
    await render(
      Object.keys(lines).map((line) => line.replaceAll('conf.', 'dag_run.conf.')),
      { conf },
    ),
    Object.values(lines),
  )
})

test('a string that ends as a template file does is read beside the DAG file, and never outside of the DAGs folder', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'templates-'))
  t.after(() => rmSync(root, { recursive: true }))
  const dags = join(root, 'dags')
  mkdirSync(join(dags, 'sql'), { recursive: true })
  writeFileSync(join(dags, 'a.sql'), 'SELECT {{ params.limit }} {% include "b.sql" %}')
  writeFileSync(join(dags, 'sql/b.sql'), "AT '{{ ds }}'\n")
  writeFileSync(join(root, 'secret.sql'), 'secret')
  symlinkSync(join(root, 'secret.sql'), join(dags, 'link.sql'))
  const options = { extensions: ['.sql'], readFile: templateReader({ root: dags, dagFile: join(dags, 'd.ts') }, ['sql']) }
  assert.deepEqual(await render({ query: ['a.sql'], other: 'a.txt' }, {}, options), { query: ["SELECT 3 AT '2019-09-30'"], other: 'a.txt' })
  for (const path of ['../secret.sql', 'link.sql', 'none.sql']) {
    await assert.rejects(
      render({ query: path }, {}, options),
      /The template of args\.query cannot be rendered: The template file ".*" is not there/,
    )
  }
})
