/** Airflow's own Python client against a whole platform. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { VERSION } from '../../packages/platform/src/composition/platform.ts'
import { newFernetKey } from '../../packages/platform/src/secrets/fernet.ts'
import { RunningPlatform } from '../../test/end-to-end/running-platform.ts'
import { askPython, pythonWith } from '../python.ts'

const DAGS = {
  'weekly.ts': `
import { dag } from '@daggerboard/dag'

export default dag('weekly', { schedule: '0 5 * * 1', startDate: '2019-09-30', tags: ['shop'], description: 'Counts a week', params: { plus: 0 } }, ({ task }) => {
  const count = task('count', async ({ log, connection, dataIntervalStart, dataIntervalEnd }) => {
    const { host, password } = await connection('shop_db')
    log(\`counting at \${host} with \${password}\`)
    return (dataIntervalEnd.getTime() - dataIntervalStart.getTime()) / 86_400_000
  })
  task('double', async ({ input, params, variable }) => input.count * Number(await variable('factor')) + Number(params.plus), { input: { count } })
})
`,
  'failing.ts': `
import { dag } from '@daggerboard/dag'

export default dag('failing', { schedule: null }, ({ task }) => {
  task('fails', async () => {
    throw new Error('no such week')
  })
})
`,
  'broken.ts': 'export default dag(((',
  'operate.ts': `
import { asset, dag } from '@daggerboard/dag'

export default dag('operate', { schedule: '0 0 * * *', startDate: '2019-10-01', tags: ['operate'], catchup: false }, ({ task, group }) => {
  const load = task('load', async () => 3, { outlets: [asset('rows')] })
  task('each', ({ input }) => input.n * 2, { expand: { n: [1, 2] } })
  const fails = task('fails', async ({ variable }) => {
    if ((await variable('mended')) !== 'yes') throw new Error('not mended')
  }, { pool: 'narrow' })
  group('end', {}, ({ task }) => {
    task('reports', async () => {}).after(fails.after(load))
  })
})
`,
  'waits.ts': `
import { asset, dag } from '@daggerboard/dag'

export default dag('waits', { schedule: asset('rows'), tags: ['operate'] }, ({ task }) => {
  task('reads', async () => {})
})
`,
  'ask.ts': `
import { approval, dag } from '@daggerboard/dag'

export default dag('ask', { schedule: '0 0 * * *', startDate: '2019-10-01', catchup: false, tags: ['operate'] }, ({ task }) => {
  task('approve', approval({ subject: 'Go on?' }))
})
`,
}

let python: string
let folder: string
let platform: RunningPlatform
let uri: string

before(async () => {
  python = await pythonWith(['apache-airflow-client>=3'])
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-dags-'))
  for (const [name, source] of Object.entries(DAGS)) await writeFile(join(folder, name), source)
  platform = await RunningPlatform.start(['start'], {
    environment: {
      DAGGERBOARD_DAGS_FOLDER: folder,
      DAGGERBOARD_LOAD_EXAMPLES: 'false',
      DAGGERBOARD__API__EXPOSE_CONFIG: 'true',
      DAGGERBOARD__CORE__FERNET_KEY: newFernetKey(),
    },
  })
  uri = await platform.endpoint()
})

after(async () => {
  await platform?.remove()
  await rm(folder, { recursive: true, force: true })
})

const ask = async (script: string, more: object = {}): Promise<Record<string, unknown>> => {
  const [username, password] = RunningPlatform.login.split(':')
  return askPython(python, join(import.meta.dirname, script), { uri, username, password, ...more })
}

test("Airflow's client runs DAGs here, reads what became of them, and keeps variables and connections", async () => {
  const { log, ...rest } = await ask('drive.py')
  assert.deepEqual(
    (log as string[]).map((line) => line.replace(/\d{2,}/, 'PID')),
    ['Try 1 of task "count" begins in worker PID.', 'counting at db2 with ***', 'The task has ended as success.'],
  )
  assert.deepEqual(rest, {
    version: VERSION,
    health: ['healthy', 'healthy'],
    stranger: [401, 'This token is not valid here. Ask for one with POST /auth/token.'],
    'import error': ['broken.ts', 'broken.ts:1'],
    'one import error': 'broken.ts',
    dags: [
      ['ask', true, '0 0 * * *', ['operate']],
      ['failing', true, null, []],
      ['operate', true, '0 0 * * *', ['operate']],
      ['waits', true, 'rows', ['operate']],
      ['weekly', true, '0 5 * * 1', ['shop']],
    ],
    tagged: ['weekly'],
    details: ['Counts a week', false, 16, { plus: 0 }, 'UTC'],
    tasks: [
      ['count', ['double']],
      ['double', []],
    ],
    source: true,
    'no such dag': [404, 'There is no DAG "weekli". Did you mean "weekly"? GET /api/v2/dags lists them.'],
    connection: ['db', 5432, 'shop', 'ada', '***', { api_key: '***', region: 'eu' }],
    'changed connection': ['db2', 5432],
    twice: 409,
    variable: ['factor', '2', 'times'],
    'secret variable': '***',
    'changed variable': '3',
    variables: ['api_token', 'factor'],
    unpaused: false,
    scheduled: ['scheduled', 'success', 7, true, true],
    'scheduled id': true,
    triggered: [true, 'manual', 'from Python', { plus: 1 }, 'admin'],
    'triggered twice': 409,
    ended: 'success',
    instances: [
      ['count', 'success', 1],
      ['double', 'success', 1],
    ],
    instance: 'function',
    xcoms: ['return_value'],
    xcom: [7, 22],
    failed: 'failed',
    'failed task': ['fails', 'failed'],
    'failed runs': 1,
    marked: 'known',
    deleted: [404, 404],
  })
})

test("Airflow's client clears, marks, backfills and answers here", async () => {
  assert.deepEqual(await ask('operate.py'), {
    paused: [
      ['ask', false],
      ['operate', false],
      ['waits', false],
    ],
    pool: ['narrow', 1, 1],
    waited: ['failed', { load: 3 }],
    states: [
      ['each', 0, 'success'],
      ['each', 1, 'success'],
      ['end.reports', -1, 'upstream_failed'],
      ['fails', -1, 'failed'],
      ['load', -1, 'success'],
    ],
    log: true,
    'would clear': ['end.reports', 'fails'],
    again: 'success',
    tries: [
      [1, 'failed'],
      [2, 'success'],
    ],
    mapped: [0, 1],
    'mapped xcom': 4,
    why: ['done'],
    'whole run': true,
    rerun: 'success',
    marked: [['fails', 'skipped', 'not today']],
    'marked run': 'failed',
    written: [1, 2],
    'dry backfill': [1, 2, 3, 4].map((day) => `2019-10-0${day}T00:00:00+00:00`),
    'one at a time': 409,
    pause: [true, false],
    backfilled: [1, 2, 3, 4].map((day) => [day, 'success']),
    'listed backfills': 1,
    cancelled: true,
    slots: 3,
    'bulk pools': [['a'], ['a']],
    'bulk variables': [['k1', 'k2'], 'k2'],
    defaults: ['google_cloud_default'],
    test: false,
    asset: ['rows', ['load'], ['waits']],
    event: 'hand',
    started: ['asset_triggered', true],
    materialized: 'operate',
    asked: ['Go on?', ['Approve', 'Reject']],
    answered: 'admin',
    'event log': ['trigger_dag_run', 'post_clear_task_instances', 'clear_dag_run', 'patch_task_instance', 'patch_dag_run'].map((event) => [
      event,
      'admin',
    ]),
    config: ['false', '***'],
    deleted: 404,
  })
})

/** What the newest client can ask and nobody answers here: stores of state, tests of connections in the background, logs elsewhere. */
const NOT_HERE = {
  get_asset_state_store: 404,
  list_asset_state_store: 404,
  get_task_state_store: 404,
  list_task_state_store: 422,
  get_connection_test: 404,
  get_external_log_url: 404,
}
/** What the newest client may add to a list and is refused: runs have no partitions here, and are not searched by who takes up what they made. */
const UNKNOWN = ['partition_date_gte', 'partition_date_lte', 'consuming_asset_pattern'].map((name) => `get_dag_runs.${name}`)
/** What could be there, and is not just now. */
const NONE = { get_asset_alias: 404, get_dag_asset_queued_event: 404 }

