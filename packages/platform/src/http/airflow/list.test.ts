import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asset, dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'

const two = (id: string, options = {}) =>
  dag(id, options, ({ task }) => void task('second', async () => {}).after(task('first', async () => {}))).document

/** Three DAGs; runs of `shop` on the first five days of October, the last of which fails. */
async function house() {
  const made = await airflowHouse({
    dags: {
      'shop.ts': [
        two('shop', { tags: ['ml', 'daily'], schedule: '0 5 * * *', startDate: '2019-10-09' }),
        two('shop_copy', { tags: ['ml'] }),
      ],
      'wind.ts': [two('wind', { tags: ['files'] })],
    },
    task: ({ logicalDate, taskId }) => {
      if (logicalDate?.startsWith('2019-10-05') && taskId === 'second') throw new Error('no such day')
    },
  })
  await made.call('PATCH', '/dags?dag_id_pattern=~', { is_paused: false })
  for (let day = 1; day <= 5; day++)
    await made.call('POST', '/dags/shop/dagRuns', {
      logical_date: `2019-10-0${day}`,
      conf: { day },
      ...(day === 1 && { dag_run_id: 'first' }),
    })
  await made.settle()
  const ids = async (path: string): Promise<string[]> => {
    const { body, text } = await made.call('GET', path)
    const rows = body.dags ?? body.dag_runs ?? body.task_instances
    assert.ok(rows, text)
    return rows.map((row: Record<string, string>) =>
      body.dags ? row.dag_id : body.dag_runs ? row.logical_date?.slice(0, 10) : row.task_id,
    )
  }
  return { ...made, ids }
}

test('DAGs are found by tags, owners, names, pauses, schedules and their last runs', async () => {
  const { ids, call } = await house()
  assert.deepEqual(await ids('/dags'), ['shop', 'shop_copy', 'wind'])
  assert.deepEqual(await ids('/dags?tags=ml&tags=daily'), ['shop', 'shop_copy'])
  assert.deepEqual(await ids('/dags?tags=ml&tags=daily&tags_match_mode=all'), ['shop'])
  assert.deepEqual(await ids('/dags?dag_id_pattern=copy%20|%20win_'), ['shop_copy', 'wind'])
  assert.deepEqual(await ids('/dags?order_by=-dag_id&limit=1&offset=1'), ['shop_copy'])
  assert.deepEqual(await ids('/dags?timetable_type=cron'), ['shop'])
  assert.deepEqual(await ids('/dags?last_dag_run_state=failed'), ['shop'])
  assert.deepEqual(await ids('/dags?dag_run_state=running'), [])
  assert.deepEqual(await ids('/dags?dag_run_end_date_gte=2019-10-09'), ['shop'])
  assert.deepEqual(await ids('/dags?paused=true'), [])
  assert.deepEqual(await ids('/dags?dag_id_pattern=shop\\_copy'), ['shop_copy'])
  assert.deepEqual(await ids('/dags?dag_id_pattern=sho\\_'), [])
  await call('PATCH', '/dags?tags=files', { is_paused: true })
  assert.deepEqual(await ids('/dags?paused=true'), ['wind'])
  assert.equal((await call('PATCH', '/dags', { is_paused: true })).status, 400)
  assert.deepEqual((await call('GET', '/dagTags?order_by=-name')).body, { tags: ['ml', 'files', 'daily'], total_entries: 3 })
  const stats = (await call('GET', '/dagStats?dag_ids=shop')).body.dags[0].stats
  assert.deepEqual(
    stats.map(({ state, count }: { state: string; count: number }) => [state, count]),
    [
      ['queued', 0],
      ['running', 0],
      ['success', 4],
      ['failed', 1],
    ],
  )
})

