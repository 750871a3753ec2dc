import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { Hono } from 'hono'
import { InlineRunner } from '../../adapters/memory/task-runner.ts'
import { SqliteDagStore } from '../../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../../adapters/sqlite/dag-run.ts'
import { Database } from '../../adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../../adapters/sqlite/task-instance.ts'
import { SqliteTaskLogs } from '../../adapters/sqlite/task-log.ts'
import { SqliteXComStore } from '../../adapters/sqlite/xcom.ts'
import { ManualClock } from '../../core/clock.ts'
import { Events } from '../../core/events.ts'
import { type Principal, principal, ROLE_PERMISSIONS } from '../../core/principal.ts'
import { Scheduler } from '../../scheduling/scheduler.ts'
import type { DoorEnvironment } from '../door.ts'
import { airflowDoor } from './airflow-door.ts'

const NOW = '2019-10-09T12:00:00Z'
const ann = principal('user:ann', ROLE_PERMISSIONS.user)
const viewer = principal('user:vic', ROLE_PERMISSIONS.viewer)

async function api(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'logs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const db = new Database(':memory:')
  const clock = new ManualClock(NOW)
  const stores = {
    dags: new SqliteDagStore(db),
    runs: new SqliteDagRunStore(db),
    instances: new SqliteTaskInstanceStore(db),
    xcoms: new SqliteXComStore(db),
  }
  const logs = new SqliteTaskLogs({ db: new Database(':memory:'), clock, mask: (text) => text })
  const runner = new InlineRunner(async (attempt) => {
    const log = logs.open(attempt)
    log.write(`${attempt.taskId} at work\n`)
    await log.close()
    if (attempt.taskId === 'waits') await new Promise(() => {})
    return { from: attempt.taskId }
  })
  const scheduler = new Scheduler({ ...stores, runner, clock, events: new Events(clock) })
  await stores.dags.saveReading(
    {
      file: 'pipeline_ml_staging.ts',
      source: '// the file',
      documents: [
        dag('pipeline_ml_staging', { schedule: '0 5 * * 1', startDate: '2019-09-01', tags: ['ml'] }, ({ task }) => {
          task('submit_job', async () => {}, { retries: 1, retryDelay: '10m' }).after(task('create_dataproc', async () => {}))
        }).document,
        dag('long', {}, ({ task }) => void task('after', async () => {}).after(task('waits', async () => {}))).document,
      ],
    },
    NOW,
    true,
  )
  await stores.dags.saveReading(
    { file: 'broken.ts', error: { line: 3, message: 'SyntaxError: no', trace: 'SyntaxError: no\n  at broken.ts:3' } },
    NOW,
    true,
  )
  const app = new Hono<DoorEnvironment>()
  let who: Principal | null = ann
  app.use(async (c, next) => {
    c.set('principal', who)
    await next()
  })
  app.route('/', airflowDoor({ ...stores, scheduler, logs, clock, version: '0.1.0', folder: '/dags' }))
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await app.fetch(new Request(`http://localhost/api/v2${path}`, init))
    const text = await response.text()
    return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : null }
  }
  const turn = async () => {
    await scheduler.poll()
    await new Promise((resolve) => setImmediate(resolve))
  }
  /** As many turns as anything takes that no task has to be waited for. */
  const settle = async () => {
    for (let i = 0; i < 40; i++) await turn()
  }
  /** Turns until the thing at `path` has that state: tasks write their logs to a real disk. */
  const reach = async (path: string, state: string) => {
    while ((await call('GET', path)).body.state !== state) await turn()
  }
  const as = (next: Principal | null) => {
    who = next
  }
  return { call, settle, reach, as, scheduler, stores }
}

