/** Airflow's own Python client against a whole platform. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { VERSION } from '../../packages/platform/src/composition/platform.ts'
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
}

let python: string
let folder: string
let platform: RunningPlatform

before(async () => {
  python = await pythonWith(['apache-airflow-client>=3'])
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-dags-'))
  for (const [name, source] of Object.entries(DAGS)) await writeFile(join(folder, name), source)
  platform = await RunningPlatform.start(['start'], {
    environment: { DAGGERBOARD_DAGS_FOLDER: folder, DAGGERBOARD_LOAD_EXAMPLES: 'false' },
  })
})

after(async () => {
  await platform?.remove()
  await rm(folder, { recursive: true, force: true })
})

test("Airflow's client runs DAGs here, reads what became of them, and keeps variables and connections", async () => {
  const [username, password] = RunningPlatform.login.split(':')
  const uri = await platform.endpoint()
  const seen = await askPython<Record<string, unknown>>(python, join(import.meta.dirname, 'drive.py'), { uri, username, password })
  const { log, ...rest } = seen
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
      ['failing', true, null, []],
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
