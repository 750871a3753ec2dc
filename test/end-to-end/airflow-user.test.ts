/** What somebody who comes from Airflow does on the first days, on one platform: with DAG files, the command line and the API. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { PlatformClient } from '../../packages/platform/src/cli/client.ts'
import { type Answer, CommandShell } from './command-shell.ts'

const DAGS = `
import { all, any, approval, asset, bash, cronTrigger, dag, delta, events, humanInput, param, records, SkipTask, zip } from '@daggerboard/dag'
import { existsSync } from 'node:fs'

const [rows, prices] = [asset('rows'), asset('prices')]
const nothing = () => null
const work = ({ task }) => void task('work', nothing)
const tell = (what) => ({ dagId, taskId, reason, log }) => log('TOLD ' + what + ' ' + dagId + '.' + taskId + ': ' + reason)
const show = (args) => ({ name: 'Show', args, run: async (given, { log }) => { log(JSON.stringify(given)); return given } })
const since = { startDate: '2020-03-02', catchup: true }

export const once = dag('once', { ...since, schedule: '@once' }, work)
export const days = dag('days', { ...since, schedule: '@daily', endDate: '2020-03-04' }, work)
export const lengths = dag('lengths', { ...since, schedule: delta('36h'), endDate: '2020-03-04' }, work)
export const ticks = dag('ticks', { ...since, schedule: cronTrigger(['0 6 * * *', '0 18 * * *']), endDate: '2020-03-03' }, work)
export const dates = dag('dates', { ...since, schedule: events(['2020-03-05T10:00', '2020-03-07T10:00']) }, work)
export const latest = dag('latest', { schedule: '@daily', startDate: '2020-03-02' }, work)
export const spring = dag('spring', { ...since, startDate: '2090-03-24', timezone: 'Europe/Paris', schedule: '0 5 * * *' }, work)
export const byHand = dag('by_hand', {}, work)
export const updates = dag('updates', {}, ({ task }) => {
  task('one', ({ outletEvent }) => void (outletEvent(rows).extra.count = 3), { outlets: [rows] })
  task('other', nothing, { outlets: [prices] }).after('one')
})
export const both = dag('both', { schedule: all(rows, prices) }, ({ task }) => void task('work', ({ assetEvents }) => assetEvents.map(({ name }) => name).sort()))
export const either = dag('either', { schedule: any(rows, prices) }, work)
export const asked = dag('asked', {
  params: { n: param({ default: 3, type: 'integer', maximum: 10 }), city: param({ default: 'Rome', enum: ['Rome', 'Nantes'] }), must: param({ type: 'string' }) },
}, ({ task }) => void task('work', ({ params }) => params))

export const tries = dag('tries', { onFailure: tell('the end'), defaultArgs: { onRetry: tell('a retry'), onFailure: tell('a failure'), onSkipped: tell('a skip') } }, ({ task }) => {
  task('third', ({ tryNumber }) => { if (tryNumber < 3) throw new Error('not yet') }, { retries: 2, retryDelay: '0s' })
  task('hopeless', () => { throw new TypeError('of no use') }, { retries: 5, retryPolicy: [{ on: 'TypeError', action: 'fail' }] })
  task('empty', () => { throw new SkipTask('no rows') })
  task('deaf', () => new Promise(() => {}), { executionTimeout: '0.2s' })
  task('tree', bash({ command: 'sleep 600 & sleep 600' }), { executionTimeout: '0.2s' })
})
export const tooLong = dag('too_long', { runTimeout: '0.3s' }, ({ task }) => void task('work', () => new Promise(() => {})))
export const mapped = dag('mapped', {}, ({ task, branch }) => {
  const [files, none] = [task('files', () => ['a', 'b', 'c']), task('none', () => [])]
  task('crossed', ({ input }) => input.file + input.n, { expand: { file: files, n: [1, 2] } })
  task('paired', ({ input }) => input.n + input.file, { expand: zip({ file: files, n: [1, 2, 3] }) })
  task('named', ({ input }) => input.city, { expand: records([{ city: 'Rome' }, { city: 'Oslo' }]), mapIndexTemplate: '{{ input.city }}' })
  task('after_none', nothing).after(task('of_none', nothing, { expand: { x: none } }))
  task('left', nothing)
  task('right', nothing)
  branch('turn', () => 'left', { targets: ['left', 'right'] })
})
export const mended = dag('mended', {}, ({ task }) => {
  const load = task('load', () => { if (!existsSync(import.meta.dirname + '/mended')) throw new Error('the table is missing') }).after(task('fetch', nothing))
  task('report', nothing).after(load)
})
export const people = dag('people', {}, ({ task }) => {
  const rows = task('rows', humanInput({ subject: 'How many?', options: ['Go'], params: { n: param({ default: 1, type: 'integer', minimum: 1 }) } }))
  task('deploy', ({ input }) => input.rows.paramsInput.n, { input: { rows } }).after(task('may', approval({ subject: 'Deploy?' })).after(rows))
})
export const filled = dag('filled', { schedule: '0 5 * * 1', startDate: '2026-11-02', endDate: '2026-11-03', catchup: true, params: { n: 5 } }, ({ task }) => {
  task('text', show({ of2: '{{ execution_date | ds }} {{ next_ds }} {{ prev_ds }} {{ tomorrow_ds_nodash }}', of3: '{{ data_interval_end | ts_nodash }} {{ run_id }} {{ params.n }}',
    macros: '{{ macros.ds_add(ds, 7) }} {{ macros.ds_format(ds, "%Y-%m-%d", "%d.%m.%Y") }}', secret: '{{ conn.harbour.password }}',
    known: '{{ var.value.CITY }} {{ var.json.LIMITS.rows }} {{ conn.harbour.host }}:{{ conn.harbour.port }} {{ conn.harbour.extra_dejson.region }}' }))
  task('file', show({ sql: 'query.sql' }), { template: { extensions: ['.sql'] } })
  task('wrong', show({ x: '{{ next_dss }}' }))
  task('speaks', async ({ connection, variable }) => { const { password } = await connection('harbour'); console.log('password ' + password + ', token ' + (await variable('MY_API_TOKEN'))); return { password } })
})
`
const SECRETS = {
  AIRFLOW_VAR_CITY: 'Nantes',
  AIRFLOW_VAR_LIMITS: '{"rows": 12}',
  AIRFLOW_VAR_MY_API_TOKEN: 'tok-12345678',
  AIRFLOW_CONN_HARBOUR: 'postgres://ada:s3cr3t-w0rd@db.example.com:5432/shop?region=eu',
}

interface Run {
  readonly dag_run_id: string
  readonly state: string
  readonly logical_date: string | null
  readonly data_interval_start: string
  readonly data_interval_end: string
  readonly run_after: string
}

interface Instance {
  readonly task_id: string
  readonly state: string | null
  readonly try_number: number
  readonly rendered_map_index: string | null
  readonly rendered_fields: Readonly<Record<string, unknown>>
  readonly detail: string | null
}

let shell: CommandShell
let client: PlatformClient

before(async () => {
  shell = await CommandShell.start(DAGS, SECRETS)
  await writeFile(join(shell.dagsFolder, 'query.sql'), "SELECT * FROM t WHERE day >= '{{ ds }}' AND day < '{{ next_ds }}'")
  client = await shell.platform.client(shell.endpoint)
})
after(() => shell?.remove())

/** What an answer says, out of its JSON. */
const unquoted = (message: string): string => message.replaceAll('\\"', '"')
const daggerboard = (words: string | readonly string[]): Promise<Answer> => shell.run(words)
const instances = (dagId: string, runId: string) => shell.data<Instance[]>(`tasks states-for-dag-run ${dagId} ${runId}`)
const log = async (dagId: string, taskId: string, runId: string, tryNumber = '') =>
  (await daggerboard(`tasks logs ${dagId} ${taskId} ${runId} ${tryNumber}`.trim())).out

