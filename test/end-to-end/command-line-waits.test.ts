import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Answer, CommandShell, type Given } from './command-shell.ts'

const DAGS = `
import { asset, dag, Defer } from '@daggerboard/dag'

const forGood = ({ signal }) => new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)))
const greet = { name: 'Greet', args: { text: 'Hello {{ ds }} {{ params.whom }}' }, run: async ({ text }) => text }
const remote = (trigger) => ({
  name: 'Remote', args: { job: 'job-{{ ds_nodash }}' },
  run: async ({ job }) => { throw new Defer({ trigger, args: { job } }) },
  triggers: { soon: async ({ job }) => job + ' is done', never: (_, context) => forGood(context) },
})

export const capped = dag('capped', {}, ({ task }) => {
  task('holds', forGood, { pool: 'narrow', priorityWeight: 9 })
  task('waits', () => null, { pool: 'narrow' })
  task('lost', () => null, { pool: 'nowhere' })
})
export const crowded = dag('crowded', { maxActiveTasks: 1 }, ({ task }) => {
  task('holds', forGood, { priorityWeight: 9 })
  task('waits', () => null)
})
export const resting = dag('resting', { isPausedUponCreation: true }, ({ task }) => { task('a', () => null) })
export const again = dag('again', {}, ({ task }) => {
  const a = task('a', () => { throw new Error('it is broken') }, { retries: 3, retryDelay: '10m' })
  task('b', () => null).after(a)
})
export const past = dag('past', { schedule: '@daily', startDate: '2026-11-01', endDate: '2026-11-06' }, ({ task }) => {
  task('a', forGood, { dependsOnPast: true })
})
export const remotes = dag('remotes', { params: { whom: 'you' } }, ({ task }) => {
  task('greet', greet)
  task('soon', remote('soon'))
  task('never', remote('never'))
  const good = task('good', () => null)
  task('rule', () => null, { triggerRule: 'all_failed' }).after(good)
})
export const talks = dag('talks', { schedule: '@daily', startDate: '2026-11-01' }, ({ task }) => {
  task('says', async ({ log, tryNumber }) => {
    log('begins as try ' + tryNumber)
    await new Promise((done) => setTimeout(done, 300))
    log('has said it')
    if (tryNumber === 1) throw new Error('once more')
  }, { retries: 1, retryDelay: '0s' })
})
`

let shell: CommandShell
before(async () => {
  shell = await CommandShell.start(DAGS)
})
after(() => shell?.remove())

const daggerboard = (words: string | readonly string[], given?: Given): Promise<Answer> => shell.run(words, given)

/** What explain says, once the task has got to where it says `words`. */
const explained = (run: string, task: string, words: RegExp): Promise<string> =>
  shell.until(async () => {
    const { out } = await daggerboard(`explain ${run} ${task}`)
    return words.test(out) ? out : null
  })

// Before the others: while a task of somebody else waits for its place, a backfill has one run at a time.
test('explain says that a task waits for the run before', { timeout: 60_000 }, async () => {
  const range = '--dag-id past --from-date 2026-11-01 --to-date 2026-11-02 --reprocess-behavior failed'
  await shell.data(`backfill create ${range}`)
  assert.match(await explained('past/backfill__2026-11-02T00:00:00+00:00', 'a', /- /), /past|before/)
  assert.equal((await daggerboard(`backfill create ${range}`)).status, 1)
})

test('explain says what holds a task back, what would free it, and when', { timeout: 60_000 }, async () => {
  await daggerboard('pools set narrow 1')
  for (const dag of ['capped', 'crowded', 'resting', 'again', 'remotes'])
    assert.equal((await daggerboard(`dags trigger ${dag} --run-id r`)).status, 0)
  await explained('capped/r', 'holds', /It runs since/)
  await explained('crowded/r', 'holds', /It runs since/)
  assert.match(
    await explained('capped/r', 'waits', /\[pool\]/),
    /Pool "narrow" has 0 of its 1 slots left.*\n {4}freed by: The end of tasks in pool "narrow"/,
  )
  assert.match(await explained('capped/r', 'lost', /\[pool\]/), /no pool "nowhere".*\n {4}freed by: Create pool/)
  assert.match(await explained('crowded/r', 'waits', /\[limit\]/), /maxActiveTasks allows 1/)
  assert.match(await explained('resting/r', 'a', /\[dag\]/), /DAG "resting" is paused.*\n {4}freed by: Unpause/)
  assert.match(
    await explained('again/r', 'a', /\[retry\]/),
    /Try 1 has failed \(it is broken\); 3 more may follow.*\n.*\n {4}at: \S+ \(in \d+ min\)/,
  )
  assert.match(await explained('again/r', 'b', /\[upstream\]/), /all_success/)
  await explained('remotes/r', 'never', /It waits without a worker for its trigger "never"/)
  await explained('remotes/r', 'rule', /skipped.*\n.*trigger rule all_failed can no longer be met/)
  assert.match((await daggerboard('explain remotes/r nothing')).err, /Run "r" of DAG "remotes" has no task "nothing"/)
})

