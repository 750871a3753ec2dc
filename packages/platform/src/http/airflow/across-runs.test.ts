/** What holds between the runs of a DAG, as its user sees it: waits for the run before, limits over runs, clearing and marking through time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asset, type DagOptions, dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'
import type { InlineTask } from '../../adapters/memory/task-runner.ts'

type Define = Parameters<typeof dag>[2]

const run = (day: number) => `scheduled__2019-10-0${day}T00:00:00+00:00`

/** A DAG with a run for each of the days from 5 to 8 October, unpaused and settled. */
async function days(define: Define, task: InlineTask, options: Partial<DagOptions> = {}) {
  const daily = { schedule: '@daily', startDate: '2019-10-05', catchup: true, maxActiveRuns: 10, maxActiveTasks: 100, ...options }
  const house = await airflowHouse({ dags: { 'days.ts': [dag('days', daily, define).document] }, task })
  await house.call('PATCH', '/dags/days', { is_paused: false })
  await house.settle()
  const states = async (runId: string): Promise<Record<string, string | null>> =>
    Object.fromEntries(
      (await house.call('GET', `/dags/days/dagRuns/${runId}/taskInstances`)).body.task_instances.map(
        (one: { task_id: string; map_index: number; state: string }) => [
          one.map_index < 0 ? one.task_id : `${one.task_id}[${one.map_index}]`,
          one.state,
        ],
      ),
    )
  const statesByDay = async () => Object.fromEntries(await Promise.all([5, 6, 7, 8].map(async (day) => [day, await states(run(day))])))
  const runStates = async () =>
    Object.fromEntries(
      (await house.call('GET', '/dags/days/dagRuns?order_by=logical_date')).body.dag_runs.map(
        (one: { dag_run_id: string; state: string; logical_date: string }) => [one.logical_date?.slice(9, 10) ?? one.dag_run_id, one.state],
      ),
    )
  const why = async (day: number, taskId: string): Promise<string[]> =>
    (await house.call('GET', `/dags/days/dagRuns/${run(day)}/taskInstances/${taskId}/dependencies`)).body.dependencies.map(
      ({ reason }: { reason: string }) => reason,
    )
  const clear = (body: object) => house.call('POST', '/dags/days/clearTaskInstances', { dry_run: false, only_failed: false, ...body })
  const cleared = async (body: object): Promise<string[]> =>
    (await clear(body)).body.task_instances.map(
      (one: { dag_run_id: string; task_id: string }) => `${one.task_id} ${one.dag_run_id.slice(19, 21)}`,
    )
  const begun = () => house.runner.begun.splice(0).map(({ taskId, logicalDate }) => `${taskId} ${logicalDate?.slice(8, 10)}`)
  return { ...house, states, statesByDay, runStates, why, clear, cleared, begun }
}

/** Tasks that go on when they are told to. */
function held(isHeld: (name: string) => boolean) {
  const open = new Map<string, () => void>()
  const task: InlineTask = ({ taskId, mapIndex, logicalDate }) => {
    const name = `${taskId}${mapIndex < 0 ? '' : `[${mapIndex}]`} ${logicalDate?.slice(8, 10)}`
    return isHeld(name) ? new Promise<void>((resolve) => open.set(name, resolve)) : null
  }
  const end = (name: string) => {
    open.get(name)?.()
    open.delete(name)
  }
  return { task, end, atWork: () => [...open.keys()].sort() }
}

const chain: Define = ({ task }) => {
  const load = task('load', async () => {})
  const train = task('train', async () => {}).after(load)
  task('report', async () => {}).after(train)
}

