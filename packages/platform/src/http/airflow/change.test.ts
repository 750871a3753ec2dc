import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asset, dag } from '@daggerboard/dag'
import { airflowHouse, ann, viewer } from '../../../../../test/airflow-house.ts'

const cart = asset({ name: 'cart', extra: { password: 'hunter22', rows: 1 } })

/** `load` → `train` → `report`, where `train` fails until it is told not to; `news` waits for the asset that `load` updates. */
async function house() {
  const world = { isMended: false }
  const made = await airflowHouse({
    dags: {
      'shop.ts': [
        dag('shop', { schedule: '@daily', startDate: '2019-10-01', catchup: false }, ({ task }) => {
          const load = task('load', async () => {}, { outlets: [cart] })
          const train = task('train', async () => {}, { pool: 'gpu' }).after(load)
          task('report', async () => {}).after(train)
        }).document,
      ],
      'news.ts': [dag('news', { schedule: cart }, ({ task }) => void task('read', async () => {})).document],
    },
    task: ({ taskId, tryNumber }) => {
      if (taskId === 'train' && !world.isMended) throw new Error(`no data in try ${tryNumber}`)
    },
  })
  await made.call('POST', '/pools', { name: 'gpu', slots: 1 })
  await made.call('PATCH', '/dags/shop', { is_paused: false })
  await made.settle()
  const run = '/dags/shop/dagRuns/r'
  const states = async (path = run) =>
    Object.fromEntries(
      (await made.call('GET', `${path}/taskInstances`)).body.task_instances.map((one: { task_id: string; state: string }) => [
        one.task_id,
        one.state,
      ]),
    )
  const trigger = async (dag_run_id = 'r') => {
    await made.call('POST', '/dags/shop/dagRuns', { dag_run_id, logical_date: '2019-10-03T00:00:00Z' })
    await made.settle()
  }
  return { ...made, world, run, states, trigger }
}

test('a failed task is cleared with what comes after it, first only to see which, and its tries are kept', async () => {
  const { call, run, states, trigger, world, settle } = await house()
  await trigger()
  assert.deepEqual(await states(), { load: 'success', train: 'failed', report: 'upstream_failed' })
  const clear = (body: object) => call('POST', '/dags/shop/clearTaskInstances', { dag_run_id: 'r', ...body })
  const seen = (await clear({})).body
  assert.deepEqual(
    seen.task_instances.map((one: { task_id: string }) => one.task_id),
    ['train', 'report'],
  )
  assert.equal((await states()).train, 'failed')
  world.isMended = true
  const done = (await clear({ dry_run: false, task_ids: ['train'], include_downstream: true, note: 'once more' })).body
  assert.equal(done.total_entries, 2)
  await settle()
  assert.deepEqual(await states(), { load: 'success', train: 'success', report: 'success' })
  const again = (await call('GET', run)).body
  assert.deepEqual([again.state, again.clear_number], ['success', 1])
  const tries = (await call('GET', `${run}/taskInstances/train/tries`)).body.task_instances
  assert.deepEqual(
    tries.map((one: { try_number: number; state: string; detail: string }) => [one.try_number, one.state, one.detail]),
    [
      [1, 'failed', 'no data in try 1'],
      [2, 'success', null],
    ],
  )
  assert.equal((await call('GET', `${run}/taskInstances/train/tries/1`)).body.state, 'failed')
  assert.equal((await call('GET', `${run}/taskInstances/train/tries/3`)).status, 404)
  assert.equal((await call('GET', `${run}/taskInstances/train`)).body.note, 'once more')
  const logged = (await call('GET', '/eventLogs?event=post_clear_task_instances')).body
  assert.equal(logged.total_entries, 1, 'a dry run changes nothing and is not logged')
  assert.match((await clear({ task_ids: ['trian'] })).body.detail, /Did you mean "train"/)
})

test('a whole run is cleared, marked, given a note and deleted', async () => {
  const { call, run, trigger, settle, logs } = await house()
  await trigger()
  assert.equal((await call('POST', `${run}/clear`, {})).body.total_entries, 3)
  const cleared = await call('POST', `${run}/clear`, { dry_run: false, only_failed: true, note: 'again' })
  assert.deepEqual([cleared.body.state, cleared.body.note], ['queued', 'again'])
  await settle()
  assert.equal((await call('PATCH', run, { state: 'success', note: 'good enough' })).body.state, 'success')
  assert.equal((await call('GET', run)).body.note, 'good enough')
  assert.equal((await call('PATCH', `${run}?update_mask=note`, { state: 'failed', note: 'kept' })).body.state, 'success')
  assert.notEqual(await logs.read({ dagId: 'shop', runId: 'r', taskId: 'load', tryNumber: 1 }), null)
  assert.equal((await call('DELETE', run)).status, 204)
  assert.equal((await call('GET', run)).status, 404)
  assert.equal(await logs.read({ dagId: 'shop', runId: 'r', taskId: 'load', tryNumber: 1 }), null)
})