test('templates are filled in without running the task, and a deferred task is run to its end', { timeout: 60_000 }, async () => {
  const env = { DAGGERBOARD_HOME: `${shell.files}/nowhere`, DAGGERBOARD_DAGS_FOLDER: shell.dagsFolder }
  const filled = await daggerboard(['tasks', 'test', 'remotes', 'greet', '2026-01-02', '-n', '-t', '{"whom":"Ada"}'], { env })
  assert.match(filled.out, /text +\| Hello 2026-01-02 Ada/)
  assert.equal(filled.err, '')
  const ran = await daggerboard('tasks test remotes soon 2026-01-02 -o json', { env })
  assert.equal(JSON.parse(ran.out).output, 'job-20260102 is done')
  assert.match((await daggerboard('tasks test remotes nothing', { env })).err, /no task "nothing"/)
  assert.match((await daggerboard('tasks render remotes greet r')).out, /text +\| Hello \d{4}-\d\d-\d\d you/)
  assert.match((await daggerboard('tasks render capped waits r')).err, /has not run yet.*tasks test -n capped waits/)
})

test('a log is followed live through all tries of its task, without a line twice', { timeout: 60_000 }, async () => {
  await daggerboard('dags trigger talks --run-id live')
  const { out, status } = await daggerboard('tasks logs talks says live --follow')
  assert.equal(status, 0)
  const said = out.match(/begins as try \d|has said it|ended as \w+/g)
  assert.deepEqual(said, ['begins as try 1', 'has said it', 'ended as failed', 'begins as try 2', 'has said it', 'ended as success'])
  const first = await daggerboard('tasks logs talks says live 1')
  assert.match(first.out, /begins as try 1/)
  assert.ok(JSON.parse((await daggerboard('tasks logs talks says live -f -o json')).out).length >= 3)
})

test('a backfill tells of its own dates only', { timeout: 120_000 }, async () => {
  const [one] = await shell.data<{ id: number; counts: object }[]>(
    'backfill create --dag-id talks --from-date 2026-11-03 --to-date 2026-11-04 --wait',
  )
  const counts = { total: 2, left_out: 0, not_started: 0, queued: 0, running: 0, success: 2, failed: 0 }
  assert.deepEqual(one?.counts, counts)
  const [two] = await shell.data<{ id: number; counts: object }[]>(
    'backfill create --dag-id talks --from-date 2026-11-03 --to-date 2026-11-05 --wait',
  )
  assert.deepEqual(two?.counts, { ...counts, total: 1, left_out: 2, success: 1 })
  assert.match((await daggerboard('backfill show 99')).err, /There is no backfill 99\. See: daggerboard backfill list/)
})

test('what the platform refuses is said in the words of commands', async () => {
  assert.match((await daggerboard('pools get nothing')).err, /There is no pool "nothing"\. See: daggerboard pools list/)
  assert.match((await daggerboard('users set-role nobody user')).err, /See: daggerboard users list/)
  assert.match(
    (await daggerboard('users create eve --password-stdin', { input: 'short' })).err,
    /password: must have at least 8 characters/,
  )
  assert.equal((await daggerboard('connections add one --conn-type http --conn-host h')).status, 0)
  const tried = await daggerboard('connections test one')
  assert.deepEqual([tried.status, /switched off/.test(tried.out)], [1, true])
  assert.match(
    (await daggerboard('backfill create --dag-id talks --from-date 2026-11-09 --to-date 2026-11-08')).err,
    /from_date: is after to_date\./,
  )
  assert.match((await daggerboard('jobs check')).out, /at work/)
  assert.match((await daggerboard('dags reserialize')).out, /1 file is read anew/)
  assert.match((await daggerboard('dags delete resting -y')).out, /DAG "resting" is deleted/)
})