test('wait for downstream: a task waits for the tasks right after it in the run before, and no further', async () => {
  const world = { isBroken: true }
  const { statesByDay, runStates, why, cleared, settle } = await days(
    ({ task }) => {
      const load = task('load', async () => {}, { waitForDownstream: true })
      const [train, check] = [task('train', async () => {}).after(load), task('check', async () => {}).after(load)]
      task('report', async () => {}).after(train, check)
    },
    ({ taskId, logicalDate }) => {
      if (taskId === 'report') throw new Error('never well')
      if (taskId === 'train' && logicalDate?.startsWith('2019-10-06') && world.isBroken) throw new Error('no data')
    },
  )
  const through = { load: 'success', train: 'success', check: 'success', report: 'failed' }
  const waiting = { load: null, train: null, check: null, report: null }
  assert.deepEqual(await statesByDay(), {
    5: through,
    6: { ...through, train: 'failed', report: 'upstream_failed' },
    7: waiting,
    8: waiting,
  })
  assert.deepEqual(await runStates(), { 5: 'failed', 6: 'failed', 7: 'running', 8: 'running' })
  assert.deepEqual(await why(7, 'load'), [`It waits for the tasks right after it in the run before, "${run(6)}".`])
  world.isBroken = false
  assert.deepEqual(await cleared({ dag_run_id: run(6), only_failed: true }), ['train 06', 'report 06'])
  await settle()
  assert.deepEqual(await statesByDay(), { 5: through, 6: through, 7: through, 8: through })
})

test('depends on past: what was skipped counts as well, a mark by hand lets the next run go on', async () => {
  const { statesByDay, call, settle, why } = await days(
    ({ task }) => void task('load', async () => {}, { dependsOnPast: true }),
    ({ logicalDate }) => {
      if (logicalDate?.startsWith('2019-10-05')) throw Object.assign(new Error('nothing to do'), { name: 'SkipTask' })
      if (logicalDate?.startsWith('2019-10-06')) throw new Error('no')
    },
  )
  assert.deepEqual(await statesByDay(), { 5: { load: 'skipped' }, 6: { load: 'failed' }, 7: { load: null }, 8: { load: null } })
  assert.deepEqual(await why(8, 'load'), [`It depends on the run before, "${run(7)}", where it has not succeeded.`])
  await call('PATCH', `/dags/days/dagRuns/${run(6)}/taskInstances/load`, { new_state: 'success' })
  await settle()
  assert.deepEqual(await statesByDay(), { 5: { load: 'skipped' }, 6: { load: 'success' }, 7: { load: 'success' }, 8: { load: 'success' } })
})

test('a run by hand is the run before when a DAG does not catch up, and is not when it does', async () => {
  for (const catchup of [true, false]) {
    const { call, settle, states } = await days(
      ({ task }) => void task('load', async () => {}, { dependsOnPast: true }),
      ({ runId }) => {
        if (runId === 'by_hand') throw new Error('no')
      },
      { catchup, startDate: '2019-10-07' },
    )
    await call('POST', '/dags/days/dagRuns', { dag_run_id: 'by_hand', logical_date: '2019-10-08T06:00:00Z' })
    await settle()
    await call('POST', '/dags/days/dagRuns', { dag_run_id: 'next', logical_date: '2019-10-08T07:00:00Z' })
    await settle()
    assert.deepEqual([await states('by_hand'), await states('next')], [{ load: 'failed' }, { load: catchup ? 'success' : null }])
  }
})

test('a task that may be active once over all runs goes from run to run in their order, and holds nothing else up', async () => {
  const { task, end, atWork } = held((name) => name.startsWith('gpu'))
  const { settle, statesByDay, why, runStates } = await days(({ task: add }) => {
    add('gpu', async () => {}, { maxActivePerDag: 1 })
    add('free', async () => {})
  }, task)
  const waits = { gpu: 'scheduled', free: 'success' }
  assert.deepEqual(await statesByDay(), { 5: { gpu: 'running', free: 'success' }, 6: waits, 7: waits, 8: waits })
  assert.deepEqual(await why(6, 'gpu'), ['It is active 1 times over all runs, and its maxActivePerDag allows 1.'])
  for (const day of ['05', '06', '07', '08']) {
    assert.deepEqual(atWork(), [`gpu ${day}`])
    end(`gpu ${day}`)
    await settle()
  }
  assert.deepEqual(await runStates(), { 5: 'success', 6: 'success', 7: 'success', 8: 'success' })
})

