/** The runs of a DAG, and the names that Airflow 2 gave its templates, here and in Airflow 2 itself. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { generator, MINUTE, randomTime, whole } from '../../packages/platform/test/cron-walk.ts'
import { askPython } from '../python.ts'
import { type Schedule, type Step, type Walk, walked } from './airflow2-walk.ts'
import { pythonWithAirflow2 } from './python-with-airflow.ts'

const DAYS = [
  ...['ds', 'ds_nodash', 'next_ds', 'next_ds_nodash', 'prev_ds', 'prev_ds_nodash'],
  ...['yesterday_ds', 'yesterday_ds_nodash', 'tomorrow_ds', 'tomorrow_ds_nodash'],
]
const INSTANTS = [
  ...['execution_date', 'logical_date', 'next_execution_date', 'prev_execution_date', 'data_interval_start', 'data_interval_end'],
  ...['prev_execution_date_success', 'prev_data_interval_start_success', 'prev_data_interval_end_success'],
  ...['prev_start_date_success', 'prev_end_date_success'],
]
const COUNTED = ['execution_date', 'next_execution_date', 'prev_execution_date_success', 'data_interval_end']
const OTHERS = [
  ...['ts', 'ts_nodash', 'ts_nodash_with_tz', 'run_id', 'task_instance_key_str', 'test_mode', 'expanded_ti_count', 'map_index_template'],
  ...['dag_run.run_id', 'dag_run.run_type', 'dag_run.external_trigger', 'dag_run.execution_date', 'dag_run.logical_date | ds'],
  ...['dag_run.conf.get("n", "none")', 'dag_run.data_interval_end | ts', 'ti.execution_date', 'ti.run_id', 'ti.max_tries', 'ti.task_id'],
  ...['task_instance.execution_date | ds_nodash', 'params.n + 1', 'dag.dag_id', 'task.owner', 'task.retries'],
]
const OF_INSTANTS = [
  ...['D | ds', 'D | ds_nodash', 'D | ts', 'D | ts_nodash', 'D | ts_nodash_with_tz', 'D.isoformat()', 'D.strftime("%Y/%m/%d/%H")'],
  ...['D.in_timezone("Europe/Paris") | ts', 'D.add(days=1) | ds', 'D.subtract(months=1).format("YYYY-MM")', 'D.to_date_string()'],
  ...['(D - macros.timedelta(days=7)) | ds', '(D + macros.timedelta(hours=5, minutes=30)).isoformat()', 'D.int_timestamp', 'D.day_of_week'],
  ...['(D + macros.dateutil.relativedelta.relativedelta(months=1)) | ds', 'D.start_of("month") | ds', 'D.timestamp() | int'],
  ...['(D - macros.dateutil.relativedelta.relativedelta(months=1, day=31)).strftime("%Y-%m-%d")', '(D - execution_date).days'],
  ...['macros.datetime_diff_for_humans(D, execution_date.add(days=40))', '"same" if D == execution_date else "other"'],
  ...['"other" if D != data_interval_end else "same"', '"in" if data_interval_start <= D < data_interval_end else "out"'],
  ...['D - macros.timedelta(days=1)', 'macros.timedelta(days=1) + D'],
  ...['(D + macros.dateutil.relativedelta.relativedelta(weekday=macros.dateutil.relativedelta.MO(-1))) | ds'],
  ...['(D + macros.dateutil.relativedelta.relativedelta(days=1, hours=-30, minutes=90, hour=5)) | ts'],
]
const MACROS = [
  ...[
    'macros.ds_add(ds, 5)',
    'macros.ds_add(ds, -40)',
    'macros.ds_add(ds, 0)',
    'macros.ds_add(yesterday_ds, 1)',
    'macros.ds_add("2024-02-28", 1)',
  ],
  ...['macros.ds_format(ds, "%Y-%m-%d", "%d.%m.%y")', 'macros.ds_format(ds_nodash, "%Y%m%d", "%A %d %B %Y")'],
  ...['macros.datetime(2024, 2, 29).strftime("%F")', 'macros.datetime.strptime(ds, "%Y-%m-%d").strftime("%j")'],
  ...['macros.datetime.fromisoformat(ds).year', 'macros.datetime.strptime(ts_nodash, "%Y%m%dT%H%M%S").hour'],
  ...['(macros.datetime.strptime(ds, "%Y-%m-%d") + macros.timedelta(days=3)).strftime("%Y%m%d")', 'macros.timedelta(days=1, hours=5)'],
  ...[
    'macros.dateutil.parser.parse(ts).isoformat()',
    'macros.dateutil.parser.parse(ds).strftime("%d/%m/%Y")',
    'macros.dateutil.parser.parse(ts) | ds',
  ],
  ...[
    'macros.dateutil.relativedelta.relativedelta(months=1, days=-2)',
    'macros.dateutil.relativedelta.relativedelta(months=-14, hours=50, day=3)',
    'macros.dateutil.relativedelta.relativedelta(years=1, hours=30).days',
  ],
  ...[
    'macros.time.strftime("%Y") | length',
    '"yes" if macros.time.time() > 0 else "no"',
    '"yes" if macros.time.time() | int > 0 else "no"',
  ],
  ...['macros.uuid.uuid4() | string | length', 'macros.uuid.uuid4().hex | length', 'macros.uuid.uuid5(macros.uuid.NAMESPACE_DNS, ds)'],
  ...['"yes" if 0 <= macros.random() < 1 else "no"', 'macros.json.dumps(params)', 'macros.json.loads("[1, 2]") | last'],
  ...[
    '"yes" if macros.datetime.now().year > 2023 else "no"',
    'macros.datetime.utcnow().strftime("%Y") | length',
    'macros.datetime.today().year | string | length',
  ],
]
/** How authors write what may not be there. */
const CAREFUL = [
  ...['{{ prev_ds or "none" }}', '{% if prev_execution_date_success %}{{ prev_execution_date_success | ds }}{% else %}first{% endif %}'],
  ...['{{ prev_data_interval_end_success or data_interval_start }}', '{{ next_ds if next_ds is not none else ds }}'],
  ...['{{ (prev_start_date_success or execution_date).isoformat() }}', '{{ "test" if test_mode else "real" }}'],
]
const TEMPLATES = [
  ...[...DAYS, ...INSTANTS, ...OTHERS, ...MACROS].map((one) => `{{ ${one} }}`),
  ...COUNTED.flatMap((date) => OF_INSTANTS.map((one) => `{{ ${one.replaceAll(/\bD\b(?!["%-])/g, date)} }}`)),
  ...CAREFUL,
]