test('tasks are marked by hand, one or many, with what is before and after them', async () => {
  const { call, run, states, trigger, settle } = await house()
  await trigger()
  const dry = (await call('PATCH', `${run}/taskInstances/train/dry_run`, { new_state: 'success' })).body
  assert.deepEqual([dry.task_instances[0].task_id, (await states()).train], ['train', 'failed'])
  const marked = (await call('PATCH', `${run}/taskInstances/train`, { new_state: 'success', note: 'by hand' })).body.task_instances[0]
  assert.deepEqual([marked.state, marked.note], ['success', 'by hand'])
  await settle()
  assert.deepEqual(await states(), { load: 'success', train: 'success', report: 'success' })
  const entity = (task_id: string, new_state: string) => ({ task_id, new_state })
  const bulk = await call('PATCH', `${run}/taskInstances`, {
    actions: [
      { action: 'update', entities: [entity('load', 'failed'), entity('report', 'skipped')] },
      { action: 'update', entities: [entity('nothing', 'failed')], action_on_non_existence: 'fail' },
    ],
  })
  assert.deepEqual(bulk.body.update.success, ['shop.r.load[-1]', 'shop.r.report[-1]'])
  assert.match(bulk.body.update.errors[0].error, /"shop\.r\.nothing\[-1\]" is not there/)
  assert.deepEqual(await states(), { load: 'failed', train: 'success', report: 'skipped' })
  const refused = await call('PATCH', `${run}/taskInstances/train`, { new_state: 'running' })
  assert.deepEqual([refused.status, refused.body.detail[0].loc], [422, ['body', 'new_state']])
  assert.equal((await call('DELETE', `${run}/taskInstances/train`)).status, 409)
})

test('it is said why a task does not run, and what would free it', async () => {
  const { call, run, trigger } = await house()
  await call('PATCH', '/dags/shop', { is_paused: true })
  await trigger()
  const { body } = await call('GET', `${run}/taskInstances/train/dependencies`)
  const paused = body.dependencies.find(({ name }: { name: string }) => name === 'dag')
  assert.match(paused.reason, /paused/)
  assert.match(paused.freed_by, /Unpause/)
  assert.equal((await call('GET', `${run}/taskInstances/train/-1/dependencies`)).status, 200)
  assert.equal((await call('GET', `${run}/taskInstances/train/x/dependencies`)).status, 422)
})

test('a backfill is planned, made, paused and cancelled', async () => {
  const { call, as, settle } = await house()
  const body = { dag_id: 'shop', from_date: '2019-09-01T00:00:00Z', to_date: '2019-09-03T00:00:00Z', max_active_runs: 1 }
  const planned = (await call('POST', '/backfills/dry_run', body)).body
  assert.deepEqual(
    planned.backfills.map((one: { logical_date: string }) => one.logical_date.slice(0, 10)),
    ['2019-09-01', '2019-09-02', '2019-09-03'],
  )
  as(viewer)
  assert.equal((await call('POST', '/backfills', body)).status, 403)
  as(ann)
  const made = (await call('POST', '/backfills', body)).body
  assert.deepEqual([made.dag_id, made.is_paused, made.max_active_runs], ['shop', false, 1])
  assert.equal((await call('POST', '/backfills', body)).status, 409)
  assert.equal((await call('PUT', `/backfills/${made.id}/pause`)).body.is_paused, true)
  assert.equal((await call('PUT', `/backfills/${made.id}/unpause`)).body.is_paused, false)
  await settle()
  assert.equal((await call('GET', '/dags/shop/dagRuns?run_type=backfill')).body.total_entries > 0, true)
  const cancelled = await call('PUT', `/backfills/${made.id}/cancel`)
  // All of its runs may have ended before.
  assert.ok(cancelled.status === 200 || cancelled.status === 409)
  assert.equal((await call('GET', '/backfills?dag_id=shop')).body.total_entries, 1)
  assert.equal((await call('GET', `/backfills/${made.id}`)).body.dates.length, 3)
  assert.equal((await call('POST', '/backfills', { ...body, from_date: '2019-09-09' })).status, 422)
  assert.equal((await call('GET', '/backfills/99')).status, 404)
})

