import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Database } from '../adapters/sqlite/database.ts'
import { SqlitePoolStore } from '../adapters/sqlite/pool.ts'
import type { HumanAnswers, HumanQuestion } from '../cli/host.ts'
import { readSettings } from '../settings.ts'
import { testDag } from './test-dag.ts'

async function workshop(t: TestContext, text: string) {
  const home = await mkdtemp(join(tmpdir(), 'workshop-'))
  const dagsFolder = join(home, 'dags')
  await mkdir(join(home, 'keys'), { recursive: true })
  await mkdir(dagsFolder)
  await writeFile(join(home, 'keys', 'fernet.key'), Buffer.alloc(32, 7).toString('base64url').padEnd(44, '='))
  await writeFile(join(dagsFolder, 'd.ts'), `import { dag } from '@daggerboard/dag'\n${text}`)
  t.after(() => rm(home, { recursive: true, force: true }))
  const db = new Database(join(home, 'platform.sqlite'))
  await new SqlitePoolStore(db).save({ name: 'one', slots: 1, description: null, includeDeferred: false })
  db.close()
  const lines: string[] = []
  const settings = { ...readSettings({ DAGGERBOARD_HOME: home }), home, dagsFolder }
  const nobody: HumanAnswers = { given: new Map(), ask: null }
  const run = (answers: HumanAnswers = nobody) =>
    testDag(settings, {
      ...{ dagId: 'd', logicalDate: null, conf: {}, skips: () => false, signal: new AbortController().signal, answers },
      onLine: (line: string) => lines.push(line),
    })
  const told = () => readFile(join(dagsFolder, 'told'), 'utf8')
  return { run, lines, told }
}

test('a test keeps to the pools of its home, asks about its own run, and triggers none', async (t) => {
  const { run, lines } = await workshop(
    t,
    `let running = 0
    const rest = (ms) => new Promise((done) => setTimeout(done, ms))
    export default dag('d', { schedule: null, tasksPerWorker: 4 }, ({ task }) => {
      const alone = async () => { running += 1; const seen = running; await rest(30); running -= 1; return seen }
      const a = task('a', alone, { pool: 'one' })
      const b = task('b', alone, { pool: 'one' })
      task('strange', async () => 1, { pool: 'nowhere' })
      task('asks', async ({ dagRuns, dagId, runId, log, input }) => {
        const states = await dagRuns.taskStates({ dagId, runId, taskIds: ['a'] })
        log('a is ' + states[0].state + ', together ' + Math.max(input.a, input.b))
        log('elsewhere ' + (await dagRuns.find({ dagId: 'other', runId: 'x' })))
        log(await dagRuns.trigger({ dagId: 'other' }).catch((error) => error.message))
      }, { input: { a, b } })
    })`,
  )
  const { state, tasks } = await run()
  assert.equal(state, 'success', JSON.stringify(tasks) + lines.join('\n'))
  const said = lines.join('\n')
  assert.match(said, /There is no pool "nowhere" here/)
  assert.match(said, /a is success, together 1/)
  assert.match(said, /elsewhere null/)
  assert.match(said, /A test triggers no runs/)
})

const ASKING = `import { approval, humanInput, param } from '@daggerboard/dag'
  export default dag('d', { schedule: null }, ({ task }) => {
    const go = task('go', approval({ subject: 'Publish {{ ds_nodash | length }}?', assignees: 'bob', params: { rows: param({ type: 'integer' }) } }))
    task('publish', ({ input, log }) => log('rows ' + input.go.paramsInput.rows + ' by ' + input.go.respondedBy), { input: { go } })
    task('region', humanInput({ subject: 'Where?', options: ['eu', 'us'], defaults: 'eu', timeout: '1d' }))
  })`

test('who tests a DAG answers what its tasks ask humans, and is asked again until the answer fits', async (t) => {
  const { run, lines } = await workshop(t, ASKING)
  const asked: [HumanQuestion, readonly string[]][] = []
  const { state, tasks } = await run({
    given: new Map([['region', { chosen: ['us'], paramsInput: {} }]]),
    ask: async (question, problems) => {
      asked.push([question, problems])
      return { chosen: ['Approve'], paramsInput: problems.length === 0 ? {} : { rows: 7 } }
    },
  })
  assert.equal(state, 'success', JSON.stringify(tasks) + lines.join('\n'))
  assert.deepEqual(
    asked.map(([{ taskId, subject, options }]) => [taskId, subject, options]),
    [1, 2].map(() => ['go', 'Publish 8?', ['Approve', 'Reject']]),
  )
  assert.match(asked[1]?.[1].join() ?? '', /Param "rows" does not fit/)
  assert.match(lines.join('\n'), /rows 7 by user:bob/)
})

test('a question that nobody can answer in a test ends as when its time is over, and it is said how to answer', async (t) => {
  const { run, lines } = await workshop(t, ASKING)
  const { state, tasks } = await run()
  assert.equal(state, 'failed')
  const states = Object.fromEntries(tasks.map((task) => [task.task_id, task.state]))
  assert.deepEqual(states, { go: 'failed', publish: 'upstream_failed', region: 'success' })
  const said = lines.join('\n')
  assert.match(said, /Task "go" asks "Publish 8\?", and nobody is there to answer\. It fails\. --answer go=OPTION \(Approve, Reject\)/)
  assert.match(said, /Task "region" asks "Where\?", .* It goes on with its default, eu\./)
  assert.match(said, /go is failed: Nobody has answered in time\./)
})

test('an answer in advance that does not fit ends the test with what is wrong, and so does one to no task', async (t) => {
  const { run } = await workshop(t, ASKING)
  const given = (taskId: string, ...chosen: string[]) => ({ given: new Map([[taskId, { chosen, paramsInput: {} }]]), ask: null })
  await assert.rejects(run(given('region', 'asia')), ({ problems }: { problems: string[] }) => {
    assert.deepEqual(problems, ['"asia" is not an option: choose of eu, us.'])
    return true
  })
  await assert.rejects(run(given('regio', 'eu')), ({ problems }: { problems: string[] }) => {
    assert.match(problems.join(), /no task "regio" that could be answered\. Did you mean "region"\?/)
    return true
  })
})

test('a test calls the callbacks of its tasks and of its run, and does not end before they have', async (t) => {
  const { run, told } = await workshop(
    t,
    `import { appendFileSync } from 'node:fs'
    const tell = async ({ which }) => { await new Promise((done) => setTimeout(done, 50)); appendFileSync(new URL('./told', import.meta.url), which + ' ') }
    export default dag('d', { schedule: null, onSuccess: tell }, ({ task }) => { task('a', () => 1, { onSuccess: tell }) })`,
  )
  await run()
  assert.equal(await told(), 'onSuccess onSuccess ')
})