test("everything that Airflow's client can ask is answered as its models expect", async () => {
  const values = {
    ...{ dag_id: 'operate', dag_run_id: 'walk', task_id: 'load', map_index: -1, try_number: 1, task_try_number: 1, version_number: 1 },
    ...{ xcom_key: 'return_value', asset_id: 1, asset_alias_id: 1, backfill_id: 1, event_log_id: 1, import_error_id: 1 },
    ...{ section: 'core', option: 'parallelism', connection_id: 'google_cloud_default', pool_name: 'default_pool', variable_key: 'mended' },
    ...{ key: 'x', airflow_connection_test_token: 'x' },
  }
  const asked = { dag_id: 'ask', task_id: 'approve' }
  const special = {
    get_mapped_task_instance: { task_id: 'each', map_index: 0 },
    get_hitl_detail: asked,
    get_hitl_detail_try_detail: asked,
    get_hitl_details: asked,
    get_dag_asset_queued_event: { dag_id: 'waits' },
  }
  const { answers, unknown } = await ask('walk.py', { values, special })
  const seen = answers as Record<string, unknown>
  assert.ok(Object.keys(seen).length > 60, `only ${Object.keys(seen).length} operations were found`)
  assert.deepEqual(Object.fromEntries(Object.entries(seen).filter(([, answer]) => answer !== 'ok')), { ...NOT_HERE, ...NONE })
  assert.deepEqual(unknown, UNKNOWN)
})