test('of a mapped task that may be active twice in a run two go at a time in each, and its run is no deadlock', async () => {
  const { task, end, atWork } = held((name) => name.startsWith('part'))
  const { settle, runStates, call } = await days(
    ({ task: add }) => void add('part', async () => {}, { maxActivePerRun: 2, expand: { n: [1, 2, 3] } }),
    task,
    { startDate: '2019-10-07' },
  )
  assert.deepEqual(atWork(), ['part[0] 07', 'part[0] 08', 'part[1] 07', 'part[1] 08'])
  end('part[0] 07')
  await settle()
  assert.deepEqual(atWork(), ['part[0] 08', 'part[1] 07', 'part[1] 08', 'part[2] 07'])
  const { body } = await call('GET', `/dags/days/dagRuns/${run(8)}/taskInstances/part/2/dependencies`)
  assert.match(body.dependencies[0].reason, /It is active 2 times in this run, and its maxActivePerRun allows 2/)
  for (const name of ['part[1] 07', 'part[2] 07', 'part[0] 08', 'part[1] 08', 'part[2] 08']) {
    end(name)
    await settle()
  }
  assert.deepEqual(await runStates(), { 7: 'success', 8: 'success' })
})

test('a limit over all runs counts what is cleared while it works until that has ended', async () => {
  const { task, end, atWork } = held((name) => name.startsWith('gpu'))
  const { settle, clear, statesByDay } = await days(({ task: add }) => void add('gpu', async () => {}, { maxActivePerDag: 1 }), task)
  await clear({ dag_run_id: run(5), task_ids: ['gpu'] })
  await settle()
  assert.deepEqual([atWork(), (await statesByDay())[5].gpu], [['gpu 05'], 'restarting'])
  end('gpu 05')
  await settle()
  assert.equal(atWork().length, 1)
})

test('clearing goes to the runs after, to those before, or both ways, and the dry run says which', async () => {
  const { cleared, clear, runStates, begun, settle, call } = await days(chain, () => null)
  begun()
  const from = { dag_run_id: run(6), task_ids: ['train'] }
  assert.deepEqual(await cleared({ ...from, include_future: true, dry_run: true }), ['train 06', 'train 07', 'train 08'])
  assert.deepEqual(await runStates(), { 5: 'success', 6: 'success', 7: 'success', 8: 'success' })
  assert.deepEqual(await cleared({ ...from, include_past: true, dry_run: true }), ['train 05', 'train 06'])
  const all = await cleared({ ...from, include_past: true, include_future: true, include_downstream: true })
  assert.deepEqual(
    all,
    [5, 6, 7, 8].flatMap((day) => [`train 0${day}`, `report 0${day}`]),
  )
  assert.deepEqual(await runStates(), { 5: 'queued', 6: 'queued', 7: 'queued', 8: 'queued' })
  await settle()
  assert.deepEqual(begun().sort(), [...all].sort())
  assert.deepEqual(await runStates(), { 5: 'success', 6: 'success', 7: 'success', 8: 'success' })
  assert.equal((await call('GET', `/dags/days/dagRuns/${run(7)}`)).body.clear_number, 1)
  assert.equal((await call('GET', `/dags/days/dagRuns/${run(7)}/taskInstances/train`)).body.try_number, 2)
  const between = { start_date: '2019-10-06T00:00:00Z', end_date: '2019-10-07T00:00:00Z', task_ids: ['load'] }
  assert.deepEqual(await cleared(between), ['load 06', 'load 07'])
  await settle()
  assert.deepEqual(begun().sort(), ['load 06', 'load 07'], 'what comes after is left as it is')
  assert.equal((await clear({ ...between, dag_run_id: run(6) })).status, 400)
})

test('what is cleared in all runs after waits for the run before again, one run after the other', async () => {
  const { task, end, atWork } = held((name) => name.startsWith('load'))
  const { cleared, settle, runStates } = await days(
    ({ task: add }) => void add('train', async () => {}).after(add('load', async () => {}, { dependsOnPast: true })),
    task,
  )
  const walk = async (...walked: string[]) => {
    for (const name of walked) {
      assert.deepEqual(atWork(), [name])
      end(name)
      await settle()
    }
  }
  await walk('load 05', 'load 06', 'load 07', 'load 08')
  await cleared({ dag_run_id: run(6), include_future: true })
  await settle()
  await walk('load 06', 'load 07', 'load 08')
  assert.deepEqual(await runStates(), { 5: 'success', 6: 'success', 7: 'success', 8: 'success' })
})

