/** The folder, the scheduler and the workers together, as the platform runs them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../core/clock.ts'
import { type EventFacts, Events } from '../../core/events.ts'
import { Scheduler } from '../../scheduling/scheduler.ts'
import { SqliteDagStore } from '../sqlite/dag.ts'
import { SqliteDagRunStore } from '../sqlite/dag-run.ts'
import { Database } from '../sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../sqlite/task-instance.ts'
import { SqliteTaskLogs } from '../sqlite/task-log.ts'
import { SqliteXComStore } from '../sqlite/xcom.ts'
import { DagFolder } from './dag-folder.ts'
import { WorkerPool } from './worker-pool.ts'

async function platform(t: TestContext, files: Record<string, string>) {
  const home = await mkdtemp(join(tmpdir(), 'platform-'))
  const db = new Database(join(home, 'state.db'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text)
  const clock = systemClock
  const events = new Events(clock)
  const dags = new SqliteDagStore(db)
  const runs = new SqliteDagRunStore(db)
  const instances = new SqliteTaskInstanceStore(db)
  const xcoms = new SqliteXComStore(db)
  const mask = (text: string) => text
  const secrets = { mask, variable: async () => 'daggerboard', connection: () => Promise.reject(new Error('none')) }
  const logs = new SqliteTaskLogs({ db: new Database(join(home, 'logs.db')), clock, mask })
  const runner = new WorkerPool({ folder: home, secrets, xcoms, logs, clock })
  const scheduler = new Scheduler({ dags, runs, instances, runner, clock, events })
  const folder = new DagFolder({
    folder: home,
    dags,
    clock,
    events,
    onChange: () => {
      runner.filesChanged()
      scheduler.dagsChanged()
    },
    dagsArePausedAtCreation: false,
  })
  t.after(async () => {
    await folder.stop()
    await scheduler.stop()
    db.close()
    await rm(home, { recursive: true, force: true })
  })
  await folder.start()
  await scheduler.start()
  const run = (dagId: string) =>
    new Promise<EventFacts['dag_run.changed']>((resolve, reject) => {
      let runId = ''
      const ended = new Map<string, EventFacts['dag_run.changed']>()
      events.subscribe(({ type, facts }) => {
        if (type !== 'dag_run.changed' || facts.endedAt === null) return
        ended.set(facts.runId, facts)
        if (facts.runId === runId) resolve(facts)
      })
      scheduler.trigger(dagId, {}, 'user:ann').then((created) => {
        runId = created.runId
        const already = ended.get(runId)
        if (already) resolve(already)
      }, reject)
    })
  return { home, run, runs, instances, xcoms, logs, dags }
}

const CHAIN = (length: number) => `
import { dag, type Task } from '@daggerboard/dag'
export default dag('chain', {}, ({ task }) => {
  let last: Task<number> | null = null
  for (let i = 1; i <= ${length}; i++) {
    last = task('t' + i, async ({ input }) => (input.before ?? 0) + 1, { input: { before: last as Task<number> | null } })
  }
})
`

test('outputs go along a chain of tasks in warm workers, a few milliseconds from each to the next', async (t) => {
  const { run, xcoms } = await platform(t, { 'chain.ts': CHAIN(40) })
  assert.equal((await run('chain')).state, 'success')
  const before = performance.now()
  const { runId, state } = await run('chain')
  const milliseconds = performance.now() - before
  assert.equal(state, 'success')
  assert.equal((await xcoms.find('chain', runId, 't40', 'return_value'))?.value, 40)
  t.diagnostic(`a chain of 40 tasks took ${milliseconds.toFixed(0)} ms in warm workers`)
})

test('a DAG file that breaks leaves the others running, and the mended one runs as it is written now', async (t) => {
  const { run, home, dags, xcoms } = await platform(t, {
    'chain.ts': CHAIN(2),
    'other.ts': "import { dag } from '@daggerboard/dag'\nexport default dag('other', {}, ({ task }) => void task('a', async () => 1))\n",
  })
  await run('other')
  await writeFile(join(home, 'other.ts'), 'export default dag(((')
  while ((await dags.importErrors()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal((await run('chain')).state, 'success')
  await assert.rejects(run('other'), /has an import error\. Mend it first/)
  await writeFile(
    join(home, 'other.ts'),
    "import { dag } from '@daggerboard/dag'\nexport default dag('other', {}, ({ task }) => void task('a', async () => 2))\n",
  )
  while ((await dags.importErrors()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const { runId } = await run('other')
  assert.equal((await xcoms.find('other', runId, 'a', 'return_value'))?.value, 2)
})
