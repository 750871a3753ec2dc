import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Answer, CommandShell, type Given, root } from './command-shell.ts'
import type { RunningPlatform } from './running-platform.ts'

const DAGS = `
import { asset, dag } from '@daggerboard/dag'

export const grows = dag('grows', {}, ({ task }) => { task('grow', () => null, { outlets: [asset('leaves')] }) })
export const works = dag('works', { schedule: '@daily', startDate: '2026-11-01', tags: ['good'], params: { n: 1 } }, ({ task }) => {
  const first = task('first', ({ params, log }) => { log('n is ' + params.n); return params.n })
  const second = task('second', ({ input }) => input.first + 1, { input: { first } })
  task('third', () => null).after(second)
})
export const fails = dag('fails', {}, ({ task }) => {
  const broken = task('broken', () => { throw new Error('it is broken') })
  task('behind', () => null).after(broken)
})
`

let shell: CommandShell
let files: string
let platform: RunningPlatform
let endpoint: string

before(async () => {
  shell = await CommandShell.start(DAGS)
  ;({ files, platform, endpoint } = shell)
})
after(() => shell?.remove())

const daggerboard = (words: string | readonly string[], given?: Given): Promise<Answer> => shell.run(words, given)
const data = <T>(words: string, given?: Given): Promise<T> => shell.data<T>(words, given)

test('the owner of the home asks without a password, as a real command in a shell', () => {
  const main = join(root, 'packages/platform/bin/daggerboard.mjs')
  const env = { PATH: process.env.PATH, HOME: files, DAGGERBOARD_HOME: platform.home }
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'dags', 'list'], { env, encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  assert.match(stdout, /^dag_id +\| relative_fileloc .*\n=+\+=.*\nfails +\| examples\.ts/)
})

test('a run is triggered, followed to its end and looked at', async () => {
  const [run] = await data<{ state: string; dag_run_id: string; triggered_by: string }[]>(
    'dags trigger works --run-id one --conf {"n":5} --wait',
  )
  assert.deepEqual([run?.state, run?.dag_run_id, run?.triggered_by], ['success', 'one', 'cli'])
  assert.equal((await daggerboard('dags state works one')).out, 'success\n')
  assert.equal((await daggerboard('tasks state works second one')).out, 'success\n')
  const states = await data<{ task_id: string; state: string }[]>('tasks states-for-dag-run works one')
  assert.deepEqual(states.map(({ task_id, state }) => `${task_id} ${state}`).sort(), ['first success', 'second success', 'third success'])
  assert.match((await daggerboard('tasks logs works first one')).out, /n is 5/)
  const runs = await data<{ dag_run_id: string }[]>('dags list-runs works --run-type manual')
  assert.deepEqual(
    runs.map(({ dag_run_id }) => dag_run_id),
    ['one'],
  )
})

test('a run that fails makes the command fail, and explain says why what is behind it does not run', async () => {
  const { status, out } = await daggerboard('dags trigger fails --run-id bad --wait')
  assert.equal(status, 1)
  assert.match(out, /fails +\| bad +\| failed/)
  const { out: reasons } = await daggerboard('explain bad behind')
  assert.match(reasons, /^Task "behind" in run "bad" of DAG "fails" is upstream_failed\./)
  assert.equal((await daggerboard('explain fails/bad behind')).out, reasons)
  assert.equal((await daggerboard('tasks failed-deps fails behind bad')).out, reasons)
})

