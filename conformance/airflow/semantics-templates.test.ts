/** What templates come to here, and with Airflow's own context, macros and filters. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { asset, dag, type TaskDocument } from '@daggerboard/dag'
import { dagFacts, type TaskFacts } from '../../packages/platform/src/execution/task-facts.ts'
import { renderTemplates, type TemplateSources } from '../../packages/platform/src/execution/template.ts'
import { templateNames } from '../../packages/platform/src/execution/template-names.ts'
import { generator, randomTime, whole } from '../../packages/platform/test/cron-walk.ts'
import { askPython } from '../python.ts'
import { pythonWithAirflow } from './python-with-airflow.ts'

const NAMES = [
  ...['ds', 'ds_nodash', 'ts', 'ts_nodash', 'ts_nodash_with_tz', 'logical_date', 'data_interval_start', 'data_interval_end'],
  ...['run_id', 'task_instance_key_str', 'task_reschedule_count'],
]
const OLD = 'data_interval_start.replace(year=2019, month=2, day=27)'
const OF_DATES = [
  ...['D | ds', 'D | ds_nodash', 'D | ts', 'D | ts_nodash', 'D | ts_nodash_with_tz', 'D.isoformat()', 'D.date()', 'D.to_date_string()'],
  ...['D.strftime("%Y/%m/%d %H:%M:%S.%f %j %a %A %b %B %y %I %p %w %u %z %Z %%")', 'D.int_timestamp', 'D.weekday()', 'D.isoweekday()'],
  ...['D.year', 'D.month', 'D.day', 'D.hour', 'D.minute', 'D.second', 'D.microsecond', 'D.to_iso8601_string()', 'D.to_datetime_string()'],
  ...['D.add(days=1)', 'D.add(months=1)', 'D.add(years=-1, hours=5)', 'D.subtract(days=40)', 'D.subtract(months=1, weeks=2)'],
  ...[
    'D.start_of("day")',
    'D.start_of("week")',
    'D.start_of("month") | ds',
    'D.start_of("year")',
    'D.start_of("hour")',
    'D.replace(day=1, hour=0)',
  ],
  ...['D.in_timezone("Europe/Paris")', 'D.in_timezone("America/New_York").isoformat()', 'D.in_tz("Asia/Kolkata") | ds'],
  ...[
    'D.in_timezone("Australia/Lord_Howe").strftime("%H:%M %z %Z")',
    'D.in_timezone("Europe/Paris").format("zz z")',
    'D + macros.timedelta(days=1, hours=3)',
    'D - macros.timedelta(minutes=5)',
  ],
  ...['D.quarter', 'D.day_of_year', 'D.week_of_year', 'D.day_of_week', 'D.days_in_month', 'D.end_of("day")', 'D.end_of("week")'],
  ...['D.end_of("month")', 'D.end_of("year")', 'D.end_of("hour")', 'D.start_of("minute")', 'D.start_of("decade")', 'D.offset'],
  ...['D.in_tz("Europe/Paris").add(days=1)', 'D.in_tz("America/New_York").add(months=1, hours=2)', 'D.in_tz("Europe/Paris").add(hours=24)'],
  ...[
    'D.in_tz("Europe/Paris").subtract(days=1, minutes=30)',
    'D.in_tz("Asia/Kolkata").start_of("day")',
    'D.in_tz("Europe/Paris").end_of("month")',
  ],
  ...[
    'D.in_tz("Australia/Lord_Howe").start_of("week")',
    'D.in_tz("America/New_York").replace(day=1, hour=3)',
    'D.in_tz("Europe/Paris").day_of_year',
  ],
  ...[
    'D.in_tz("America/New_York").to_iso8601_string()',
    'D.in_tz("Europe/Paris").format("YYYY-MM-DD HH:mm:ssZ ZZ z")',
    'D.to_time_string()',
  ],
  ...['D.in_tz("Europe/Paris") + macros.timedelta(days=1)', 'D.in_tz("Europe/Paris") | ds', 'D.in_tz("America/New_York").date()'],
  ...['D.strftime("%U %W %V %G %g %e %-d %-m %-H %-j %F %T %D %R %C %c %x %X %h")', 'D.diff(data_interval_start).in_hours()'],
  ...['D.format("YYYY YY M MM MMM MMMM D DD DDD DDDD Do d dd ddd dddd E Q Qo H HH h hh m mm s ss S SSS SSSSSS A X x")'],
  ...['D.format("[at] L LL LLL LLLL LT LTS")', 'D.diff(data_interval_start).in_days()', 'D.diff(data_interval_start).in_words()'],
  ...['(data_interval_start - D).days', '(data_interval_start - D).in_minutes()', 'D.diff(data_interval_start, False).in_months()'],
  ...['D - data_interval_start', 'D.is_leap_year() and 1 or 2', 'D.diff(OLD).in_weeks()', 'D.diff(OLD).in_months()'],
  ...[
    '(D - OLD).in_words()',
    '(OLD - D).in_words()',
    'D.diff_for_humans(OLD)',
    'OLD.diff_for_humans(D)',
    'D.diff_for_humans(data_interval_start)',
  ],
  ...['macros.datetime_diff_for_humans(D, OLD)', 'D.add(hours=7).diff_for_humans(D)', 'D.diff_for_humans(D.add(seconds=5))'],
  ...[
    'D.diff_for_humans(D.add(months=7, days=28))',
    'D.diff_for_humans(D.add(months=11, days=20))',
    'D.diff_for_humans(D.add(days=6, hours=23))',
  ],
  ...[
    'D.diff_for_humans(D.add(weeks=2, days=4))',
    'D.diff_for_humans(D.add(years=1, months=7))',
    '(D - macros.timedelta(weeks=1)) | ds',
    '(D - data_interval_start).days',
    '"later" if D > data_interval_start else "first"',
  ],
]
const OTHERS = [
  ...['macros.timedelta(hours=7) * 2', '3 * macros.timedelta(minutes=1)', 'macros.timedelta(days=1) / 2', 'macros.timedelta(1, 2, 3)'],
  ...['macros.timedelta(days=1) / macros.timedelta(hours=48)', 'macros.timedelta(milliseconds=1500).microseconds', '"ab" * 2', '[1] + [2]'],
  ...['macros.datetime.strptime("5 Feb 24", "%d %b %y").strftime("%F")', 'macros.datetime.strptime("10:20 PM", "%I:%M %p").hour'],
  ...['macros.datetime.strptime("march 2020", "%B %Y").month', 'macros.datetime.strptime("2024-060", "%Y-%j").strftime("%F")'],
  ...['macros.datetime.strptime("2024-01-05T10:00:00+0200", "%Y-%m-%dT%H:%M:%S%z").isoformat()', '2.345 | round(2)', '2.675 | round(2)'],
  ...[
    'macros.datetime.strptime("1.25", "%S.%f").microsecond',
    '2.5 | round | int',
    '3.5 | round | int',
    '-2.5 | round | int',
    '0.125 | round(2)',
  ],
  ...[
    '2.1 | round(0, "ceil") | int',
    '2.55 | round(1, "floor")',
    '1250 | round(-2) | int',
    'macros.ds_format("Fri 5 Jan 2024", "%a %d %b %Y", "%e")',
  ],
  ...[
    'macros.ds_add(ds, 5)',
    'macros.ds_add(ds, -400)',
    'macros.ds_format(ds, "%Y-%m-%d", "%m/%d/%y")',
    'macros.ds_format("1/5/2015", "%m/%d/%Y", "%A")',
  ],
  ...['macros.timedelta(days=1, hours=2)', 'macros.timedelta(hours=-1)', 'macros.datetime.fromisoformat("2024-01-05").year'],
  ...[
    'params.limit + 1',
    'params.limit / 2',
    'params.limit // 2',
    'params.limit ** 2',
    'params.limit % 2',
    'params.limit | string | length',
  ],
  ...[
    'params.name | upper',
    'params.name ~ "-" ~ params.limit',
    'params.name.upper()',
    'params.name[0]',
    'params.name | title',
    'params.name | trim',
  ],
  ...[
    'params.name.replace("n", "m")',
    'params.name | replace("n", "m")',
    'params.name.split("n") | length',
    'params.path.rstrip("/")',
    'params.path.strip("/ad")',
  ],
  ...[
    'params.path.split("/")[1]',
    '"-".join(params.texts)',
    '"7".zfill(3)',
    '"-7".zfill(4)',
    'params.name.count("n")',
    'params.name.find("n")',
    'params.name.capitalize()',
  ],
  ...[
    '"yes" if params.name.startswith("a") else "no"',
    '"yes" if params.name.endswith(("x", "a")) else "no"',
    '"yes" if "12".isdigit() else "no"',
  ],
  ...[
    'params.list',
    'params.list[0]',
    'params.list | join(",")',
    'params.list | length',
    'params.list | sum',
    'params.list | first',
    'params.list | last',
  ],
  ...[
    'params.list | max',
    'params.list | min',
    'params.list | sort | reverse | list',
    'params.texts | map("upper") | join("/")',
    'params.rows | map(attribute="n") | list',
  ],
  ...[
    'params.texts | unique | list | length',
    'params.list | tojson',
    'params.map | tojson',
    'params.map.a',
    'params.map["a"]',
    'params.map.get("a")',
    'params.map.get("z", 5)',
  ],
  ...[
    'params.map.keys() | list | length',
    'params.map.values() | list | last',
    'params.missing | default("x")',
    'params.name if params.flag else "no"',
  ],
  ...[
    '"%s %05d %.2f%%" | format(params.name, params.limit, params.float)',
    '"in" if params.limit in params.list else "out"',
    'params.float | int',
    '"12" | int + 1',
  ],
  ...[
    'dag_run.conf["day"]',
    'dag_run.conf.day',
    'dag_run.conf.get("none", "d")',
    'dag_run.run_type',
    'dag_run.run_id',
    'dag_run.logical_date | ds',
  ],
  ...[
    'dag_run.data_interval_start | ts',
    'ti.task_id',
    'ti.dag_id',
    'ti.run_id',
    'ti.try_number',
    'ti.max_tries',
    'ti.map_index',
    'task_instance.task_id',
  ],
  ...['task.task_id', 'task.owner', 'task.retries', 'dag.dag_id', 'params.day'],
]
/** What is another text here on purpose: values are printed as those of JSON, and all instants have a zone. */
const UNLIKE: Readonly<Record<string, readonly [ours: string, airflow: string]>> = {
  '{{ params.flag }}': ['true', 'True'],
  '{{ params.map }}': ['{"a": 1, "b": "x"}', "{'a': 1, 'b': 'x'}"],
  '{{ macros.datetime(2024, 1, 5) }}': ['2024-01-05 00:00:00+00:00', '2024-01-05 00:00:00'],
  '{{ macros.timedelta(days=2).total_seconds() }}': ['172800', '172800.0'],
}
const STATEMENTS = [
  '{% for x in params.list %}{{ loop.index }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}',
  '{% for key, value in params.map.items() %}{{ key }}={{ value }};{% endfor %}',
  '{% set day = ds_nodash %}{{ day }}.csv',
  '{%- if params.limit > 2 -%} big {%- elif params.limit == 2 -%} two {%- else -%} small {%- endif -%}',
  '{# a comment #}a{{ "{{" }}b',
  '{% raw %}{{ ds }}{% endraw %}',
  'line 1\n{{ ds }}\n',
  '{% macro hello(who) %}hi {{ who }}{% endmacro %}{{ hello(params.name) }}',
  "gs://bucket/{{ data_interval_start.strftime('%Y/%m/%d') }}/*.csv",
  '{% for i in range(3) %}{{ macros.ds_add(ds, i) }} {% endfor %}',
]
/** Texts in it stay: patterns have a D of their own. */
const ofDate = (expression: string, date: string): string =>
  expression
    .split('"')
    .map((part, i) => (i % 2 === 1 ? part : part.replaceAll('OLD', OLD).replaceAll(/\bD\b/g, date)))
    .join('"')
