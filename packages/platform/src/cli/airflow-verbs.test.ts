/** The verbs of Airflow's command line with the flags that its users know by heart, against doors that listen. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { asset, dag } from '@daggerboard/dag'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { airflowHouse } from '../../../../test/airflow-house.ts'
import { SqliteConnectionStore } from '../adapters/sqlite/connection.ts'
import { Database } from '../adapters/sqlite/database.ts'
import { SqliteEventLog } from '../adapters/sqlite/event-log.ts'
import { SqliteVariableStore } from '../adapters/sqlite/variable.ts'
import { localHost } from '../composition/local-host.ts'
import { systemClock } from '../core/clock.ts'
import { system } from '../core/principal.ts'
import type { DoorEnvironment } from '../http/door.ts'
import { connectionsDoor } from '../http/secrets/connections.ts'
import { variablesDoor } from '../http/secrets/variables.ts'
import { Fernet, newFernetKey } from '../secrets/fernet.ts'
import { commands } from './commands.ts'
import { runProgram } from './program.ts'

let folder: string
let endpoint: string
let house: Awaited<ReturnType<typeof airflowHouse>>
const server = { close: () => {} }

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daggerboard-verbs-'))
  house = await airflowHouse({
    dags: {
      'two.ts': [
        dag(
          'two',
          { schedule: '@daily', startDate: '2019-10-01' },
          ({ task }) => void task('one', async () => {}, { outlets: [asset('rows')] }),
        ).document,
      ],
      'odd.ts': [dag('odd', {}, ({ task }) => void task('cries', async () => {}, { retries: 1, retryDelay: '1h' })).document],
    },
    task: ({ taskId }) => {
      if (taskId === 'cries') throw new Error('one\n\u001b[2Jtwo')
    },
  })
  const db = new Database(':memory:')
  const fernet = new Fernet(newFernetKey(), systemClock)
  const recorder = { eventLog: new SqliteEventLog(db), clock: systemClock }
  const spare = { host: null, port: null, schema: null, login: null, password: null, extra: {}, description: null }
  const app = new Hono<DoorEnvironment>()
  app.use(async (c, next) => {
    c.set('principal', system)
    await next()
  })
  app.route('/', variablesDoor({ variables: new SqliteVariableStore(db, fernet), recorder }))
  const defaults = [{ id: 'spare', type: 'http', ...spare }]
  app.route('/', connectionsDoor({ connections: new SqliteConnectionStore(db, fernet), defaults, recorder }))
  app.all('*', async (c) => {
    const body = await c.req.text()
    const { pathname, search } = new URL(c.req.url)
    return house.fetch(c.req.method, `${pathname}${search}`, body === '' ? undefined : JSON.parse(body))
  })
  const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(listening, 'listening')
  server.close = () => listening.close()
  endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
})

after(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

const daggerboard = (...words: string[]) => daggerboardTo(new PassThrough(), words)

async function daggerboardTo(stderr: PassThrough | Writable, words: string[]): Promise<{ status: number; out: string; err: string }> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()]
  stdin.end()
  const read = Promise.all([text(stdout), stderr instanceof PassThrough ? text(stderr) : ''])
  const { signal } = new AbortController()
  const env = { HOME: folder, DAGGERBOARD_HOME: folder, DAGGERBOARD_ENDPOINT: endpoint, DAGGERBOARD_TOKEN: 't' }
  const streams = { stdin, stdout: stdout as unknown as NodeJS.WriteStream, stderr: stderr as unknown as NodeJS.WriteStream }
  const status = await runProgram(commands, words, { ...streams, env, signal, host: localHost(signal) })
  stdout.end()
  stderr.end()
  const [out, err] = await read
  return { status, out, err }
}

test('tasks clear -r is about the tasks that are running, as in Airflow', async () => {
  await house.call('PATCH', '/dags/two', { is_paused: false })
  await house.call('POST', '/dags/two/dagRuns', { dag_run_id: 'r' })
  await house.reach('/dags/two/dagRuns/r', 'success')
  const cleared = await daggerboard('tasks', 'clear', 'two', '-r', '-y')
  assert.deepEqual([cleared.status, cleared.out], [0, 'There is nothing to clear.\n'])
})

test('jobs check takes the words of a health check that was written for Airflow', async () => {
  const words = ['jobs', 'check', '--job-type', 'SchedulerJob', '--hostname', hostname(), '--limit', '100', '--allow-multiple']
  assert.deepEqual(await daggerboard(...words), { status: 0, out: 'The scheduler is at work.\n', err: '' })
  assert.equal((await daggerboard('jobs', 'check', '--job-type', 'TriggererJob', '--local')).out, 'The triggerer is at work.\n')
  const elsewhere = await daggerboard('jobs', 'check', '--hostname', 'elsewhere.example')
  assert.equal(elsewhere.status, 1)
  assert.match(elsewhere.err, /^No scheduler runs on elsewhere\.example\./)
  assert.equal((await daggerboard('jobs', 'check', '--local', '--hostname', 'h')).status, 2)
})

test('variables are written and read as JSON with -j, and imported with -a', async () => {
  await daggerboard('variables', 'set', 'words', 'a "word"', '-j')
  assert.equal((await daggerboard('variables', 'get', 'words')).out, '"a \\"word\\""\n')
  assert.equal((await daggerboard('variables', 'get', 'words', '--json')).out, 'a "word"\n')
  await daggerboard('variables', 'set', 'plain', 'no json')
  const refused = await daggerboard('variables', 'get', 'plain', '-j')
  assert.equal(refused.status, 1)
  assert.match(refused.err, /^The value of variable "plain" is not JSON\./)
  const file = join(folder, 'variables.json')
  await writeFile(file, '{"plain": "other", "more": {"n": 1}}')
  assert.match((await daggerboard('variables', 'import', file, '-a', 'skip')).out, /^1 variables imported, 1 left as they are\./)
  assert.equal((await daggerboard('variables', 'get', 'more', '-j')).out, '{"n":1}\n')
})

test('an import leaves connections alone that are there, unless it is told to overwrite them', async () => {
  await daggerboard('connections', 'add', 'shop', '--conn-uri', 'http://before')
  const file = join(folder, 'connections.json')
  await writeFile(file, '{"shop": {"conn_type": "http", "host": "after"}, "new": {"conn_type": "http"}}')
  const host = async () => JSON.parse((await daggerboard('connections', 'get', 'shop', '-o', 'json')).out).host
  assert.match((await daggerboard('connections', 'import', file)).out, /^1 connections imported, 1 left as they are\./)
  assert.equal(await host(), 'before')
  assert.match((await daggerboard('connections', 'import', file, '--overwrite')).out, /^2 connections imported\./)
  assert.equal(await host(), 'after')
  assert.equal((await daggerboard('connections', 'create-default-connections')).status, 0)
  assert.equal((await daggerboard('connections', 'get', 'spare')).status, 0)
})

test('a file that cannot be written is named in a sentence', async () => {
  const locked = join(folder, 'nowhere', 'variables.json')
  const { status, err } = await daggerboard('variables', 'export', locked)
  assert.equal(status, 1)
  assert.match(err, /^The file .*nowhere\/variables\.json cannot be written: ENOENT[^\n]*\n$/)
})

test('a name that would make another address of it reaches no door', async () => {
  for (const words of [
    ['dags', 'details', '..'],
    ['variables', 'delete', '.'],
    ['tasks', 'list', ''],
    ['pools', 'delete', '..'],
  ]) {
    const { status, err } = await daggerboard(...words)
    assert.equal(status, 2, words.join(' '))
    assert.match(err, /^Nothing can be called "\.{0,2}"/)
  }
})

test('assets are named by flags as well, all of which they must fit', async () => {
  assert.match((await daggerboard('assets', 'details', '--name', 'rows')).out, /name +\| rows\n/)
  assert.match((await daggerboard('assets', 'materialize', '--uri', 'rows')).out, /^dag_id.*\n.*\ntwo /)
  const wrong = await daggerboard('assets', 'details', '--name', 'rows', '--uri', 'other')
  assert.deepEqual([wrong.status, wrong.err], [1, 'Asset "rows" has the URI "rows". See: daggerboard assets list\n'])
  assert.equal((await daggerboard('assets', 'details')).status, 2)
  assert.equal((await daggerboard('assets', 'details', 'rows', '--name', 'rows')).status, 2)
})

test('what a task has said of its failure stands in one line of explain, and rewrites nothing on the terminal', async () => {
  await house.call('PATCH', '/dags/odd', { is_paused: false })
  await house.call('POST', '/dags/odd/dagRuns', { dag_run_id: 'r' })
  await house.reach('/dags/odd/dagRuns/r/taskInstances/cries', 'up_for_retry')
  const { out } = await daggerboard('explain', 'odd/r', 'cries')
  assert.match(out, /^- Try 1 has failed \(one ⏎ \[2Jtwo\); 1 more may follow\. \[retry\]$/m)
  assert.match((await daggerboard('dags', 'details', 'a\u001b[2Jb')).err, /^There is no DAG "a\[2Jb"/)
})

test('many that set the same variable or pool at once all set it', async () => {
  const each = (words: (i: number) => string[]) => Promise.all(Array.from({ length: 8 }, (_, i) => daggerboard(...words(i))))
  const answers = [
    ...(await each((i) => ['variables', 'set', 'shared', `${i}`])),
    ...(await each((i) => ['pools', 'set', 'shared', `${i}`])),
  ]
  assert.deepEqual([...new Set(answers.map(({ status, err }) => `${status}${err}`))], ['0'])
})

test('a command goes on when nobody reads its asides any more', async () => {
  const broken = new Writable({
    autoDestroy: false,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  })
  await house.call('PATCH', '/dags/two', { is_paused: true })
  const { status, out } = await daggerboardTo(broken, ['dags', 'trigger', 'two', '-r', 'unread'])
  assert.equal(status, 0)
  assert.match(out, /two +\| unread +\| queued/)
})

test('tasks that are cleared with --no-reset-dag-runs wait in a run that stays as it is', async () => {
  await house.call('PATCH', '/dags/two', { is_paused: false })
  await house.call('POST', '/dags/two/dagRuns', { dag_run_id: 'kept' })
  await house.reach('/dags/two/dagRuns/kept', 'success')
  assert.match(
    (await daggerboard('tasks', 'clear', 'two', '--run-id', 'kept', '--no-reset-dag-runs', '-y')).out,
    /^1 task instance is cleared/,
  )
  await house.settle()
  assert.equal((await daggerboard('dags', 'state', 'two', 'kept')).out, 'success\n')
  assert.equal((await daggerboard('tasks', 'state', 'two', 'one', 'kept')).out, 'none\n')
})

test('runs are listed without those of backfills', async () => {
  await house.call('PATCH', '/dags/two', { is_paused: false })
  assert.equal((await house.call('POST', '/backfills', { dag_id: 'two', from_date: '2019-10-02', to_date: '2019-10-02' })).status, 200)
  await house.settle()
  const types = async (...more: string[]) => {
    const { out } = await daggerboard('dags', 'list-runs', 'two', ...more, '-o', 'json')
    return new Set((JSON.parse(out) as { run_type: string }[]).map(({ run_type }) => run_type))
  }
  const all = await types()
  assert.ok(all.delete('backfill') && all.size > 0)
  assert.deepEqual(await types('--no-backfill'), all)
  assert.deepEqual(await types('--no-backfill', '--run-type', 'backfill'), new Set())
})
