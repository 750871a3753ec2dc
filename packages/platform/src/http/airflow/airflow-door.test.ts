import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { airflowHouse, NOW, viewer } from '../../../../../test/airflow-house.ts'

async function api() {
  const house = await airflowHouse({
    dags: {
      'pipeline_ml_staging.ts': [
        dag('pipeline_ml_staging', { schedule: '0 5 * * 1', startDate: '2019-09-01', tags: ['ml'] }, ({ task }) => {
          task('submit_job', async () => {}, { retries: 1, retryDelay: '10m' }).after(task('create_dataproc', async () => {}))
        }).document,
        dag('long', {}, ({ task }) => void task('after', async () => {}).after(task('waits', async () => {}))).document,
      ],
    },
    task: ({ taskId }) => (taskId === 'waits' ? new Promise(() => {}) : { from: taskId }),
  })
  const error = { line: 3, message: 'SyntaxError: no', trace: 'SyntaxError: no\n  at broken.ts:3' }
  await house.stores.dags.saveReading({ file: 'broken.ts', error }, NOW, true)
  return house
}

test('DAGs are listed with their schedule, their next run and where they are paused', async () => {
  const { call, settle } = await api()
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
  assert.equal((await call('GET', '/dagSources/pipeline_ml_staging')).body.content, '// pipeline_ml_staging.ts')
})

test('a run is triggered for its interval, waits while its DAG is paused, and runs once it is not', async () => {
  const { call, settle, reach } = await api()
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

test('a running run is marked failed, and its tasks with it', async () => {
  const { call, reach } = await api()
  await call('PATCH', '/dags/long', { is_paused: false })
  await call('POST', '/dags/long/dagRuns', { dag_run_id: 'r1' })
  await reach('/dags/long/dagRuns/r1/taskInstances/waits', 'running')
  assert.equal((await call('PATCH', '/dags/long/dagRuns/r1', { state: 'failed', note: 'enough' })).body.state, 'failed')
  const after = await call('GET', '/dags/long/dagRuns/r1/taskInstances/waits')
  assert.deepEqual([after.body.state, after.body.detail], ['failed', 'The run was marked failed by user:ann.'])
  assert.equal((await call('GET', '/dags/long/dagRuns/r1')).body.note, 'enough')
})

test('instants and switches are read as clients of any language write them', async () => {
  const { call, settle } = await api()
  await settle()
  const logicalDate = async (text: string) => {
    const { status, body } = await call('POST', '/dags/long/dagRuns', { logical_date: text })
    return status === 200 ? body.logical_date : status
  }
  assert.equal(await logicalDate('2019-10-01 05:00'), '2019-10-01T05:00:00.000Z')
  assert.equal(await logicalDate('2019-10-02T05:00:00.123456'), '2019-10-02T05:00:00.123Z')
  assert.equal(await logicalDate('2019-10-03T05:00:00+0200'), '2019-10-03T03:00:00.000Z')
  assert.equal(await logicalDate('2019-10-04'), '2019-10-04T00:00:00.000Z')
  for (const text of ['Mon, 07 Oct 2019 05:00:00 GMT', '2019', '2019-13-01', '7']) assert.equal(await logicalDate(text), 422, text)

  const ids = async (query: string) => (await call('GET', `/dags?${query}`)).body.dags.map((dag: { dag_id: string }) => dag.dag_id)
  assert.deepEqual(await ids('paused=True'), ['long', 'pipeline_ml_staging'])
  assert.deepEqual(await ids('paused=0'), [])
  assert.match((await call('GET', '/dags?paused=maybe')).body.detail[0].msg, /neither true nor false/)
  assert.equal((await call('GET', '/dags/long/dagRuns?run_type=scheduled&run_type=manual')).body.total_entries, 4)
})

test('import errors say the file and the line', async () => {
  const { call } = await api()
  const [error] = (await call('GET', '/importErrors')).body.import_errors
  assert.equal(error.filename, 'broken.ts')
  assert.match(error.stack_trace, /^broken\.ts:3\nSyntaxError: no/)
  assert.equal((await call('GET', `/importErrors/${error.import_error_id}`)).body.line, 3)
})

test("what is wrong is said in Airflow's shape", async () => {
  const { call } = await api()
  const missing = await call('GET', '/dags/pipeline_ml_stagin')
  assert.equal(missing.status, 404)
  assert.match(missing.body.detail, /There is no DAG "pipeline_ml_stagin"\. Did you mean "pipeline_ml_staging"\?/)
  assert.equal((await call('POST', '/dags/nope/dagRuns', {})).status, 404)
  const wrong = await call('POST', '/dags/long/dagRuns', { logical_date: 'soon', dag_run_id: 3, notes: 'x' })
  assert.equal(wrong.status, 422)
  assert.deepEqual(
    wrong.body.detail.map(({ loc, type }: { loc: string[]; type: string }) => [loc.join('.'), type]),
    [
      ['body.dag_run_id', 'type_error'],
      ['body.logical_date', 'value_error'],
      ['body.notes', 'extra_forbidden'],
    ],
  )
  assert.match(wrong.body.detail[2].msg, /Did you mean "note"\?/)
  assert.match((await call('POST', '/dags/long/dagRuns', { dag_run_id: '../x' })).body.detail, /may only have letters/)
  assert.match(
    (await call('GET', '/dags/long/dagRuns?order_by=stat')).body.detail[0].msg,
    /"stat" is no order here\. Did you mean "state"\?/,
  )
  assert.match((await call('GET', '/dags/long/dagRuns?limit=-1')).body.detail[0].msg, /whole number from 0 on/)
})

test('strangers see health and version only, and a viewer cannot trigger', async () => {
  const { call, as, scheduler } = await api()
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

test('while the store cannot be used it is said why, with 503, and afterwards it answers again', async () => {
  const { call, db } = await airflowHouse({ dags: {} })
  db.migrate('CREATE TABLE filler (text TEXT); PRAGMA max_page_count = 1')
  // As what the journal still has is brought to the tables.
  db.beforeUse = () => {
    db.beforeUse = () => {}
    db.run('INSERT INTO filler VALUES (?)', 'x'.repeat(1_000_000))
  }
  const { status, body } = await call('GET', '/dags')
  assert.equal(status, 503)
  assert.match(body.detail, /cannot be used just now: database or disk is full\. Make room on the disk/)
  assert.equal((await call('GET', '/dags')).status, 200)
})
