import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Connection, dag, type TaskDocument } from '@daggerboard/dag'
import { AppError } from '../../core/app-error.ts'
import { systemClock } from '../../core/clock.ts'
import type { TaskLogs } from '../../execution/task-log.ts'
import type { Attempt } from '../../scheduling/task-runner.ts'
import { Database } from '../sqlite/database.ts'
import { SqliteTaskLogs } from '../sqlite/task-log.ts'
import { SqliteXComStore } from '../sqlite/xcom.ts'
import { WorkerPool } from './worker-pool.ts'

const FILE = `
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { bash, dag, FailTask, SkipTask } from '@daggerboard/dag'

const copy = (args) => ({ name: 'Copy', args, run: async (given) => given })
const forever = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

export default dag('d', {}, ({ task }) => {
  task('answer', async ({ log }) => { log('thinking'); console.log('aloud'); return { n: 42 } })
  task('double', async ({ input }) => input.given.n * input.factor, { input: { given: undefined, factor: 2 } })
  task('throws', async () => { throw new Error('no such table') })
  task('skips', async () => { throw new SkipTask('nothing new') })
  task('fails', async () => { throw new FailTask('never') })
  task('exits', async () => process.exit(7))
  task('blocks', async () => { for (;;) {} })
  task('copiesForGood', { name: 'Copies', args: { to: '{{ ds }}' }, run: () => new Promise(() => {}) })
  task('bash', bash({ command: 'sleep 600 & echo $! > {{ params.pidFile }}; sleep 600 & echo $! >> {{ params.pidFile }}; wait' }))
  task('tidies', async ({ sleep, params }) => {
    try {
      await sleep(600_000)
    } finally {
      await new Promise((done) => setTimeout(done, 1500))
      writeFileSync(params.tidied, 'done')
    }
  })
  task('waits', async ({ signal, log }) => { log('waiting'); await forever(signal); throw signal.reason })
  task('spawns', async ({ conf, params, signal }) => {
    const child = spawn('sleep', ['600'])
    writeFileSync(params.pidFile, String(child.pid))
    await new Promise(() => {})
  })
  task('shell', async () => { await new Promise((done) => spawn('echo', ['from a child'], { stdio: 'inherit' }).on('exit', done)) })
  task('copies', copy({ to: 'gs://{{ var.value.BUCKET }}/{{ ds }}/', header: '{{ conn.db.password }}', password: 'of another system', n: 1 }))
  task('misspells', copy({ job: { args: ['{{ next_dss }}'] } }))
  task('asks', async (context) => {
    await context.xcomPush('half', { n: 21 })
    const { password, host } = await context.connection('db')
    context.log('the password is ' + password)
    return [await context.variable('BUCKET'), host, await context.xcomPull('asks', 'half'), await context.xcomPull('nobody')]
  })
  task('lacks', async ({ variable }) => variable('NOPE'))
  task('misreads', async ({ variable }) => variable('ODD'))
  task('huge', async () => 'x'.repeat(2_000_000))
  task('hopeless', async () => { setTimeout(() => { throw new FailTask('no use') }, 5); await new Promise(() => {}) })
  task('late', async () => { setTimeout(() => { throw new Error('too late') }, 5); await new Promise((done) => setTimeout(done, 60_000)) })
  task('pid', async () => process.pid)
  task('leaves', async ({ log, connection }) => {
    const late = async () => { console.log('late words'); log('late words'); return connection('db').catch((error) => error.message) }
    globalThis.left = new Promise((done) => setTimeout(() => done(late()), 5))
  })
  task('follows', async () => globalThis.left)
})
`

const connection: Connection = {
  id: 'db',
  type: 'postgres',
  host: 'localhost',
  port: 1,
  schema: null,
  login: 'me',
  password: 'hunter22',
  extra: {},
}