test('runs are found by state, kind, date, length, conf and name, in any order, a page at a time', async () => {
  const { ids, call } = await house()
  const days = (...numbers: number[]) => numbers.map((day) => `2019-10-0${day}`)
  assert.deepEqual(await ids('/dags/shop/dagRuns'), days(1, 2, 3, 4, 5))
  assert.deepEqual(await ids('/dags/~/dagRuns?state=failed&state=running'), days(5))
  assert.deepEqual(await ids('/dags/shop/dagRuns?order_by=state&order_by=-logical_date&limit=3'), days(5, 4, 3))
  assert.deepEqual(await ids('/dags/shop/dagRuns?logical_date_gt=2019-10-02&logical_date_lte=2019-10-04T00:00:00%2B00:00'), days(3, 4))
  assert.deepEqual(await ids('/dags/shop/dagRuns?duration_gt=0.5'), [])
  assert.deepEqual(await ids('/dags/shop/dagRuns?conf_contains=%22day%22:3'), days(3))
  assert.deepEqual(await ids('/dags/~/dagRuns?run_id_pattern=FIRST'), days(1))
  assert.deepEqual(await ids('/dags/~/dagRuns?run_id_prefix_pattern=fir'), days(1))
  assert.deepEqual(await ids('/dags/~/dagRuns?run_id_prefix_pattern=irst'), [])
  assert.deepEqual(await ids('/dags/~/dagRuns?dag_id_pattern=wind'), [])
  assert.deepEqual(await ids('/dags/~/dagRuns?triggering_user_name_pattern=an&offset=4'), days(5))
  assert.deepEqual(await ids('/dags/~/dagRuns?run_type=asset_materialization'), [])
  const first = (await call('GET', '/dags/shop/dagRuns?limit=3')).body
  assert.deepEqual(await ids(`/dags/shop/dagRuns?limit=3&cursor=${first.next_cursor}`), days(4, 5))
  assert.equal((await call('GET', '/dags/shop/dagRuns?cursor=xyz')).status, 422)
  const batch = await call('POST', '/dags/~/dagRuns/list', {
    dag_ids: ['shop'],
    states: ['success'],
    order_by: '-logical_date',
    page_limit: 2,
  })
  assert.deepEqual([batch.body.total_entries, batch.body.dag_runs[0].logical_date], [4, '2019-10-04T00:00:00.000Z'])
  assert.equal((await call('GET', '/dags/shop/dagRuns?logical_date=2019-10-04')).status, 422)
})

test('task instances are found by state, task, date, pool and try, over all runs', async () => {
  const { ids, call } = await house()
  assert.deepEqual(await ids('/dags/shop/dagRuns/first/taskInstances'), ['first', 'second'])
  assert.equal((await call('GET', '/dags/~/dagRuns/~/taskInstances')).body.total_entries, 10)
  assert.deepEqual(await ids('/dags/~/dagRuns/~/taskInstances?state=failed'), ['second'])
  assert.deepEqual(await ids('/dags/shop/dagRuns/~/taskInstances?task_id=first&logical_date_lt=2019-10-03&order_by=-logical_date'), [
    'first',
    'first',
  ])
  assert.deepEqual(await ids('/dags/shop/dagRuns/first/taskInstances?task_display_name_pattern=eco'), ['second'])
  assert.deepEqual(await ids('/dags/shop/dagRuns/first/taskInstances?try_number=2'), [])
  assert.deepEqual(
    await ids('/dags/shop/dagRuns/first/taskInstances?pool=default_pool&queue=default&map_index=-1&operator=function&limit=1'),
    ['first'],
  )
  assert.deepEqual(await ids('/dags/shop/dagRuns/first/taskInstances?executor=celery'), [])
  assert.deepEqual(await ids('/dags/shop/dagRuns/first/taskInstances/first/listMapped'), [])
  const batch = await call('POST', '/dags/~/dagRuns/~/taskInstances/list', { task_ids: ['second'], state: ['failed', null], page_limit: 5 })
  assert.equal(batch.body.total_entries, 1)
})

test('XComs are listed over runs, written, changed and deleted', async () => {
  const { call } = await house()
  const path = '/dags/shop/dagRuns/first/taskInstances/first/xcomEntries'
  assert.equal((await call('POST', path, { key: 'rows', value: { n: 3 } })).status, 201)
  assert.equal((await call('POST', path, { key: 'rows', value: 4 })).status, 409)
  assert.deepEqual((await call('GET', `${path}/rows`)).body.value, { n: 3 })
  assert.equal((await call('GET', `${path}/rows?stringify=true`)).body.value, '{"n":3}')
  assert.equal((await call('PATCH', `${path}/rows`, { value: [1] })).body.value[0], 1)
  assert.deepEqual((await call('POST', path, { key: 'login', value: { password: 'hunter22', n: 1 } })).body.value, {
    password: '***',
    n: 1,
  })
  assert.deepEqual((await call('GET', `${path}/login`)).body.value, { password: '***', n: 1 })
  const listed = (await call('GET', '/dags/~/dagRuns/~/taskInstances/~/xcomEntries?xcom_key_pattern=row')).body
  assert.deepEqual([listed.total_entries, listed.xcom_entries[0].run_id, 'value' in listed.xcom_entries[0]], [1, 'first', false])
  const keys = async (query: string) => (await call('GET', `${path}?${query}`)).body.xcom_entries.map(({ key }: { key: string }) => key)
  assert.deepEqual([await keys('order_by=key'), await keys('order_by=-key&limit=1')], [['login', 'rows'], ['rows']])
  assert.equal((await call('GET', `${path}?order_by=value`)).status, 422)
  assert.equal((await call('DELETE', `${path}/rows`)).status, 204)
  assert.match((await call('GET', `${path}/rows`)).body.detail, /has no XCom "rows"/)
  assert.match(
    (await call('POST', '/dags/shop/dagRuns/first/taskInstances/firs/xcomEntries', { key: 'a', value: 1 })).body.detail,
    /Did you mean "first"/,
  )
})

