import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Database } from '../adapters/sqlite/database.ts'
import { SqlitePoolStore } from '../adapters/sqlite/pool.ts'
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
  const run = () =>
    testDag(settings, {
      ...{ dagId: 'd', logicalDate: null, conf: {}, skips: () => false, signal: new AbortController().signal },
      onLine: (line: string) => lines.push(line),
    })
  return { run, lines }
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
