/** Tasks that share workers, and tasks that harm theirs: what each may do to others. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { poolOver as pool } from '../../../test/worker-pool.ts'

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
  assert.match(await log('slow', 1), /This one is not the reason, so it begins anew[\s\S]*ended as success/)
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

test('a task that stops the clock, or leaves its worker in a folder that is gone, hurts neither itself nor the next task', async (t) => {
  const { folder, workers, run, attempt } = await pool(
    t,
    `import fs from 'node:fs'
    export default dag('d', {}, ({ task }) => {
      task('stops', async () => { Date.now = () => 'never' })
      task('leaves', async ({ conf }) => { fs.mkdirSync(conf.gone); process.chdir(conf.gone); fs.rmdirSync(conf.gone) })
      task('follows', async () => process.cwd())
    })`,
    { workers: 1 },
  )
  const stopped = await workers.run(attempt('stops'), new AbortController().signal, () => {})
  assert.equal(stopped.state, 'success')
  assert.ok('startedAt' in stopped)
  assert.equal((await run('leaves', { conf: { gone: join(folder, 'gone') } })).state, 'success')
  assert.deepEqual((await run('follows')).output, process.cwd())
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

test('what a task leaves behind in its worker does not keep the next one from beginning', async (t) => {
  const { workers, run, log, folder } = await pool(
    t,
    `import { writeFileSync } from 'node:fs'
    export default dag('d', {}, ({ task }) => {
      task('leaves', async ({ conf }) => void setTimeout(() => { writeFileSync(conf.path, 'x'); for (;;) {} }, 20))
      task('next', async () => {})
    })`,
    { workers: 1, patience: { takenMs: 1_000 } },
  )
  const path = join(folder, 'loops')
  assert.equal((await run('leaves', { conf: { path } })).state, 'success')
  while (!existsSync(path)) await new Promise((done) => setTimeout(done, 5))
  assert.equal((await run('next')).state, 'success')
  assert.match(await log('next'), /what an earlier task had left behind let nothing else run in it\..*begins anew[\s\S]*ended as success/)
  assert.equal(workers.size, 1)
})