/** The runs of a DAG, oldest first, once there are so many and all have ended. */
const runs = (dagId: string, count: number): Promise<Run[]> =>
  shell.until(async () => {
    const found = await shell.data<Run[]>(`dags list-runs ${dagId}`)
    const isOver = found.length >= count && found.every(({ state }) => state === 'success' || state === 'failed')
    return isOver ? found.sort((a, b) => (a.run_after < b.run_after ? -1 : 1)) : null
  })

const stateOf = async (dagId: string, runId: string): Promise<Record<string, string | null>> =>
  Object.fromEntries((await instances(dagId, runId)).map(({ task_id, state }) => [task_id, state]))

test('each kind of schedule makes its runs, with the dates that Airflow gives them', { timeout: 30_000 }, async () => {
  const spans = async (dagId: string, count: number) =>
    (await runs(dagId, count)).map((run) => `${run.data_interval_start.slice(5, 16)} ${run.data_interval_end.slice(5, 16)}`)
  assert.deepEqual(await spans('once', 1), ['03-02T00:00 03-02T00:00'])
  assert.deepEqual(await spans('days', 3), ['03-02T00:00 03-03T00:00', '03-03T00:00 03-04T00:00', '03-04T00:00 03-05T00:00'])
  assert.deepEqual(await spans('lengths', 2), ['03-02T00:00 03-03T12:00', '03-03T12:00 03-05T00:00'])
  assert.deepEqual(await spans('ticks', 2), ['03-02T06:00 03-02T06:00', '03-02T18:00 03-02T18:00'])
  assert.deepEqual(await spans('dates', 2), ['03-05T10:00 03-05T10:00', '03-07T10:00 03-07T10:00'])
  const [last, ...others] = await runs('latest', 1)
  assert.equal(others.length, 0)
  assert.equal(Date.parse(last?.data_interval_end ?? ''), Math.floor(Date.now() / 86_400_000) * 86_400_000)
  assert.equal(last?.dag_run_id, `scheduled__${last?.logical_date?.slice(0, 19)}+00:00`)
  const [made] = await shell.data<Run[]>('dags trigger latest --run-id mine --wait')
  assert.deepEqual([made?.data_interval_start, made?.data_interval_end], [last?.data_interval_start, last?.data_interval_end])
})