const TEMPLATES = [
  ...[...NAMES, ...OTHERS].map((one) => `{{ ${one} }}`),
  ...['logical_date', 'data_interval_end'].flatMap((date) => OF_DATES.map((one) => `{{ ${ofDate(one, date)} }}`)),
  ...STATEMENTS,
]

const written = dag('wind_farm', {}, ({ task }) => void task('train', async () => {}, { owner: 'ml' })).document
const CASES = 40
const random = generator(20_261_107)
const DAY = 86_400_000

function randomFacts(): TaskFacts {
  const start = Math.floor(randomTime(random) / 60_000) * 60_000
  const end = start + whole(random, 1, 40) * (random() < 0.5 ? DAY : 3_600_000)
  const kind = random() < 0.6 ? 'scheduled' : 'manual'
  const logical = kind === 'scheduled' ? start : start + whole(random, 0, 999_999)
  const logicalDate = new Date(logical).toISOString()
  return {
    ...{ dagId: 'wind_farm', runId: `${kind}__${logicalDate}`, taskId: 'train', mapIndex: -1, tryNumber: whole(random, 1, 3), maxTries: 2 },
    ...{ runType: kind, logicalDate, dataIntervalStart: new Date(start).toISOString(), dataIntervalEnd: new Date(end).toISOString() },
    ...{ runAfter: logicalDate, runQueuedAt: logicalDate, runStartedAt: null },
    ...{ previousIntervalStart: null, conf: { day: 'Monday' }, startedBy: 'system', resume: null, firstStartedAt: null },
    ...{ rescheduleCount: 0, mapCount: null, task: written.tasks[0] as TaskDocument },
    dag: { ...dagFacts(written), params: PARAMS },
  }
}
const PARAMS = {
  limit: 3,
  name: 'anna',
  flag: true,
  none: null,
  list: [3, 1, 2],
  map: { a: 1, b: 'x' },
  path: '/data/wind/',
  rows: [{ n: 1 }, { n: 2 }],
  texts: ['p', "q's"],
  float: 2.55,
  day: 'Sunday',
}