const random = generator(20_261_123)
const pick = <Item>(items: readonly Item[]): Item => items[whole(random, 0, items.length - 1)] as Item
const iso = (at: number): string => new Date(at).toISOString()
const HOUR = 60 * MINUTE
const ZONES = ['UTC', 'Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']
const EXPRESSIONS = [
  ...['@daily', '0 0 * * *', '0 5 * * *', '30 2 * * *', '@hourly', '0 * * * *', '*/15 * * * *', '0 */6 * * *', '@weekly', '0 5 * * 1'],
  ...['@monthly', '0 0 1 */3 *', '15 1-4 * * *', '0 12 L * *', '0 9 * * 5#3', '@yearly', '0 8 * * MON-FRI'],
]
const CASES = 36
const LATER = [HOUR, 24 * HOUR, 24 * HOUR, 40 * 24 * HOUR]

const cron = (): Schedule => ({ kind: 'cron', expression: pick(EXPRESSIONS) })
const schedules = [
  ...[cron, cron, cron, cron, cron],
  (): Schedule => ({ kind: 'delta', seconds: pick([3600, 5400, 86_400, 604_800]) }),
  (): Schedule => ({ kind: 'once' }),
  (): Schedule => ({ kind: 'cronTrigger', expression: pick(EXPRESSIONS) }),
  (): Schedule => ({ kind: 'none' }),
]