test('the next runs are told through a change of the clocks, and why there is none', { timeout: 20_000 }, async () => {
  const next = await shell.data<Run[]>('dags next-execution spring -n 4')
  assert.deepEqual(
    next.map(({ data_interval_start }) => data_interval_start.slice(5, 16)),
    ['03-24T04:00', '03-25T04:00', '03-26T03:00', '03-27T03:00'],
  )
  assert.match((await daggerboard('dags next-execution once')).out, /makes no further runs/)
  assert.match((await daggerboard('dags next-execution both')).out, /when its assets are updated \(rows and prices\)/)
  assert.match((await daggerboard('dags next-execution by_hand')).out, /has no schedule: it runs when somebody triggers it/)
})

test('assets start what waits for one of them, and for all of them, with what was told of the update', { timeout: 20_000 }, async () => {
  await shell.data('dags trigger updates --run-id u --wait')
  const [run] = await runs('both', 1)
  assert.equal(run?.logical_date, null)
  const path = `/api/v2/dags/both/dagRuns/${encodeURIComponent(run?.dag_run_id ?? '')}/taskInstances/work/xcomEntries/return_value`
  assert.deepEqual((await client.get<{ value: unknown }>(path)).value, ['prices', 'rows'])
  assert.ok((await runs('either', 1)).length >= 1)
})

test('params that do not fit are refused with everything that is wrong, at both doors', { timeout: 20_000 }, async () => {
  const conf = '{"n":99,"city":"Paris"}'
  const problems = [/Param "n" does not fit/, /Param "city" does not fit/, /Param "must" has no value/]
  const { status, err } = await daggerboard(['dags', 'trigger', 'asked', '--conf', conf])
  assert.equal(status, 1)
  for (const problem of problems) assert.match(err, problem)
  await assert.rejects(client.post('/api/v2/dags/asked/dagRuns', { logical_date: null, conf: JSON.parse(conf) }), ({ message }: Error) =>
    problems.every((problem) => problem.test(unquoted(message))),
  )
  assert.equal((await daggerboard(['dags', 'trigger', 'asked', '--conf', '{"must":"x"}', '--wait'])).status, 0)
})