async function pool(t: TestContext, options: { workers?: number; idleMs?: number; graceMs?: number; logs?: TaskLogs } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'workers-'))
  await writeFile(join(folder, 'd.ts'), FILE)
  const mask = (text: string) => text.replaceAll('hunter22', '***')
  const logs = new SqliteTaskLogs({ db: new Database(':memory:'), clock: systemClock, mask })
  const xcoms = new SqliteXComStore(new Database(':memory:'))
  const asking: string[] = []
  const secrets = {
    mask,
    variable: async (key: string, { subject }: { subject: string }) => {
      asking.push(subject)
      if (key === 'BUCKET') return 'data'
      if (key === 'ODD') throw new AppError('invalid', 'It cannot be read.', { problems: ['It is no JSON.', 'It is too long.'] })
      throw new AppError('not_found', `There is no Variable "${key}".`)
    },
    connection: async () => connection,
  }
  const workers = new WorkerPool({ folder, secrets, xcoms, logs, clock: systemClock, graceMs: 200, ...options })
  t.after(async () => {
    await workers.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const run = async (taskId: string, { signal = new AbortController().signal, task = {}, params = {}, onStart = () => {} }: Given = {}) => {
    const { startedAt: _, endedAt: _end, ...result } = await workers.run(attempt(taskId, task, params), signal, onStart)
    return result
  }
  const log = (taskId: string) => logs.read({ dagId: 'd', runId: 'r', taskId, tryNumber: 1 })
  return { folder, workers, run, log, xcoms, asking }
}

interface Given {
  signal?: AbortSignal
  task?: Partial<TaskDocument>
  params?: Record<string, unknown>
  onStart?: () => void
}

const attempt = (taskId: string, task: Partial<TaskDocument>, params: Record<string, unknown>): Attempt => {
  const [own] = dag('d', {}, ({ task }) => void task(taskId, async () => {})).document.tasks as [TaskDocument]
  const document = { ...own, ...task }
  return {
    attemptId: 'x',
    dagId: 'd',
    runId: 'r',
    taskId,
    mapIndex: -1,
    tryNumber: 1,
    maxTries: 0,
    runType: 'scheduled',
    logicalDate: '2019-09-30T05:00:00.000Z',
    dataIntervalStart: '2019-09-30T05:00:00.000Z',
    dataIntervalEnd: '2019-10-07T05:00:00.000Z',
    previousIntervalStart: null,
    runAfter: '2019-10-07T05:00:00.000Z',
    runQueuedAt: '2019-10-07T05:00:01.000Z',
    runStartedAt: '2019-10-07T05:00:02.000Z',
    conf: {},
    startedBy: 'system',
    file: 'd.ts',
    task: document,
    dag: { ...dag('d', {}, () => {}).document, params, tasks: [document] },
    resume: null,
    firstStartedAt: null,
    rescheduleCount: 0,
    mapCount: null,
  }
}

test('a task answers, and all that it says is in the log of its try', async (t) => {
  const { run, log } = await pool(t)
  assert.deepEqual(await run('answer'), { state: 'success', output: { n: 42 }, renderedFields: null })
  const lines = (await log('answer'))?.trimEnd().split('\n') ?? []
  assert.ok(lines.every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line)))
  const said = lines.map((line) => line.slice(25))
  assert.match(said[0] ?? '', /^Try 1 of task "answer" begins in worker \d+\.$/)
  assert.deepEqual(said.slice(1, 3), ['thinking', 'aloud'])
  assert.equal(said.at(-1), 'The task has ended as success.')
  await run('shell')
  assert.match((await log('shell')) ?? '', /from a child/)
})

test('a task fails alone: by throwing, by ending its worker, by throwing late, by answering too much', async (t) => {
  const { run, log, workers } = await pool(t)
  assert.deepEqual(await run('throws'), { state: 'failed', detail: 'no such table', isFinal: false, renderedFields: null })
  assert.match((await log('throws')) ?? '', /Error: no such table\n.*at .*d\.ts:12:/)
  assert.deepEqual(await run('skips'), { state: 'skipped', detail: 'nothing new', renderedFields: null })
  assert.equal(((await run('fails')) as { isFinal: boolean }).isFinal, true)
  assert.equal(
    ((await run('exits')) as { detail: string }).detail,
    'The worker process ended with exit status 7 before the task had ended.',
  )
  assert.equal(((await run('late')) as { detail: string }).detail, 'too late')
  assert.match(
    ((await run('huge')) as { detail: string }).detail,
    /2000002 bytes of JSON; at most 1048576 go between tasks\. Write it to a bucket/,
  )
  assert.match(((await run('nobody')) as { detail: string }).detail, /DAG "d" no longer has the task "nobody"/)
  assert.equal((await run('answer')).state, 'success')
  assert.equal(workers.size, 1)
})

test('templates are rendered in the worker, secrets are masked, and a wrong name says which', async (t) => {
  const { run, asking } = await pool(t)
  assert.deepEqual(await run('copies'), {
    state: 'success',
    output: { to: 'gs://data/2019-09-30/', header: 'hunter22', password: 'of another system', n: 1 },
    renderedFields: { to: 'gs://data/2019-09-30/', header: '***', password: '***', n: 1 },
  })
  assert.deepEqual(asking, ['task:d/r/copies#1'])
  const wrong = await run('misspells')
  assert.match(
    (wrong as { detail: string }).detail,
    /args\.job\.args\[0\] cannot be rendered: "next_dss" is not defined\. Did you mean "next_ds"\?/,
  )
})

test('a task asks for Variables, Connections and XComs, and its log never shows a password', async (t) => {
  const { run, log } = await pool(t)
  assert.deepEqual(((await run('asks')) as { output: unknown }).output, ['data', 'localhost', { n: 21 }, null])
  assert.match((await log('asks')) ?? '', /the password is \*\*\*\n/)
  assert.equal(((await run('lacks')) as { detail: string }).detail, 'There is no Variable "NOPE".')
  assert.equal(((await run('misreads')) as { detail: string }).detail, 'It cannot be read. It is no JSON. It is too long.')
})

test('a timeout ends the whole process tree and fails the try, even if the task never looks up', async (t) => {
  const { run, folder } = await pool(t)
  const pidFile = join(folder, 'pid')
  const spawned = await run('spawns', { task: { executionTimeoutSeconds: 0.8 }, params: { pidFile } })
  assert.deepEqual(spawned, {
    state: 'failed',
    detail: 'The task ran longer than its executionTimeout of 0.8 s.',
    isFinal: false,
    renderedFields: null,
  })
  await gone(Number(await readFile(pidFile, 'utf8')))
  const blocked = await run('blocks', { task: { executionTimeoutSeconds: 0.3 } })
  assert.match((blocked as { detail: string }).detail, /executionTimeout of 0\.3 s/)
})