function randomWalk(i: number): Walk {
  const begin = Math.floor(randomTime(random) / MINUTE) * MINUTE
  let now = begin
  const end = (at: number, n: number) => {
    const startedAt = at + whole(random, 1, 90_000)
    const state = random() < 0.6 ? 'success' : 'failed'
    return { state, startedAt: iso(startedAt), endedAt: iso(startedAt + whole(random, 1, 900) * 1000), conf: n % 2 ? { n } : {} } as const
  }
  const steps = Array.from({ length: whole(random, 2, 5) }, (_, n) => {
    now += Math.max(MINUTE, Math.floor((random() * pick(LATER)) / MINUTE) * MINUTE)
    const byHand = now + (random() < 0.7 ? whole(random, 1, 59) * 1000 : whole(random, 1, 59_999))
    return { now: iso(now), scheduled: end(now, 0), manual: { now: iso(byHand), ...end(byHand, n) } }
  })
  return {
    ...{ dagId: `wind_farm_${i}`, schedule: (schedules[i % schedules.length] as () => Schedule)(), zone: pick(ZONES) },
    startDate: iso(begin - whole(random, 0, 10 * 24 * 60) * MINUTE),
    endDate: random() < 0.85 ? null : iso(begin + whole(random, 1, 20 * 24 * 60) * MINUTE),
    ...{ catchup: random() < 0.5, isTest: random() < 0.2, params: { n: 3, city: 'Nantes' }, templates: TEMPLATES, steps },
  }
}

const walks = Array.from({ length: CASES }, (_, i) => randomWalk(i))
let theirs: readonly (readonly Step[])[]
let ours: readonly (readonly Step[])[]
before(async () => {
  theirs = await askPython(await pythonWithAirflow2(), join(import.meta.dirname, 'semantics_airflow2.py'), walks)
  ours = await Promise.all(walks.map(walked))
})

/** A name without a value is refused here, truths are JSON's, and run ids have no more digits than the instant. */
function expected(airflow: unknown, own: unknown): unknown {
  const isRefused = airflow === 'None' || typeof airflow !== 'string'
  if (isRefused) return typeof own === 'object' ? own : { error: `as in Airflow, which says ${JSON.stringify(airflow)}` }
  if (airflow === 'True' || airflow === 'False') return airflow.toLowerCase()
  return airflow.replace(/^(manual__.*\.\d{3})000(?=\+)/, '$1')
}

const about = (i: number, n: number) => {
  const { templates: _, steps, ...walk } = walks[i] as Walk
  return JSON.stringify({ ...walk, now: steps[n] })
}

test('a DAG that comes from Airflow 2 has the runs and intervals that it had there', (t) => {
  let compared = 0
  for (const [i, steps] of theirs.entries()) {
    for (const [n, { run, manual, runs }] of steps.entries()) {
      const own = ours[i]?.[n] as Step
      const ids = (step: { runs: Step['runs'] }) => step.runs.map(({ runId }) => runId.replace(/(\.\d{3})000/, '$1'))
      assert.deepEqual({ run: own.run, manual: own.manual, ids: ids(own) }, { run, manual, ids: ids({ runs }) }, about(i, n))
      compared += 2
    }
  }
  t.diagnostic(`${compared} runs and intervals`)
})

test('the names, macros and filters of Airflow 2 come to what they come to there', (t) => {
  let compared = 0
  for (const [i, steps] of theirs.entries()) {
    for (const [n, { runs }] of steps.entries()) {
      for (const [r, { texts }] of runs.entries()) {
        for (const [place, airflow] of texts.entries()) {
          const [template, own] = [TEMPLATES[place] as string, ours[i]?.[n]?.runs[r]?.texts[place]]
          assert.deepEqual(own, expected(airflow, own), `${template} ${about(i, n)}`)
          compared += 1
        }
      }
    }
  }
  t.diagnostic(`${compared} templates`)
})