test('assets say who makes them and who waits for them; an update by hand starts those', async () => {
  const { call, settle, trigger } = await house()
  const [found] = (await call('GET', '/assets')).body.assets
  assert.deepEqual(found.extra, { password: '***', rows: 1 })
  assert.deepEqual([found.name, found.producing_tasks[0].task_id, found.scheduled_dags[0].dag_id], ['cart', 'load', 'news'])
  await trigger()
  const events = (await call('GET', `/assets/events?asset_id=${found.id}&source_run_id=r`)).body.asset_events
  assert.deepEqual([events.length, events[0].source_task_id, events[0].source_dag_id], [1, 'load', 'shop'])
  await call('PATCH', '/dags/news', { is_paused: false })
  const event = await call('POST', '/assets/events', { asset_id: found.id, extra: { rows: 3, api_key: 'hunter22' } })
  assert.deepEqual(event.body.extra, { rows: 3, api_key: '***', from_rest_api: true })
  assert.deepEqual([event.status, event.body.extra.rows], [200, 3])
  await settle()
  const [run] = (await call('GET', '/dags/news/dagRuns')).body.dag_runs
  assert.deepEqual([run.run_type, run.state], ['asset_triggered', 'success'])
  const upstream = (await call('GET', `/dags/news/dagRuns/${encodeURIComponent(run.dag_run_id)}/upstreamAssetEvents`)).body
  assert.equal(upstream.asset_events.at(-1).created_dagruns[0].run_id, run.dag_run_id)
  const told = (await call('GET', `/assets/events?asset_id=${found.id}&order_by=-timestamp`)).body.asset_events
  assert.deepEqual([told[0].id, told[0].created_dagruns[0].dag_id], [event.body.id, 'news'])
  const materialized = await call('POST', `/assets/${found.id}/materialize`, {})
  assert.deepEqual([materialized.status, materialized.body.dag_id], [200, 'shop'])
  assert.equal((await call('POST', '/assets/events', { asset_id: 99 })).status, 404)
  assert.equal((await call('GET', '/dags/news/assets/queuedEvents')).body.total_entries, 0)
})

test('runs are marked and deleted in bulk', async () => {
  const { call, trigger } = await house()
  await trigger()
  const { body } = await call('PATCH', '/dags/shop/dagRuns', {
    actions: [
      { action: 'update', entities: [{ dag_run_id: 'r', state: 'success', note: 'bulk' }] },
      { action: 'delete', entities: ['r', 'nobody'], action_on_non_existence: 'skip' },
    ],
  })
  assert.deepEqual([body.update.success, body.delete.success], [['r'], ['r']])
  assert.equal((await call('GET', '/dags/shop/dagRuns/r')).status, 404)
})

test('a DAG is deleted with its runs', async () => {
  const { call, trigger } = await house()
  await trigger()
  await call('PATCH', '/dags/shop', { is_paused: true })
  assert.equal((await call('DELETE', '/dags/shop')).status, 200)
  assert.equal((await call('GET', '/dags/shop')).status, 404)
  assert.equal((await call('GET', '/dags/~/dagRuns?dag_id_pattern=shop')).body.total_entries, 0)
})

test('a run by hand cannot take the id of one that the schedule or a backfill will make, and so keep it from being made', async () => {
  const { call, clock, settle } = await house()
  for (const kind of ['scheduled', 'backfill', 'asset_triggered']) {
    const refused = await call('POST', '/dags/shop/dagRuns', { dag_run_id: `${kind}__2019-10-09T00:00:00+00:00` })
    assert.equal(refused.status, 400, refused.text)
    assert.match(refused.text, /is reserved: a run that the schedule/)
  }
  clock.advance(86_400_000)
  await settle()
  const next = (await call('GET', '/dags/shop/dagRuns/scheduled__2019-10-09T00:00:00%2B00:00')).body
  assert.equal(next.run_type, 'scheduled')
  assert.equal((await call('POST', '/dags/shop/dagRuns', { dag_run_id: 'scheduled_by_hand' })).status, 200)
})

test('the links of a try are asked for by its number', async () => {
  const { call, trigger, run } = await house()
  await trigger()
  const links = (query: string) => call('GET', `${run}/taskInstances/load/links${query}`)
  assert.deepEqual((await links('?try_number=1')).body, { extra_links: {}, total_entries: 0 })
  assert.deepEqual([(await links('')).status, (await links('?try_number=2')).status], [200, 404])
})

test('without dates tasks are cleared in all runs, also in those that have no logical date', async () => {
  const { call, settle } = await house()
  await call('POST', '/dags/shop/dagRuns', { dag_run_id: 'by-hand' })
  await settle()
  const runsOf = async (body: object) =>
    (await call('POST', '/dags/shop/clearTaskInstances', { task_ids: ['train'], ...body })).body.task_instances.map(
      (one: { dag_run_id: string }) => one.dag_run_id,
    )
  assert.deepEqual(await runsOf({}), ['scheduled__2019-10-08T00:00:00+00:00', 'by-hand'])
  assert.deepEqual(await runsOf({ start_date: '2019-10-01T00:00:00Z' }), ['scheduled__2019-10-08T00:00:00+00:00'])
})