test('tries, what they are told of, and limits of time: a task that listens to nobody is ended at once', { timeout: 30_000 }, async () => {
  assert.equal((await daggerboard('dags trigger tries --run-id r --wait')).status, 1)
  assert.deepEqual((await instances('tries', 'r')).map(({ task_id, state, try_number }) => `${task_id} ${state} ${try_number}`).sort(), [
    'deaf failed 1',
    'empty skipped 1',
    'hopeless failed 1',
    'third success 3',
    'tree failed 1',
  ])
  const said = (taskId: string, words: RegExp, tryNumber = '') =>
    shell.until(async () => words.exec(await log('tries', taskId, 'r', tryNumber))?.[0] ?? null)
  await said('third', /TOLD a retry tries\.third: not yet/, '1')
  await said('hopeless', /TypeError: of no use\n.*examples\.ts:\d+/)
  await said('hopeless', /TOLD a failure tries\.hopeless: of no use/)
  await said('empty', /TOLD a skip tries\.empty: no rows/)
  const deaf = await log('tries', 'deaf', 'r')
  assert.match(deaf, /ended as failed: The task ran longer than its executionTimeout of 0\.2 s/)
  assert.doesNotMatch(deaf, /worker\.ts/)
  await shell.until(async () => (/TOLD the end tries/.test(shell.platform.output) ? true : null))
  assert.equal((await daggerboard('dags trigger too_long --run-id r --wait')).status, 1)
  assert.deepEqual(await stateOf('too_long', 'r'), { work: 'skipped' })
  await shell.until(async () => (/ended as failed/.test(await log('too_long', 'work', 'r')) ? true : null))
})

test('a task is made for each element, for none it is skipped, and a branch leaves the others out', { timeout: 20_000 }, async () => {
  await shell.data('dags trigger mapped --run-id r --wait')
  const all = await instances('mapped', 'r')
  const of = (id: string) => all.filter(({ task_id }) => task_id === id)
  assert.deepEqual([of('crossed').length, of('paired').length], [6, 3])
  assert.deepEqual(
    of('named').map(({ rendered_map_index }) => rendered_map_index),
    ['Rome', 'Oslo'],
  )
  const states = await stateOf('mapped', 'r')
  assert.deepEqual([states.of_none, states.after_none, states.left, states.right], ['skipped', 'skipped', 'success', 'skipped'])
})

test('a run that has failed is understood and mended, and only what had failed runs again', { timeout: 20_000 }, async () => {
  assert.equal((await daggerboard('dags trigger mended --run-id r --wait')).status, 1)
  assert.match((await daggerboard('explain mended/r report')).out, /upstream_failed/)
  assert.match(await log('mended', 'load', 'r'), /the table is missing/)
  await writeFile(join(shell.dagsFolder, 'mended'), '')
  assert.match((await daggerboard('tasks clear mended --run-id r --only-failed -y')).out, /^2 task instances are cleared/)
  assert.equal((await runs('mended', 1))[0]?.state, 'success')
  const tried = (await instances('mended', 'r')).map(({ task_id, try_number }) => `${task_id} ${try_number}`)
  assert.deepEqual(tried.sort(), ['fetch 1', 'load 2', 'report 1'])
})