test('DAGs are shown, paused and asked when they run next', async () => {
  assert.equal((await daggerboard('dags show works')).out, 'first  <function>\n    second  <function>\n        third  <function>\n')
  assert.match((await daggerboard('dags show works --dot')).out, /^digraph "works" \{[\s\S]* "first" -> "second"/)
  const [next] = await data<{ logical_date: string; run_after: string }[]>('dags next-execution works')
  assert.ok(next && Date.parse(next.run_after) - Date.parse(next.logical_date) === 86_400_000)
  const three = await data<{ logical_date: string }[]>('dags next-execution works -n 3')
  assert.deepEqual(
    three.map(({ logical_date }) => Date.parse(logical_date) - Date.parse(next.logical_date)),
    [0, 86_400_000, 172_800_000],
  )
  assert.match((await daggerboard('dags pause works fails')).out, /works +\| true/)
  assert.match((await daggerboard('dags next-execution works')).err, /is paused/)
  await daggerboard('dags unpause works fails')
  assert.match((await daggerboard('dags source works')).out, /dag\('works'/)
})

test('everything that is wrong with a command is said at once, with status 2', async () => {
  const { status, err } = await daggerboard('dags list-runs works --state gone --limit 0 --start-date soon')
  assert.equal(status, 2)
  for (const option of ['--state "gone"', '--limit "0"', '--start-date "soon"']) assert.ok(err.includes(option), err)
  assert.match((await daggerboard('dags lst')).err, /Did you mean list\?/)
  assert.match((await daggerboard('dags trigger works --config-run')).err, /unknown option/)
  assert.match((await daggerboard('dags trigger')).err, /missing required argument 'dag-id'/)
  const unknown = await daggerboard('dags trigger work')
  assert.equal(unknown.status, 1)
  assert.match(unknown.err, /Did you mean "works"\?/)
})

test('variables are set, read, exported and imported; secrets leave in the clear only for the owner of the home', async () => {
  assert.match((await daggerboard('variables set COLOR green --description leaves')).out, /is made/)
  assert.match((await daggerboard('variables set COLOR red')).out, /is changed/)
  assert.equal((await daggerboard('variables get COLOR')).out, 'red\n')
  await daggerboard('variables set API_TOKEN', { input: 'hunter22\n' })
  assert.equal((await daggerboard('variables get API_TOKEN')).out, '***\n')
  assert.equal((await daggerboard('variables get API_TOKEN --show-values')).out, 'hunter22\n')
  assert.equal((await daggerboard('variables get NONE --default 7')).out, '7\n')
  assert.equal((await daggerboard('variables get NONE')).status, 1)

  const file = join(files, 'variables.json')
  assert.match((await daggerboard(`variables export ${file}`)).err, /1 values are masked/)
  assert.match((await daggerboard(`variables import ${file}`)).err, /1 are masked in the file and left out/)
  assert.equal((await daggerboard('variables get API_TOKEN --show-values')).out, 'hunter22\n')
  await daggerboard(`variables export ${file} --show-values`)
  assert.equal((await stat(file)).mode & 0o077, 0)
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')).COLOR, { value: 'red', description: 'leaves' })
  await daggerboard('variables delete API_TOKEN')
  assert.match((await daggerboard(`variables import ${file}`)).out, /variables imported/)
  assert.equal((await daggerboard('variables get API_TOKEN --show-values')).out, 'hunter22\n')

  const lines = await daggerboard('variables import - --file-format env --action-on-existing-key skip', {
    input: '# mine\nCOLOR=blue\nSHAPE={"corners": 3}\n',
  })
  assert.match(lines.out, /^1 variables imported, 1 left as they are\.\n/)
  assert.equal((await daggerboard('variables get SHAPE')).out, '{"corners": 3}\n')
})

test('connections are added in one of four ways and exported as Airflow imports them', async () => {
  assert.equal((await daggerboard('connections add one --conn-uri postgres://me:s3cret@db:5432/shop?sslmode=require')).status, 0)
  assert.equal((await daggerboard(['connections', 'add', 'two', '--conn-json', '{"conn_type": "http", "host": "example.org"}'])).status, 0)
  assert.equal((await daggerboard('connections add three --conn-type ssh --conn-host h --conn-port 22')).status, 0)
  assert.equal((await daggerboard('connections add four --conn-stdin', { input: 'mysql://u:hidden99@h/x\n' })).status, 0)
  assert.equal((await daggerboard('connections add five --conn-type ssh --conn-uri ssh://h')).status, 2)
  assert.equal((await daggerboard('connections add five --conn-host h')).status, 2)
  const one = await data<Record<string, unknown>>('connections get one')
  assert.deepEqual([one.conn_type, one.host, one.port, one.login, one.password, one.schema], ['postgres', 'db', 5432, 'me', '***', 'shop'])
  const exported = JSON.parse((await daggerboard('connections export - --show-values')).out)
  assert.deepEqual([exported.one.password, exported.four.password, exported.three.port], ['s3cret', 'hidden99', 22])
  await daggerboard('connections delete one')
  const file = join(files, 'connections.json')
  await writeFile(file, JSON.stringify(exported))
  assert.match((await daggerboard(`connections import ${file}`)).out, /connections imported/)
  assert.equal((await data<Record<string, unknown>>('connections get one --show-values')).password, 's3cret')
})

test('what deletes asks first, and without anybody to ask changes nothing', async () => {
  const made = await data<{ password: string }>('users create eve --role user')
  assert.ok(made.password.length >= 20)
  const { status, err } = await daggerboard('users delete eve')
  assert.equal(status, 2)
  assert.match(err, /add -y to agree/)
  assert.equal((await daggerboard('users set-role eve viewer')).status, 0)
  assert.deepEqual(
    (await data<{ name: string }[]>('users list')).map(({ name }) => name),
    ['admin', 'eve'],
  )

  // Eve has a home of her own: she names the platform, and logs in.
  const env = { DAGGERBOARD_HOME: join(files, 'eve'), DAGGERBOARD_ENDPOINT: endpoint }
  assert.match((await daggerboard('dags list', { env })).err, /does not know who you are\. Log in with "daggerboard login/)
  assert.match((await daggerboard('login --username eve --password-stdin', { env, input: 'wrong' })).err, /Name or password is wrong/)
  assert.equal((await daggerboard('login --username eve --password-stdin', { env, input: `${made.password}\n` })).status, 0)
  assert.equal((await stat(join(files, '.config/daggerboard/logins.json'))).mode & 0o077, 0)
  assert.equal((await daggerboard('dags list', { env })).status, 0)
  assert.match((await daggerboard('dags trigger works', { env })).err, /dags\.run/)
  assert.match((await daggerboard('variables export - --show-values', { env })).err, /No platform has ever run in/)
  assert.equal((await daggerboard('logout', { env })).status, 0)
  assert.equal((await daggerboard('dags list', { env })).status, 1)
  assert.equal((await daggerboard('users delete eve -y')).status, 0)
})

test('without a platform a command says how to start one, and settings can be read all the same', async () => {
  const env = { DAGGERBOARD_HOME: join(files, 'nothing') }
  const { status, err } = await daggerboard('dags list', { env })
  assert.equal(status, 1)
  assert.match(err, /No platform runs in .*nothing\. Start one with "daggerboard start"/)
  assert.equal((await daggerboard('config get-value core parallelism', { env: { ...env, DAGGERBOARD_PARALLELISM: '7' } })).out, '7\n')
  assert.equal((await daggerboard('config lint', { env })).status, 0)
  const wrong = await daggerboard('config lint', { env: { ...env, DAGGERBOARD_PARALELISM: '7', DAGGERBOARD_PORT: 'x' } })
  assert.equal(wrong.status, 1)
  assert.match(wrong.out, /DAGGERBOARD_PORT=x: must be/)
  assert.match(wrong.out, /DAGGERBOARD_PARALELISM is not a setting\. Did you mean/)
})

test('an address where another program has taken the port of a killed platform gets no token', async () => {
  const home = join(files, 'killed')
  await mkdir(home, { recursive: true })
  await writeFile(join(home, 'platform.endpoint'), endpoint)
  const { status, err } = await daggerboard('dags list', { env: { DAGGERBOARD_HOME: home } })
  assert.equal(status, 1)
  assert.match(err, /No platform runs in/)
})

test('a backfill is planned, ordered and followed, in the words of Airflow 3 and of Airflow 2', async () => {
  const range = '--dag-id works --from-date 2026-11-03 --to-date 2026-11-05'
  const plan = await data<{ logical_date: string }[]>(`backfill create ${range} --dry-run`)
  assert.deepEqual(
    plan.map(({ logical_date }) => logical_date.slice(0, 10)),
    ['2026-11-03', '2026-11-04', '2026-11-05'],
  )
  const [made] = await data<{ id: number; completed_at: string | null }[]>(`backfill create ${range} --max-active-runs 2 --wait`)
  assert.ok(made?.completed_at)
  const runs = await data<{ state: string }[]>('dags list-runs works --run-type backfill')
  assert.deepEqual(
    runs.map(({ state }) => state),
    ['success', 'success', 'success'],
  )
  assert.match((await daggerboard(`backfill create ${range} --dry-run`)).out, /nothing to run/)
  assert.deepEqual(
    (await data<{ id: number }[]>('backfill list works')).map(({ id }) => id),
    [made.id],
  )
  assert.match((await daggerboard(`backfill show ${made.id}`)).out, /dag_id +\| works/)
  assert.match((await daggerboard(`backfill pause ${made.id}`)).err, /completed/)

  const old = await daggerboard('dags backfill works -s 2026-11-03 -e 2026-11-05 --reset-dagruns -t ^first$ -n')
  assert.match(old.err, /daggerboard backfill create --dag-id works .* --reprocess-behavior completed --task first --dry-run/)
  assert.equal(old.status, 0)
})

test('tasks are cleared after they were shown, and run again', async () => {
  await data('dags trigger works --run-id again --wait')
  const planned = await data<{ task_id: string }[]>('tasks clear works --run-id again -t second --downstream --dry-run')
  assert.deepEqual(planned.map(({ task_id }) => task_id).sort(), ['second', 'third'])
  const refused = await daggerboard('tasks clear works --run-id again -t second')
  assert.equal(refused.status, 2)
  assert.match(refused.err, /again {2}second {2}success/)
  assert.match((await daggerboard('tasks clear works --run-id again -t second --downstream -y')).out, /^2 task instances are cleared/)
  assert.match((await daggerboard('tasks logs works second again --follow')).out, /ended as success/)
  assert.match((await daggerboard('tasks clear works -t nothing -y')).err, /no task like "nothing"/)
  assert.equal((await daggerboard('tasks clear works -t ( -y')).status, 2)
})

test('pools are made, changed, exported and imported', async () => {
  assert.match((await daggerboard('pools set narrow 2 few --include-deferred')).out, /narrow +\| 2 .*\| true +\| few/)
  assert.match((await daggerboard('pools set narrow 3')).out, /narrow +\| 3 .*\| few/)
  assert.equal((await daggerboard('pools set narrow many')).status, 2)
  const file = join(files, 'pools.json')
  await daggerboard(`pools export ${file}`)
  await daggerboard('pools delete narrow')
  assert.equal((await daggerboard('pools get narrow')).status, 1)
  assert.match((await daggerboard(`pools import ${file}`)).out, /pools imported/)
  assert.equal((await data<{ slots: number }>('pools get narrow')).slots, 3)
})

test('a whole DAG and a single task are tried without a platform, and nothing is kept', async () => {
  const env = { DAGGERBOARD_HOME: join(files, 'nowhere'), DAGGERBOARD_DAGS_FOLDER: shell.dagsFolder }
  const run = await daggerboard('dags test works 2026-11-10 --conf {"n":40}', { env })
  assert.equal(run.status, 0, run.err)
  assert.match(run.err, /\[first\] n is 40/)
  assert.match(run.out, /third +\| -1 +\| success/)
  assert.equal((await daggerboard('dags test fails', { env })).status, 1)
  const task = await daggerboard('tasks test works first --task-params {"n":7} -o json', { env })
  assert.equal(JSON.parse(task.out).output, 7)
  assert.match((await daggerboard('dags test work', { env })).err, /Did you mean "works"\?/)

  // With a platform the task gets what the others have answered in a run.
  const with5 = await data<{ output: number }>('tasks test works second one', { env: { DAGGERBOARD_DAGS_FOLDER: shell.dagsFolder } })
  assert.equal(with5.output, 6)
  assert.equal((await daggerboard('dags state works one')).out, 'success\n')
})

test('an asset is listed, updated from outside, and made by its DAG', async () => {
  const assets = await data<{ name: string; uri: string }[]>('assets list')
  assert.deepEqual(
    assets.map(({ name }) => name),
    ['leaves'],
  )
  const [run] = await data<{ dag_id: string; state: string }[]>('assets materialize leaves --wait')
  assert.deepEqual([run?.dag_id, run?.state], ['grows', 'success'])
  assert.match((await daggerboard('assets create-event leaves --extra {"from":"outside"}')).out, /"leaves" is updated/)
  const events = await data<{ source_task_id: string | null }[]>('assets events leaves')
  assert.deepEqual(events.map(({ source_task_id }) => source_task_id).sort(), ['grow', null].sort())
  assert.match((await daggerboard('assets details leafs')).err, /Did you mean "leaves"\?/)
})