test('DAGs are listed with their schedule, their next run and where they are paused', async (t) => {
  const { call, settle } = await api(t)
  await settle()
  const { body } = await call('GET', '/dags?limit=10')
  assert.equal(body.total_entries, 2)
  const found = body.dags[1]
  assert.equal(found.dag_id, 'pipeline_ml_staging')
  assert.equal(found.is_paused, true)
  assert.equal(found.timetable_summary, '0 5 * * 1')
  assert.equal(found.next_dagrun_data_interval_start, '2019-09-30T05:00:00.000Z')
  assert.equal(found.fileloc, '/dags/pipeline_ml_staging.ts')
  assert.deepEqual(
    found.tags.map((tag: { name: string }) => tag.name),
    ['ml'],
  )
  assert.deepEqual((await call('GET', '/dags?tags=ml')).body.total_entries, 1)
  const tasks = (await call('GET', '/dags/pipeline_ml_staging/tasks')).body.tasks
  assert.deepEqual(
    tasks.map((task: { task_id: string; downstream_task_ids: string[] }) => [task.task_id, task.downstream_task_ids]).sort(),
    [
      ['create_dataproc', ['submit_job']],
      ['submit_job', []],
    ],
  )
  assert.equal((await call('GET', '/dags/pipeline_ml_staging/details')).body.catchup, false)
  assert.equal((await call('GET', '/dagSources/pipeline_ml_staging')).body.content, '// the file')
})

test('a run is triggered for its interval, waits while its DAG is paused, and runs once it is not', async (t) => {
  const { call, settle, reach } = await api(t)
  const run = await call('POST', '/dags/pipeline_ml_staging/dagRuns', {
    logical_date: '2019-09-30T05:00:00+00:00',
    data_interval_start: '2019-09-30T05:00:00+00:00',
    data_interval_end: '2019-10-07T05:00:00+00:00',
    conf: { by: 'hand' },
    note: 'first',
  })
  assert.equal(run.status, 200)
  assert.equal(run.body.dag_run_id, 'manual__2019-09-30T05:00:00+00:00')
  assert.deepEqual([run.body.state, run.body.run_type, run.body.triggering_user_name], ['queued', 'manual', 'ann'])
  await settle()
  const path = `/dags/pipeline_ml_staging/dagRuns/${encodeURIComponent(run.body.dag_run_id)}`
  assert.equal((await call('GET', path)).body.state, 'queued')
  assert.equal((await call('PATCH', '/dags/pipeline_ml_staging', { is_paused: false })).body.is_paused, false)
  await reach(path, 'success')
  const instances = (await call('GET', `${path}/taskInstances`)).body
  assert.equal(instances.total_entries, 2)
  assert.deepEqual(
    instances.task_instances.map((one: { state: string; try_number: number }) => [one.state, one.try_number]),
    [
      ['success', 1],
      ['success', 1],
    ],
  )
  const log = `${path}/taskInstances/submit_job/logs/1`
  assert.deepEqual((await call('GET', log)).body.content, [{ timestamp: '2019-10-09T12:00:00.000Z', event: 'submit_job at work' }])
  assert.equal((await call('GET', log, undefined, { accept: 'text/plain' })).text, '2019-10-09T12:00:00.000Z submit_job at work\n')
  assert.deepEqual((await call('GET', `${path}/taskInstances/submit_job/xcomEntries/return_value`)).body.value, { from: 'submit_job' })
  assert.equal((await call('GET', '/dags/~/dagRuns?state=success&order_by=-run_after')).body.total_entries, 1)
  assert.equal((await call('GET', '/dags/~/dagRuns/~/taskInstances?limit=1')).body.total_entries, 2)
  assert.match(
    (await call('POST', '/dags/pipeline_ml_staging/dagRuns', { logical_date: '2019-09-30T05:00:00Z' })).body.detail,
    /already has the run/,
  )
})

test('a running run is marked failed, and its tasks with it', async (t) => {
  const { call, reach } = await api(t)
  await call('PATCH', '/dags/long', { is_paused: false })
  await call('POST', '/dags/long/dagRuns', { dag_run_id: 'r1' })
  await reach('/dags/long/dagRuns/r1/taskInstances/waits', 'running')
  assert.equal((await call('PATCH', '/dags/long/dagRuns/r1', { state: 'failed', note: 'enough' })).body.state, 'failed')
  const after = await call('GET', '/dags/long/dagRuns/r1/taskInstances/waits')
  assert.deepEqual([after.body.state, after.body.detail], ['failed', 'The run was marked failed by user:ann.'])
  assert.equal((await call('GET', '/dags/long/dagRuns/r1')).body.note, 'enough')
})