const none = async () => null
const sources = { variable: none, connection: none, xcom: none, platform: none } as unknown as TemplateSources

/** The last fixed ones of the database are called by letters of their own in some of its versions. */
const OLD_ZONES = /^(MET|EST|MST|HST|WET|CET|EET|Factory|Etc\/.*)$/

test('clocks of every zone are called what Python calls them', async () => {
  const zones = Intl.supportedValuesOf('timeZone').filter((zone) => !OLD_ZONES.test(zone))
  const templates = zones.map((zone) => `{{ data_interval_start.in_timezone("${zone}").strftime("%Z") }}`)
  const cases = ['2024-01-15T12:00:00.000Z', '2024-07-15T12:00:00.000Z'].map((at) => ({ ...randomFacts(), dataIntervalStart: at }))
  const asked = cases.map(({ task: _, dag: __, ...facts }) => ({ ...facts, params: {}, templates }))
  const theirs = await askPython<unknown[][]>(await pythonWithAirflow(), join(import.meta.dirname, 'semantics_templates.py'), asked)
  for (const [i, facts] of cases.entries()) {
    const ours = await renderTemplates(templates, templateNames(facts), sources)
    assert.deepEqual(ours, theirs[i])
  }
})

test('assets and the events that a run was made of have the names of Airflow', async () => {
  const rows = { name: 'rows', uri: 'gs://shop/rows' }
  const source = { dagId: 'shop', runId: 'r', taskId: 'load', mapIndex: -1 }
  const events = [1, 2].map((n) => ({ ...rows, at: `2024-01-0${n}T00:00:00.000Z`, extra: { n }, source, sourceRun: null, aliases: [] }))
  const event = '(triggering_asset_events.values() | first | last)'
  const templates = [
    ...['inlets[0].uri', 'outlets[0].name', 'outlets | length', 'outlet_events[outlets[0].name].extra', 'triggering_asset_events | length'],
    ...['extra.n', 'asset.name', 'asset.uri', 'timestamp | ts', 'source_dag_id', 'source_run_id', 'source_task_id', 'source_map_index'].map(
      (field) => `${event}.${field}`,
    ),
  ].map((one) => `{{ ${one} }}`)
  const written = dag('wind_farm', {}, ({ task }) => {
    task('train', async () => {}, { owner: 'ml', inlets: [asset(rows)], outlets: [asset({ name: 'model', uri: 'gs://shop/model' })] })
  }).document
  const facts = { ...randomFacts(), task: written.tasks[0] as TaskDocument }
  const { task: _, dag: __, ...plain } = facts
  const asked = { ...plain, params: {}, inlets: [rows], outlets: [{ name: 'model', uri: 'gs://shop/model' }], events }
  // An asset is its own key there; names are ours.
  const inPython = templates.map((one) => one.replace('outlets[0].name]', 'outlets[0]]'))
  const [theirs] = await askPython<unknown[][]>(await pythonWithAirflow(), join(import.meta.dirname, 'semantics_templates.py'), [
    { ...asked, templates: inPython },
  ])
  const told = { ...sources, platform: async () => events } as unknown as TemplateSources
  assert.deepEqual(await renderTemplates(templates, templateNames(facts), told), theirs)
})

test('templates come to what they come to in Airflow', async (t) => {
  const cases = Array.from({ length: CASES }, randomFacts)
  const templates = [...TEMPLATES, ...Object.keys(UNLIKE)]
  const asked = cases.map(({ task: _, dag: __, ...facts }) => ({ ...facts, params: PARAMS, templates }))
  const theirs = await askPython<unknown[][]>(await pythonWithAirflow(), join(import.meta.dirname, 'semantics_templates.py'), asked)
  for (const [i, facts] of cases.entries()) {
    for (const [place, template] of templates.entries()) {
      const found = await renderTemplates(template, templateNames(facts), sources)
      const airflow = theirs[i]?.[place]
      assert.deepEqual([found, airflow], UNLIKE[template] ?? [airflow, airflow], `${template} ${JSON.stringify(facts.logicalDate)}`)
    }
  }
  t.diagnostic(`${CASES * templates.length} templates`)
})