test('a task that cannot hear that it is to end is not waited for; one that can has its time', { timeout: 20_000 }, async (t) => {
  const { run, folder } = await pool(t, { graceMs: 600_000 })
  const task = { executionTimeoutSeconds: 0.5 }
  const deaf = await run('copiesForGood', { task })
  assert.match((deaf as { detail: string }).detail, /executionTimeout of 0\.5 s/)
  assert.deepEqual(deaf.renderedFields, { to: '2019-09-30' })
  assert.match(((await run('blocks', { task })) as { detail: string }).detail, /executionTimeout/)
  const pidFile = join(folder, 'bash')
  assert.match(((await run('bash', { task, params: { pidFile } })) as { detail: string }).detail, /executionTimeout/)
  for (const pid of (await readFile(pidFile, 'utf8')).trim().split('\n')) await gone(Number(pid))
  const tidied = join(folder, 'tidied')
  assert.match(((await run('tidies', { task, params: { tidied } })) as { detail: string }).detail, /executionTimeout/)
  assert.equal(await readFile(tidied, 'utf8'), 'done')
})

test('a cancelled task is told, and its worker is not used again', async (t) => {
  const { run, workers, log } = await pool(t)
  const cancel = new AbortController()
  const outcome = run('waits', { signal: cancel.signal, onStart: () => setImmediate(() => cancel.abort()) })
  assert.equal(((await outcome) as { detail: string }).detail, 'The task was cancelled.')
  assert.equal(workers.size, 0)
  assert.match((await log('waits')) ?? '', /ended as failed: The task was cancelled/)
})

test('a worker stays warm, until its DAG file is edited or it has been idle for long', async (t) => {
  const { run, folder, workers } = await pool(t)
  const pid = async () => ((await run('pid')) as { output: number }).output
  const first = await pid()
  assert.equal(await pid(), first)
  await writeFile(join(folder, 'd.ts'), FILE.replace('n: 42', 'n: 43'))
  workers.filesChanged()
  assert.deepEqual(((await run('answer')) as { output: unknown }).output, { n: 43 })
  assert.notEqual(await pid(), first)
  assert.equal(workers.size, 1)

  const short = await pool(t, { idleMs: 1 })
  await short.run('pid')
  while (short.workers.size > 0) await new Promise(setImmediate)
})

test('what a task leaves running speaks and asks for nobody, least of all for the next task of its worker', async (t) => {
  const { run, log } = await pool(t, { workers: 1 })
  await run('leaves')
  assert.match(String(((await run('follows')) as { output: unknown }).output), /The task that asks has ended already/)
  assert.doesNotMatch((await log('follows')) ?? '', /late words/)
})

test('no more tasks run at a time than there are workers', async (t) => {
  const { run, workers } = await pool(t, { workers: 2 })
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => run('pid')))
  const pids = new Set(outcomes.map((outcome) => (outcome as { output: number }).output))
  assert.ok(pids.size <= 2)
  assert.ok(workers.size <= 2)
})

test('whoever is cancelled while he waits for a worker takes nobody else’s turn', async (t) => {
  const { run } = await pool(t, { workers: 1 })
  const [first, third] = [new AbortController(), new AbortController()]
  const running = run('waits', { signal: first.signal, onStart: () => third.abort() })
  const second = run('pid')
  assert.equal((await run('pid', { signal: third.signal })).state, 'failed')
  first.abort()
  await running
  assert.equal((await second).state, 'success')
})

test('a try whose log cannot be opened is refused, and leaves its place to the next', async (t) => {
  const open = () => {
    throw new Error('no space left on device')
  }
  const { run } = await pool(t, { workers: 1, logs: { open } as never as TaskLogs })
  await assert.rejects(run('pid'), /no space left/)
  await assert.rejects(run('pid'), /no space left/)
})

test('what a worker says with its last breath is heard', async (t) => {
  const { run } = await pool(t)
  for (let i = 0; i < 3; i++) {
    const outcome = await run('hopeless')
    assert.deepEqual(outcome, { state: 'failed', detail: 'no use', isFinal: true, renderedFields: null })
  }
})

/** Resolves when there is no such process any more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    if (state === '' || / [ZX] /.test(state)) return
    await new Promise(setImmediate)
  }
}

test('a try is at work, for whoever holds its token, until its worker is done with it', async (t) => {
  const { workers, run } = await pool(t)
  const cancellation = new AbortController()
  let whileItRan: boolean[] = []
  const onStart = () => {
    whileItRan = [workers.isRunning('task:d/r/waits#1'), workers.isRunning('task:d/r/waits#2')]
    cancellation.abort()
  }
  await run('waits', { signal: cancellation.signal, onStart })
  assert.deepEqual([...whileItRan, workers.isRunning('task:d/r/waits#1')], [true, false, false])
})
