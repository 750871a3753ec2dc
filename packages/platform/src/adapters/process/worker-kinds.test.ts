/** The kinds of work that workers do: branches, waits, callbacks, mapped tasks, and many tasks in one worker. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Dag } from '@daggerboard/dag'
import { systemClock } from '../../core/clock.ts'
import type { PlatformQuestion } from '../../execution/task-question.ts'
import type { WaitEvent } from '../../scheduling/task-instance.ts'
import type { Attempt, AttemptResult } from '../../scheduling/task-runner.ts'
import { Database } from '../sqlite/database.ts'
import { SqliteTaskLogs } from '../sqlite/task-log.ts'
import { SqliteXComStore } from '../sqlite/xcom.ts'
import { followImports } from './dag-imports.ts'
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts'

followImports()

interface Given extends Partial<Attempt> {
  readonly signal?: AbortSignal
  readonly onStart?: () => void
}

async function pool(t: TestContext, text: string, options: Partial<WorkerPoolOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'workers-'))
  const path = join(folder, 'd.ts')
  await writeFile(path, `import * as kit from '@daggerboard/dag'\nconst { dag } = kit\n${text}`)
  // The documents come from the file, as they do from the loader.
  const { default: written } = (await import(pathToFileURL(path).href)) as { default: Dag }
  const mask = (said: string) => said.replaceAll('hunter22', '***')
  const logs = new SqliteTaskLogs({ db: new Database(':memory:'), clock: systemClock, mask })
  const xcoms = new SqliteXComStore(new Database(':memory:'))
  const asked: PlatformQuestion[] = []
  const platform = {
    answer: async (question: PlatformQuestion) => {
      asked.push(question)
      return question.what === 'triggeringAssetEvents'
        ? [{ name: 'rows', uri: 'rows', at: '2019-10-07T05:00:00Z', extra: { n: 7 }, source: null }]
        : null
    },
  }
  const secrets = { mask, variable: async () => 'hunter22', connection: () => Promise.reject(new Error('none')) }
  const workers = new WorkerPool({ folder, secrets, xcoms, logs, clock: systemClock, graceMs: 300, platform, ...options })
  t.after(async () => {
    await workers.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const attempt = (taskId: string, given: Partial<Attempt> = {}): Attempt => {
    const task = written.document.tasks.find((one) => one.taskId === taskId)
    if (!task) throw new Error(`no task ${taskId}`)
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
      conf: {},
      startedBy: 'system',
      file: 'd.ts',
      task,
      dag: written.document,
      resume: null,
      firstStartedAt: null,
      rescheduleCount: 0,
      mapCount: null,
      ...given,
    }
  }
  const run = async (taskId: string, { signal = new AbortController().signal, onStart = () => {}, ...given }: Given = {}) => {
    const { startedAt: _, endedAt: _end, ...result } = await workers.run(attempt(taskId, given), signal, onStart)
    return result as Record<string, unknown> & AttemptResult
  }
  const output = async (taskId: string, given: Given = {}) => (await run(taskId, given)).output
  const leave = (taskId: string, value: unknown, mapIndex = -1) =>
    xcoms.save({ dagId: 'd', runId: 'r', taskId, mapIndex, key: 'return_value', value, at: '2019-10-07T05:00:00Z' })
  const log = async (taskId: string, mapIndex = -1) => (await logs.read({ dagId: 'd', runId: 'r', taskId, mapIndex, tryNumber: 1 })) ?? ''
  return { folder, workers, attempt, run, output, leave, log, asked }
}

test('a branch tells which of the tasks after it are skipped, and a short circuit whether they are', async (t) => {
  const { run } = await pool(
    t,
    `export default dag('d', {}, ({ branch, shortCircuit, empty }) => {
      const [a, b] = [empty('a'), empty('b')]
      branch('choose', async () => 'a', { targets: [a, b] })
      shortCircuit('stop', async () => false)
    })`,
  )
  const { skip, output } = await run('choose')
  assert.deepEqual([output, skip], [['a'], { followed: ['a'] }])
  assert.deepEqual((await run('stop')).skip, { all: 'descendants' })
})

test('whatever branches fails when what it chooses does not come right after it', async (t) => {
  const { run } = await pool(
    t,
    `const where = kit.humanBranch({ subject: 'Where to?', follow: { near: 'b', far: 'elsewhere', nowhere: 'bb' } })
    export default dag('d', {}, ({ task }) => { task('elsewhere', async () => 1).after(task('b', async () => 1).after(task('a', where))) })`,
  )
  const answer = (chosen: string) =>
    run('a', { resume: { value: { chosen: [chosen], paramsInput: {}, respondedBy: 'anna', respondedAt: null } } })
  assert.deepEqual((await answer('near')).skip, { followed: ['b'] })
  const far = await answer('far')
  assert.equal(far.isFinal, true)
  assert.match(String(far.detail), /Branch "a" has chosen "elsewhere", which does not come right after it. Right after it come: b/)
  assert.match(String((await answer('nowhere')).detail), /"bb", which does not come right after it. Did you mean "b"/)
})

test('a task gives its worker back until a time, for a trigger or for an answer, and goes on with what came', async (t) => {
  const { run, log, workers, attempt } = await pool(
    t,
    `const waits = (args) => ({ name: 'Waits', args,
      async run({ n }) { throw new kit.Defer({ trigger: 'count', args: { to: n }, timeout: 60 }) },
      async resume({ n }, event) { return 'error' in event ? event.error : event.value + n },
      triggers: { async count({ to }, { log }) { log('counting'); await new Promise((done) => setTimeout(done, 5)); return to * 2 } } })
    export default dag('d', {}, ({ task }) => {
      task('waits', waits({ n: 21 }))
      task('later', async () => { throw new kit.Reschedule(new Date('2030-01-01')) })
    })`,
  )
  const deferred = await run('waits')
  const wait = { kind: 'trigger', name: 'count', args: { to: 21 } } as const
  assert.deepEqual(deferred, { state: 'deferred', wait, timeoutSeconds: 60, renderedFields: { n: 21 } })
  const waiting = Array.from({ length: 20 }, () => workers.wait(attempt('waits'), wait, new AbortController().signal))
  assert.deepEqual([...new Set(await Promise.all(waiting))], [42])
  assert.equal(workers.size, 2)
  assert.equal((await run('waits', { resume: { value: 42 } })).output, 63)
  assert.equal((await run('waits', { resume: { error: 'too late' } })).output, 'too late')
  assert.match(await log('waits'), /it waits for its trigger "count"[\s\S]*counting[\s\S]*goes on in worker/)
  assert.deepEqual(await run('later'), { state: 'rescheduled', at: '2030-01-01T00:00:00.000Z', renderedFields: null })
})

test('a trigger that skips or fails its task for good is how the task ends, and nothing of the operator goes on', async (t) => {
  const { run, workers, attempt } = await pool(
    t,
    `const ends = { name: 'Ends', args: {}, async run() {}, async resume() { throw new Error('went on') },
      triggers: {
        async skips() { throw new kit.SkipTask('nothing new') },
        async fails() { throw new kit.FailTask('hunter22 is wrong') },
        async throws() { throw new Error('no such job') } } }
    const look = () => { throw new kit.FailTask('no such bucket') }
    const softly = kit.sensorOperator('Soft', {}, kit.sensorDocument({ mode: 'deferred', softFail: true, pokeInterval: '1ms' }), look)
    export default dag('d', {}, ({ task }) => { task('ends', ends); task('softly', softly) })`,
  )
  const ended = (name: string, task = 'ends'): Promise<WaitEvent> =>
    workers.wait(attempt(task), { kind: 'trigger', name, args: null }, new AbortController().signal).then(
      (value) => ({ value }),
      ({ message, ends }) => ({ error: message, ...(ends && { ends }) }),
    )
  assert.deepEqual(await ended('skips'), { error: 'nothing new', ends: 'skipped' })
  assert.deepEqual(await ended('fails'), { error: '*** is wrong', ends: 'failed' })
  assert.deepEqual(await ended('throws'), { error: 'no such job' })
  const soft = await ended('look', 'softly')
  assert.deepEqual(soft, { error: 'no such bucket', ends: 'skipped' })
  assert.deepEqual(await run('softly', { resume: soft }), { state: 'skipped', detail: 'no such bucket', renderedFields: null })
  assert.deepEqual(await run('ends', { resume: { error: 'never', ends: 'failed' } }), {
    ...{ state: 'failed', detail: 'never', isFinal: true, renderedFields: null },
  })
})

test('a wait that is cancelled lets the operator end what runs elsewhere, also when it is cancelled before it is begun', async (t) => {
  const { workers, attempt, log } = await pool(
    t,
    `const waits = { name: 'Waits', args: { job: 7 }, async run() {},
      triggers: { async forever(_, { signal, log }) { log('waiting'); await new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason))) } },
      async cancel({ job }, { log }) { log('cancelled job ' + job) } }
    export default dag('d', {}, ({ task }) => void task('waits', waits))`,
  )
  const wait = { kind: 'trigger', name: 'forever', args: null } as const
  const stop = new AbortController()
  const waiting = assert.rejects(workers.wait(attempt('waits'), wait, stop.signal))
  while (!(await log('waits')).includes('waiting')) await new Promise(setImmediate)
  stop.abort()
  await waiting
  assert.equal((await log('waits')).split('cancelled job 7').length, 2)
  await assert.rejects(workers.wait(attempt('waits'), wait, AbortSignal.abort(new Error('The time to wait is over.'))))
  assert.equal((await log('waits')).split('cancelled job 7').length, 2)
  await assert.rejects(workers.wait(attempt('waits'), wait, AbortSignal.abort()))
  assert.equal((await log('waits')).split('cancelled job 7').length, 3)
})

test('waits whose process is ended begin anew in another one, and one that ends its process again and again fails', async (t) => {
  const { workers, attempt, folder } = await pool(
    t,
    `import { existsSync, writeFileSync } from 'node:fs'
    const waits = { name: 'Waits', args: {}, async run() {},
      triggers: {
        async file({ path }) { while (!existsSync(path)) await new Promise((done) => setTimeout(done, 5)); return process.pid },
        async pid({ path }) { writeFileSync(path, String(process.pid)); await new Promise(() => setInterval(() => {}, 1000)) },
        async ends() { process.exit(3) } } }
    export default dag('d', {}, ({ task }) => void task('waits', waits))`,
  )
  const wait = (name: string, path = '', signal = new AbortController().signal) =>
    workers.wait(attempt('waits'), { kind: 'trigger', name, args: { path: join(folder, path) } }, signal)
  const stop = new AbortController()
  const waiting = wait('file', 'gate')
  const told = assert.rejects(wait('pid', 'pid', stop.signal))
  const pid = async () => Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''))
  while (!(await pid())) await new Promise(setImmediate)
  const first = await pid()
  process.kill(first, 'SIGKILL')
  while ((await pid()) === first) await new Promise(setImmediate)
  stop.abort()
  await assert.rejects(wait('ends'), /ended with exit status 3/)
  await writeFile(join(folder, 'gate'), '')
  assert.notEqual(await waiting, first)
  await told
})

test('a mapped task gets its element, a list made of it, or one of every combination', async (t) => {
  const { output, leave, run } = await pool(
    t,
    `export default dag('d', {}, ({ task, group }) => {
      const files = task('files', async () => [])
      const sizes = task('sizes', async () => [])
      const load = task('load', async ({ input, mapIndex, expandedCount }) => [input.file, input.size, mapIndex, expandedCount],
        { expand: { file: files, size: sizes }, mapIndexTemplate: '{{ file }} of {{ ti.task_id }}' })
      task('pairs', async ({ input }) => input, { expand: kit.zip({ file: files, size: sizes }, { fill: null }) })
      task('upper', async ({ input }) => input.file, { expand: { file: kit.mapOver(files, (name) => { if (name === 'b') throw new kit.SkipTask('no b'); return name.toUpperCase() }) } })
      task('all', async ({ input }) => input.loaded, { input: { loaded: load } })
      const copy = (args) => ({ name: 'Copy', args, run: async (given) => given })
      task('operator', kit.partial(copy, { to: '{{ ds }}' }), { expand: { from: files } })
    })`,
  )
  await leave('files', ['a', 'b'])
  await leave('sizes', [1, 2, 3])
  assert.deepEqual(await output('load', { mapIndex: 4, mapCount: 6 }), ['b', 2, 4, 6])
  assert.equal((await run('load', { mapIndex: 4, mapCount: 6 })).mapLabel, 'b of load')
  assert.deepEqual(await output('pairs', { mapIndex: 2 }), { file: null, size: 3 })
  assert.equal(await output('upper', { mapIndex: 0 }), 'A')
  assert.equal((await run('upper', { mapIndex: 1 })).state, 'skipped')
  assert.match(String((await run('upper', { mapIndex: 2 })).detail), /no longer has an element 2/)
  assert.deepEqual(await output('operator', { mapIndex: 0 }), { to: '2019-09-30', from: 'a' })
  for (const [i, value] of ['x', 'y'].entries()) await leave('load', value, 5 - i)
  assert.deepEqual(await output('all'), ['y', 'x'])
})

test('in a mapped group each task gets its own element, and the output of the same index', async (t) => {
  const { output, leave } = await pool(
    t,
    `export default dag('d', {}, ({ task, group }) => {
      const numbers = task('numbers', async () => [])
      group('each', { expand: { n: numbers } }, ({ task, element }) => {
        const double = task('double', async ({ input }) => input.n * 2, { input: { n: element.n } })
        task('say', async ({ input, xcomPull }) => [input.doubled, await xcomPull('each.double'), await xcomPull('each.double', 'return_value', { mapIndex: 0 })], { input: { doubled: double } })
      })
      task('list', async ({ xcomPull }) => xcomPull('each.double'))
    })`,
  )
  await leave('numbers', [10, 20])
  assert.equal(await output('each.double', { mapIndex: 1 }), 40)
  await leave('each.double', 20, 0)
  await leave('each.double', 40, 1)
  assert.deepEqual(await output('each.say', { mapIndex: 1 }), [40, 40, 20])
  assert.deepEqual(await output('list'), [20, 40])
})

test('the author is called back: before a try, about how it went, about the run and about a deadline', async (t) => {
  const { run, workers, attempt, log } = await pool(
    t,
    `import { appendFileSync } from 'node:fs'
    const say = ({ which, taskId, reason, log }) => { log('called: ' + which + ' ' + taskId + ': ' + reason); appendFileSync(new URL('said', import.meta.url), which + ' ') }
    export default dag('d', { onFailure: say, deadlines: [{ reference: 'queuedAt', interval: '1h', callback: say }] }, ({ task }) => {
      task('a', async () => 1, { onExecute: say, onFailure: [() => { throw new Error('bad callback') }, say] })
    })`,
  )
  const signal = new AbortController().signal
  const about = { id: '1', dagId: 'd', runId: 'r', file: 'd.ts' }
  await run('a')
  assert.match(await log('a'), /called: onExecute a: The task begins\./)
  await assert.rejects(workers.call({ ...about, which: 'onFailure', attempt: attempt('a'), reason: 'it broke' }, signal), /bad callback/)
  assert.match(await log('a'), /The callback onFailure has thrown: Error: bad callback[\s\S]*called: onFailure a: it broke/)
  await workers.call({ ...about, which: 'onFailure', attempt: null, reason: 'the run broke' }, signal)
  await workers.call({ ...about, which: 'deadline:0', attempt: null, reason: 'late' }, signal)
})

test('a retry policy says which errors are worth another try, and when', async (t) => {
  const { run } = await pool(
    t,
    `class Busy extends Error {}
    const options = { retryPolicy: [{ on: Busy, action: 'retry', delay: '90s' }, { on: TypeError, action: 'fail' }] }
    export default dag('d', {}, ({ task }) => {
      task('busy', async () => { throw new Busy('later') }, options)
      task('wrong', async () => null.x, options)
      task('other', async () => { throw new Error('hm') }, options)
    })`,
  )
  assert.deepEqual(await run('busy'), { state: 'failed', detail: 'later', isFinal: false, retryAfterSeconds: 90, renderedFields: null })
  assert.equal((await run('wrong')).isFinal, true)
  assert.equal((await run('other')).isFinal, false)
})

test('a task reads the events that its run was made of, tells of the assets that it has made, and asks about runs', async (t) => {
  const { run, asked } = await pool(
    t,
    `const table = kit.asset('table')
    export default dag('d', {}, ({ task }) => {
      task('a', async ({ assetEvents, outletEvent, dagRuns }) => {
        outletEvent(table).extra.rows = assetEvents[0].extra.n
        await dagRuns.trigger({ dagId: 'other', conf: { x: 1 } })
        return assetEvents[0].at.getUTCFullYear()
      }, { outlets: [table] })
    })`,
  )
  const { output, assetEvents } = await run('a', { runType: 'asset_triggered' })
  assert.deepEqual([output, assetEvents], [2019, [{ name: 'table', extra: { rows: 7 } }]])
  assert.deepEqual(asked.at(-1), {
    what: 'triggerRun',
    dagId: 'other',
    conf: { x: 1 },
    runId: null,
    logicalDate: null,
    note: null,
    reset: false,
  })
})

const SHARED = `
  const until = (signal) => new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)))
  export default dag('d', { tasksPerWorker: 10 }, ({ task }) => {
    task('pid', async ({ log }) => { log('one'); await new Promise((done) => setTimeout(done, 20)); console.log('two'); return process.pid })
    task('gentle', async ({ signal }) => until(signal))
    task('blocks', async ({ log }) => { await new Promise((done) => setTimeout(done, 100)); for (;;) {} }, { executionTimeout: '1s' })
    task('exits', async () => { await new Promise((done) => setTimeout(done, 30)); process.exit(3) })
    task('late', async () => { setTimeout(() => { throw new Error('too late') }, 5); await new Promise(() => {}) })
    task('slow', async ({ log }) => { log('slow'); globalThis.slow = (globalThis.slow ?? 0) + 1; await new Promise((done) => setTimeout(done, 300)); return process.pid })
  })`

test('tasks of a DAG that says so share a worker, and each one’s words are in its own log', async (t) => {
  const { workers, output, run, log } = await pool(t, SHARED)
  const pids = await Promise.all(Array.from({ length: 8 }, (_, i) => output('pid', { mapIndex: i })))
  assert.equal(new Set(pids).size, 1)
  assert.equal(workers.size, 1)
  for (let i = 0; i < 8; i++)
    assert.deepEqual(
      [...(await log('pid', i)).matchAll(/Z (one|two)$/gm)].map(([, word]) => word),
      ['one', 'two'],
    )
  const stop = new AbortController()
  const [ended, other] = await Promise.all([
    run('gentle', { signal: stop.signal, onStart: () => setImmediate(() => stop.abort()) }),
    output('slow'),
  ])
  assert.equal(ended.detail, 'The task was cancelled.')
  assert.equal(other, pids[0])
  assert.equal((await run('late')).detail, 'too late')
})

test('what a process writes in a shared worker is in the logs of all its tasks, which say so once', async (t) => {
  const { run, log, attempt } = await pool(
    t,
    `import { spawn } from 'node:child_process'
    const echo = () => new Promise((done) => spawn('echo', ['from a child'], { stdio: 'inherit' }).on('exit', done))
    let isOver = false
    export default dag('d', { tasksPerWorker: 2 }, ({ task }) => {
      task('starts', async () => { await new Promise((done) => setTimeout(done, 30)); await echo(); await echo(); isOver = true })
      task('waits', async () => { while (!isOver) await new Promise((done) => setTimeout(done, 5)) })
    })`,
  )
  const { dag } = attempt('waits')
  await Promise.all([run('waits', { dag }), run('starts', { dag })])
  for (const task of ['waits', 'starts']) {
    assert.equal((await log(task)).split('Tasks share this worker').length, 2)
    assert.match(await log(task), /in the logs of all of them, from here on.\n\S+ from a child\n/)
  }
})

test('a task that blocks or ends a shared worker is ended with it, and the others in it begin anew', async (t) => {
  const { run, log } = await pool(t, SHARED)
  const [blocked, others] = await Promise.all([run('blocks'), Promise.all([1, 2].map((mapIndex) => run('slow', { mapIndex })))])
  assert.match(String(blocked.detail), /executionTimeout of 1 s/)
  assert.deepEqual(
    others.map(({ state }) => state),
    ['success', 'success'],
  )
  assert.match(await log('slow', 1), /Another task that shared it was the reason, so this one begins anew[\s\S]*ended as success/)
  const [exited, other] = await Promise.all([run('exits'), run('slow', { mapIndex: 3 })])
  assert.match(String(exited.detail), /ended with exit status 3/)
  assert.equal(other.state, 'success')
})

test('a task that eats memory ends its own worker, and the detail says what the limit was', async (t) => {
  const { run } = await pool(
    t,
    `export default dag('d', {}, ({ task }) => void task('eats', async () => { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())) }))`,
    { memoryMb: 64 },
  )
  assert.match(String((await run('eats')).detail), /The worker process ran out of its 64 MiB of memory/)
})

test('a timeout also ends what a task has started in a group of its own', { skip: process.platform !== 'linux' }, async (t) => {
  const { run, folder } = await pool(
    t,
    `import { spawn } from 'node:child_process'
    import { writeFileSync } from 'node:fs'
    export default dag('d', {}, ({ task }) => void task('forks', async ({ conf }) => {
      const child = spawn('/bin/sh', ['-c', 'sleep 600 & wait'], { detached: true, stdio: 'ignore' })
      child.on('spawn', () => writeFileSync(conf.path, String(child.pid)))
      await new Promise(() => {})
    }, { executionTimeout: '500ms' }))`,
  )
  const path = join(folder, 'pid')
  assert.match(String((await run('forks', { conf: { path } })).detail), /executionTimeout/)
  const group = Number(await readFile(path, 'utf8'))
  const isThere = () => {
    try {
      return process.kill(-group, 0)
    } catch {
      return false
    }
  }
  while (isThere()) await new Promise((done) => setTimeout(done, 5))
})

test('words before a long silence are in the log while it lasts', async (t) => {
  const { run, log } = await pool(
    t,
    `export default dag('d', {}, ({ task }) => void task('silent', async ({ log }) => { log('now I count'); for (;;) {} }))`,
  )
  const stop = new AbortController()
  const running = run('silent', { signal: stop.signal })
  while (!(await log('silent')).includes('now I count')) await new Promise(setImmediate)
  stop.abort()
  await running
})

test('the platform stops only when no worker is left', async (t) => {
  const { run, workers } = await pool(t, SHARED)
  const running = run('gentle', { onStart: () => setImmediate(() => void workers.stop()) })
  assert.equal((await running).state, 'failed')
  await workers.stop()
  assert.equal(workers.size, 0)
})

test('a task that prints without end fills its log to the bound, and not the platform', async (t) => {
  const { run, log } = await pool(
    t,
    `export default dag('d', {}, ({ task }) => void task('prints', async ({ signal, log }) => {
      const line = 'x'.repeat(10_000)
      for (let i = 0; i < 12_000; i++) { log(i + ' ' + line); if (i % 100 === 0) await new Promise(setImmediate) }
      return 'done'
    }))`,
  )
  assert.equal((await run('prints')).output, 'done')
  const text = await log('prints')
  assert.ok(text.length < 68 * 1024 * 1024)
  assert.match(text, /lines are left out: the log is too long/)
  assert.match(text.slice(-300), /ended as success/)
})

test('a place that a lost worker leaves goes to whoever has waited, in whichever kind of worker', { timeout: 30_000 }, async (t) => {
  const { run, attempt } = await pool(
    t,
    `export default dag('d', {}, ({ task }) => {
      task('exits', async () => process.exit(3))
      task('answers', async () => 1)
    })`,
    { workers: 1 },
  )
  const shared = { ...attempt('answers').dag, tasksPerWorker: 5 }
  const [lost, answered] = await Promise.all([run('exits'), run('answers', { dag: shared })])
  assert.equal(lost.state, 'failed')
  assert.equal(answered.output, 1)
})

test('what a task does to its process hurts neither the platform nor the next task', async (t) => {
  const { run, log } = await pool(
    t,
    `import fs from 'node:fs'
    import { spawn } from 'node:child_process'
    const rest = (ms) => new Promise((done) => setTimeout(done, ms))
    export default dag('d', {}, ({ task }) => {
      task('speaks', async () => { process.send?.({ type: 'garbage' }); return typeof process.send })
      task('closes', async () => { fs.closeSync(1); fs.closeSync(2) })
      task('starts', async () => new Promise((done) => spawn('echo', ['hello'], { stdio: 'inherit' }).on('exit', done)))
      task('leaves', async () => void setTimeout(() => Promise.reject(new Error('after the end')), 20))
      task('follows', async () => { await rest(60); return 'unharmed' })
      task('nothing', async () => { throw null })
      task('nonsense', async () => { throw Object.assign(new Error('x'), { name: 'Defer', wait: { kind: 'nonsense' } }) })
      task('never', async () => { throw Object.assign(new Error('never'), { name: 'Reschedule', at: new Date(NaN) }) })
      task('asks', async () => { throw new kit.Defer({ input: { subject: 'Is it hunter22?', body: 'hunter22', options: ['OK'], defaults: null, multiple: false, assignees: [], params: {}, paramSchemas: {} } }) })
    })`,
    { workers: 1 },
  )
  assert.equal((await run('speaks')).output, 'undefined')
  assert.equal((await run('closes')).state, 'success')
  assert.equal((await run('starts')).output, 0)
  assert.match(await log('starts'), / hello\n/)
  await run('leaves')
  assert.equal((await run('follows')).output, 'unharmed')
  assert.equal((await run('nothing')).detail, 'The task has thrown null.')
  assert.match(String((await run('nonsense')).detail), /something that cannot be waited for/)
  assert.deepEqual([(await run('never')).state, (await run('never')).detail], ['failed', 'never'])
  const { wait } = await run('asks')
  assert.match(JSON.stringify(wait), /Is it \*\*\*\?.*"body":"\*\*\*"/)
})