test('people answer through the API, and an answer that does not fit is refused with all that is wrong', { timeout: 20_000 }, async () => {
  await shell.data('dags trigger people --run-id r')
  const path = (taskId: string) => `/api/v2/dags/people/dagRuns/r/taskInstances/${taskId}/-1/hitlDetails`
  const isAsked = (taskId: string) => shell.until(async () => ((await stateOf('people', 'r'))[taskId] === 'deferred' ? true : null))
  await isAsked('rows')
  assert.match((await daggerboard('explain people/r rows')).out, /waits for a human: How many\?/)
  await assert.rejects(client.patch(path('rows'), { chosen_options: ['Stop'], params_input: { n: 0 } }), ({ message }: Error) =>
    /"Stop" is not an option.*Param "n" does not fit/.test(unquoted(message)),
  )
  await client.patch(path('rows'), { chosen_options: ['Go'], params_input: { n: 4 } })
  await isAsked('may')
  await client.patch(path('may'), { chosen_options: ['Approve'], params_input: {} })
  assert.equal((await runs('people', 1))[0]?.state, 'success')
  const answer = await client.get<{ value: unknown }>('/api/v2/dags/people/dagRuns/r/taskInstances/deploy/xcomEntries/return_value')
  assert.equal(answer.value, 4)
})

test('templates have the names of Airflow 2 and 3; no door shows a secret', { timeout: 20_000 }, async () => {
  const [run] = await runs('filled', 1)
  const runId = run?.dag_run_id ?? ''
  assert.equal(runId, 'scheduled__2026-11-02T05:00:00+00:00')
  const of = async (id: string) => (await instances('filled', runId)).find(({ task_id }) => task_id === id) as Instance
  assert.deepEqual((await of('text')).rendered_fields, {
    of2: '2026-11-02 2026-11-09 2026-10-26 20261103',
    of3: `20261109T050000 ${runId} 5`,
    macros: '2026-11-09 02.11.2026',
    secret: '***',
    known: 'Nantes 12 db.example.com:5432 eu',
  })
  assert.deepEqual((await of('file')).rendered_fields, { sql: "SELECT * FROM t WHERE day >= '2026-11-02' AND day < '2026-11-09'" })
  assert.match((await of('wrong')).detail ?? '', /"next_dss" is not defined/)
  assert.doesNotMatch(await log('filled', 'wrong', runId), /node_modules|cause/)
  assert.match(await log('filled', 'speaks', runId), /password \*\*\*, token \*\*\*/)
  assert.match((await daggerboard('variables get CITY')).err, /There is no variable "CITY"/)
})

test('a DAG file that is wrong, loops or ends its process says so with file and line, and hurts nobody', { timeout: 30_000 }, async () => {
  const file = (name: string) => join(shell.dagsFolder, name)
  const head = "import { dag } from '@daggerboard/dag'\n"
  await writeFile(
    file('wrong.ts'),
    `${head}export default dag('wrong', { schedule: '@dayly' }, ({ task }) => {
      const a = task('a', () => null, { retires: 2 })
      a.after(task('b', () => null, { dependsOn: 'aa' }).after(a))
    })`,
  )
  await writeFile(file('exits.ts'), `${head}process.exit(4)\n`)
  const errors = await shell.until(async () => {
    const { out, status } = await daggerboard('dags list-import-errors')
    return status === 1 && /wrong\.ts/.test(out) && /exits\.ts/.test(out) ? out : null
  })
  for (const words of [
    /schedule "@dayly" is not a preset. Did you mean "@daily"\?/,
    /Task "a" \(wrong\.ts:3\): "retires" is not an option. Did you mean "retries"\?/,
    /depends on "aa", which is not defined \(wrong\.ts:4\)/,
    /in a circle: a → b → a/,
    /ended its process with exit status 4/,
  ])
    assert.match(errors, words)
  assert.ok(Math.max(...errors.split('\n').map((line) => line.length)) < 250, errors)

  await writeFile(file('loops.ts'), `${head}for (;;) {}\n`)
  await writeFile(file('good.ts'), `${head}export default dag('good', {}, ({ task }) => void task('first', () => 1))\n`)
  const hasTask = (id: string) =>
    shell.until(() =>
      client.get(`/api/v2/dags/good/tasks/${id}`).then(
        () => true,
        () => null,
      ),
    )
  await hasTask('first')
  await writeFile(file('good.ts'), (await readFile(file('good.ts'), 'utf8')).replace('first', 'second'))
  await hasTask('second')
  assert.equal((await daggerboard('dags trigger good --wait')).status, 0)
})