test('pools are made, changed and deleted, one or many, and show what is taken of them', async () => {
  const { call } = await house()
  assert.equal((await call('POST', '/pools', { name: 'gpu', slots: 2 })).status, 201)
  assert.equal((await call('POST', '/pools', { name: 'gpu', slots: 2 })).status, 409)
  assert.equal((await call('POST', '/pools', { name: 'x', slots: -2 })).status, 422)
  const changed = (await call('PATCH', '/pools/gpu?update_mask=slots', { slots: 3, description: 'ignored' })).body
  assert.deepEqual([changed.slots, changed.description, changed.open_slots, changed.occupied_slots], [3, null, 3, 0])
  const actions = [
    { action: 'create', entities: [{ name: 'a', slots: 1 }] },
    { action: 'update', entities: [{ name: 'a', slots: 5 }] },
    { action: 'delete', entities: ['default_pool', 'gpu'] },
  ]
  const { body } = await call('PATCH', '/pools', { actions })
  assert.deepEqual([body.create.success, body.update.success, body.delete.success], [['a'], ['a'], ['gpu']])
  assert.match(body.delete.errors[0].error, /cannot be deleted/)
  assert.deepEqual(
    (await call('GET', '/pools?order_by=-name')).body.pools.map(({ name, slots }: { name: string; slots: number }) => [name, slots]),
    [
      ['default_pool', 128],
      ['a', 5],
    ],
  )
})

test('the event log knows who triggered and paused what, and shows no secrets of a conf', async () => {
  const { call } = await house()
  await call('POST', '/dags/wind/dagRuns', { dag_run_id: 'r', conf: { api_key: 'hunter22', day: 1 } })
  const { body } = await call('GET', '/eventLogs?dag_id=wind&order_by=-id')
  const [entry] = body.event_logs
  assert.deepEqual([entry.event, entry.owner, entry.run_id, entry.when], ['trigger_dag_run', 'ann', 'r', '2019-10-09T12:00:00.000Z'])
  assert.deepEqual(JSON.parse(entry.extra).body.conf, { api_key: '***', day: 1 })
  assert.equal((await call('GET', `/eventLogs/${entry.event_log_id}`)).body.event, 'trigger_dag_run')
  assert.equal((await call('GET', '/eventLogs?event_pattern=patch')).body.total_entries, 1)
  assert.equal((await call('GET', '/eventLogs?excluded_events=trigger_dag_run')).body.total_entries, 1)
})

test('the settings are told without their secrets, as JSON or as text', async () => {
  const { call } = await house()
  assert.deepEqual((await call('GET', '/config/section/core/option/fernet_key')).body.sections[0].options, [
    { key: 'fernet_key', value: '***' },
  ])
  assert.equal(
    (await call('GET', '/config?section=core', undefined, { accept: 'text/plain' })).text,
    '[core]\nparallelism = 4\nfernet_key = ***\n',
  )
  assert.match((await call('GET', '/config/section/core/option/paralelism')).body.detail, /Did you mean "parallelism"/)
})

test('pools and assets are searched, ordered and paged, and counted as a whole', async () => {
  const named = (name: string) => asset({ name, uri: `gs://shop/${name}.csv` })
  const { call, settle } = await airflowHouse({
    dags: {
      'a.ts': [
        dag('a', { schedule: named('rows') }, ({ task }) => void task('t', async () => {}, { outlets: [named('prices')] })).document,
      ],
      'b.ts': [dag('b', { schedule: named('prices').or(named('visits')) }, ({ task }) => void task('t', async () => {})).document],
    },
  })
  for (const [name, slots] of [
    ['big', 9],
    ['small', 1],
  ] as const)
    await call('POST', '/pools', { name, slots })
  await settle()
  const names = async (what: 'pools' | 'assets', query: string) => {
    const { body } = await call('GET', `/${what}?${query}`)
    return [body[what].map(({ name }: { name: string }) => name).join(' '), body.total_entries]
  }
  assert.deepEqual(await names('pools', 'order_by=slots&limit=2'), ['small big', 3])
  assert.deepEqual(await names('pools', 'pool_name_pattern=a%25l'), ['default_pool small', 2])
  assert.deepEqual(await names('assets', 'order_by=-name&limit=2'), ['visits rows', 3])
  assert.deepEqual(await names('assets', 'limit=2&offset=2'), ['visits', 3])
  assert.deepEqual(await names('assets', 'uri_pattern=%25ice%25'), ['prices', 1])
  assert.deepEqual(await names('assets', 'dag_ids=b'), ['prices visits', 2])
  assert.deepEqual(await names('assets', 'dag_ids=none'), ['', 0])
})