test('instants and switches are read as clients of any language write them', async (t) => {
  const { call, settle } = await api(t)
  await settle()
  const logicalDate = async (text: string) => {
    const { status, body } = await call('POST', '/dags/long/dagRuns', { logical_date: text })
    return status === 200 ? body.logical_date : status
  }
  assert.equal(await logicalDate('2019-10-01 05:00'), '2019-10-01T05:00:00.000Z')
  assert.equal(await logicalDate('2019-10-02T05:00:00.123456'), '2019-10-02T05:00:00.123Z')
  assert.equal(await logicalDate('2019-10-03T05:00:00+0200'), '2019-10-03T03:00:00.000Z')
  assert.equal(await logicalDate('2019-10-04'), '2019-10-04T00:00:00.000Z')
  for (const text of ['Mon, 07 Oct 2019 05:00:00 GMT', '2019', '2019-13-01', '7']) assert.equal(await logicalDate(text), 400, text)

  const ids = async (query: string) => (await call('GET', `/dags?${query}`)).body.dags.map((dag: { dag_id: string }) => dag.dag_id)
  assert.deepEqual(await ids('paused=True'), ['long', 'pipeline_ml_staging'])
  assert.deepEqual(await ids('paused=0'), [])
  assert.match((await call('GET', '/dags?paused=maybe')).body.detail, /neither true nor false/)
  assert.equal((await call('GET', '/dags/long/dagRuns?run_type=scheduled&run_type=manual')).body.total_entries, 4)
})

test('import errors say the file and the line', async (t) => {
  const { call } = await api(t)
  const [error] = (await call('GET', '/importErrors')).body.import_errors
  assert.equal(error.filename, 'broken.ts')
  assert.match(error.stack_trace, /^broken\.ts:3\nSyntaxError: no/)
  assert.equal((await call('GET', `/importErrors/${error.import_error_id}`)).body.line, 3)
})

test("what is wrong is said in Airflow's shape", async (t) => {
  const { call } = await api(t)
  const missing = await call('GET', '/dags/pipeline_ml_stagin')
  assert.equal(missing.status, 404)
  assert.match(missing.body.detail, /There is no DAG "pipeline_ml_stagin"\. Did you mean "pipeline_ml_staging"\?/)
  assert.equal((await call('POST', '/dags/nope/dagRuns', {})).status, 404)
  assert.match(
    (await call('POST', '/dags/long/dagRuns', { logical_date: 'soon', dag_run_id: 3 })).body.detail,
    /dag_run_id: .*\n.*logical_date: is not an instant/,
  )
  assert.match((await call('POST', '/dags/long/dagRuns', { dag_run_id: '../x' })).body.detail, /may only have letters/)
  assert.match((await call('GET', '/dags/long/dagRuns?order_by=stat')).body.detail, /order_by=stat is not possible/)
  assert.match((await call('GET', '/dags/long/dagRuns?limit=-1')).body.detail, /limit=-1 is not a whole number/)
})

test('strangers see health and version only, and a viewer cannot trigger', async (t) => {
  const { call, as, scheduler } = await api(t)
  as(null)
  assert.equal((await call('GET', '/dags')).status, 401)
  assert.equal((await call('GET', '/monitor/health')).body.scheduler.status, 'unhealthy')
  await scheduler.poll()
  assert.equal((await call('GET', '/monitor/health')).body.scheduler.status, 'healthy')
  assert.equal((await call('GET', '/version')).body.version, '0.1.0')
  as(viewer)
  assert.equal((await call('GET', '/dags')).status, 200)
  assert.equal((await call('POST', '/dags/long/dagRuns', {})).status, 403)
  assert.equal((await call('PATCH', '/dags/long', { is_paused: false })).status, 403)
})