test('a run without a logical date has no past and no future', async () => {
  const { call, clear, settle } = await days(chain, () => null)
  await call('POST', '/dags/days/dagRuns', { dag_run_id: 'r', logical_date: null })
  await settle()
  const { status, body } = await clear({ dag_run_id: 'r', include_future: true })
  assert.deepEqual([status, /has no logical date/.test(JSON.stringify(body))], [400, true])
})

test('marking goes to the runs before and after, too', async () => {
  const { call, statesByDay, settle } = await days(chain, ({ taskId }) => {
    if (taskId === 'train') throw new Error('no')
  })
  const failed = { load: 'success', train: 'failed', report: 'upstream_failed' }
  const mended = { load: 'success', train: 'success', report: 'success' }
  const change = { new_state: 'success', include_future: true }
  const path = `/dags/days/dagRuns/${run(7)}/taskInstances/train`
  assert.equal((await call('PATCH', `${path}/dry_run`, change)).body.total_entries, 2)
  await call('PATCH', path, change)
  await settle()
  assert.deepEqual(await statesByDay(), { 5: failed, 6: failed, 7: mended, 8: mended })
  await call('PATCH', path, { new_state: 'success', include_past: true })
  await settle()
  assert.deepEqual(await statesByDay(), { 5: mended, 6: mended, 7: mended, 8: mended })
})

test('an asset is made by a run of its DAG that says so, with what was asked for, and those that wait for it follow', async () => {
  const [rows, both] = [asset('rows'), asset('both')]
  const define: Define = ({ task }) => void task('load', async () => {}, { outlets: [rows, both] })
  const house = await airflowHouse({
    dags: {
      'load.ts': [dag('load', { params: { limit: 3 } }, define).document],
      'other.ts': [dag('other', {}, ({ task }) => void task('make', async () => {}, { outlets: [both] })).document],
      'read.ts': [dag('read', { schedule: [rows, asset('lonely')] }, ({ task }) => void task('use', async () => {})).document],
      'news.ts': [dag('news', { schedule: rows }, ({ task }) => void task('use', async () => {})).document],
    },
    task: ({ conf }) => conf,
  })
  const { call, settle } = house
  for (const dagId of ['read', 'news']) await call('PATCH', `/dags/${dagId}`, { is_paused: false })
  await settle()
  const idOf = async (name: string) =>
    (await call('GET', '/assets')).body.assets.find((one: { name: string }) => one.name === name).id as number
  const made = (await call('POST', `/assets/${await idOf('rows')}/materialize`, { conf: { limit: 7 }, note: 'for the meeting' })).body
  assert.deepEqual(
    [made.dag_id, made.run_type, made.triggered_by, made.state, made.conf, made.note, made.logical_date, made.triggering_user_name],
    ['load', 'asset_materialization', 'rest_api', 'queued', { limit: 7 }, 'for the meeting', null, 'ann'],
  )
  assert.match(made.dag_run_id, /^asset_materialization__2019-10-09T12:00:00\+00:00_/)
  await settle()
  assert.equal((await call('GET', `/dags/load/dagRuns/${made.dag_run_id}`)).body.state, 'queued', 'its DAG is paused')
  await call('PATCH', '/dags/load', { is_paused: false })
  await settle()
  assert.equal((await call('GET', `/dags/load/dagRuns/${made.dag_run_id}`)).body.state, 'success')
  const runsOf = async (dagId: string) =>
    (await call('GET', `/dags/${dagId}/dagRuns`)).body.dag_runs.map((one: { run_type: string; state: string }) => [one.run_type, one.state])
  assert.deepEqual([await runsOf('news'), await runsOf('read')], [[['asset_triggered', 'success']], []])
  const plain = (await call('POST', `/assets/${await idOf('rows')}/materialize`)).body
  assert.deepEqual([plain.run_type, plain.conf], ['asset_materialization', {}])
  assert.equal((await call('GET', '/dags/~/dagRuns?run_type=asset_materialization')).body.total_entries, 2)
  for (const body of [undefined, { conf: { limit: 1 } }]) {
    const several = await call('POST', `/assets/${await idOf('both')}/materialize`, body)
    const nobody = await call('POST', `/assets/${await idOf('lonely')}/materialize`, body)
    assert.deepEqual([several.status, nobody.status], [409, 404], `${several.text} ${nobody.text}`)
  }
  assert.equal((await call('POST', '/assets/999/materialize')).status, 404)
})
