/** What tasks do to the channel between their worker and the platform: each hurts itself alone. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { poolOver as pool } from '../../../test/worker-pool.ts'

const FILE = `
  import { execFileSync, spawn, spawnSync } from 'node:child_process'
  import fs from 'node:fs'
  const never = () => new Promise(() => {})
  const rest = (ms) => new Promise((done) => setTimeout(done, ms))
  const write = (bytes) => {
    for (let at = 0; at < bytes.length; ) try { at += fs.writeSync(3, bytes, at) } catch (error) { if (error.code !== 'EAGAIN') throw error }
  }
  const shell = (command, ...more) => new Promise((done) => spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'ignore', 'ignore', ...more] }).on('exit', done))
  export default dag('d', {}, ({ task }) => {
    task('writes', async ({ conf, log }) => { log('before'); write(Buffer.from(conf.text)); await never() })
    task('inherits', async () => { await shell('echo rubbish >&3', 3); await never() })
    task('starts', async () => [
      spawnSync('/bin/sh', ['-c', 'echo rubbish >&3'], { stdio: 'inherit' }).status,
      await shell('echo rubbish >&3'),
      await shell('[ -n "$NODE_CHANNEL_FD" ]'),
    ])
    task('halves', async () => { write(Buffer.from('[{"type":"done","job":1,"outcome":{"state":"succ')); process.kill(process.pid, 'SIGKILL') })
    task('floods', async () => { write(Buffer.from('[')); for (let i = 0; i < 40; i++) write(Buffer.alloc(1024 * 1024, 'x')); await never() })
    task('closes', async ({ log }) => { log('before'); fs.closeSync(3); await rest(20); log('after'); await never() })
    task('leaves', async () => { spawn('sleep', ['3'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 3] }); process.exit(4) })
    task('looks', async () => [process.send, process.channel, process.connected, process.env.NODE_CHANNEL_FD].map((it) => typeof it))
    task('lives', async ({ sleep }) => { await rest(300); return process.pid })
    task('answers', async () => 'x'.repeat(20_000_000))
    task('throws', async () => { throw new Error('x'.repeat(20_000_000)) })
    task('pushes', async ({ xcomPush, xcomPull }) => {
      const keys = Array.from({ length: 20 }, (_, i) => 'k' + i)
      await Promise.all(keys.map((key) => xcomPush(key, key.padEnd(500_000, 'ü'))))
      return (await Promise.all(keys.map((key) => xcomPull('pushes', key)))).reduce((sum, { length }) => sum + length, 0)
    })
    task('prints', async ({ log }) => { const line = 'x'.repeat(999); for (let i = 0; i < 50_000; i++) log(line); return 'printed' })
    task('says', async ({ log }) => { log('Zürich → 🚲\\n'.repeat(100_000)); log('the end'); process.exit(0) })
    task('waits', async ({ log }) => { for (let i = 0; i < 500; i++) log('word ' + i); execFileSync('sleep', ['600']) })
  })`

const ALONE =
  /^The worker process was ended, because something that is no message came through file descriptor 3, which is the channel to the platform\.$/

test('whatever a task writes into the channel of its worker ends its worker with a sentence, and no other', async (t) => {
  const { run, log } = await pool(t, FILE, { workers: 12 })
  const living = run('lives')
  const nested = `[{"type":"done","job":1,"startedAt":0,"endedAt":0,"outcome":{"state":"success","renderedFields":null,"output":${'['.repeat(50_000)}${']'.repeat(50_000)}}}]\n`
  const undated = '[{"type":"done","job":1,"outcome":{"state":"success"},"startedAt":1e300,"endedAt":"never"}]\n'
  const texts = ['rubbish', '\n', '[7]\n', '[{]\n', '[{"type":"log","job":1}]\n', '{"type":"ready"}\n', '\u0000\u00ff', nested, undated]
  const ended = await Promise.all(texts.map((text, mapIndex) => run('writes', { conf: { text }, mapIndex })))
  for (const [i, { state, detail, isFinal }] of ended.entries()) {
    assert.deepEqual([state, isFinal ?? false], ['failed', false])
    assert.match(String(detail), ALONE, texts[i]?.slice(0, 80))
    assert.match(
      await log('writes', i),
      / before\n[\s\S]*ended as failed: The worker process was ended, because something that is no message/,
    )
  }
  assert.equal((await living).state, 'success')
})

test('processes that a task starts have no way to the channel, unless the task hands it on: that is its own end', async (t) => {
  const { run, output } = await pool(t, FILE)
  const [inherited, ...others] = (await output('starts')) as number[]
  assert.deepEqual([inherited !== 0, others.every((status) => status !== 0)], [true, true])
  assert.match(String((await run('inherits')).detail), ALONE)
  assert.deepEqual(await output('looks'), Array(4).fill('undefined'))
})

test('half a message before the end of a worker is no answer', async (t) => {
  const { run } = await pool(t, FILE)
  assert.equal((await run('halves')).detail, 'The worker process was ended by SIGKILL before the task had ended.')
})

test('a message without end fills no memory: its worker is ended', async (t) => {
  const { run } = await pool(t, FILE)
  assert.match(String((await run('floods')).detail), /was ended, because something that is longer than 33554432 bytes came through file/)
})

test('a task that closes the channel fails, and its log says what it has closed', async (t) => {
  const { run, log } = await pool(t, FILE)
  assert.equal((await run('closes')).state, 'failed')
  assert.match(await log('closes'), / before\n\S+ File descriptor 3 was closed by a task \(EBADF\): it is the channel to the platform/)
})

test('tasks that share a worker whose channel one of them spoils all fail, and hear that they shared it', async (t) => {
  const { run, attempt } = await pool(t, FILE)
  const shared = { dag: { ...attempt('lives').dag, tasksPerWorker: 5 } }
  const ended = await Promise.all([run('lives', shared), run('writes', { conf: { text: 'rubbish' }, ...shared })])
  for (const { detail } of ended)
    assert.match(String(detail), /is no message[\s\S]*2 tasks shared it, and which of them ended it is not known/)
})

test('a process that holds the channel of a worker that has ended holds up nobody', async (t) => {
  const { run, output } = await pool(t, FILE, { workers: 1 })
  assert.match(String((await run('leaves')).detail), /ended with exit status 4/)
  assert.deepEqual(await output('looks'), Array(4).fill('undefined'))
})

test('what is large goes through in one piece', async (t) => {
  const { run, output } = await pool(t, FILE)
  assert.equal(await output('pushes'), 20 * 500_000)
  assert.match(String((await run('answers')).detail), /^What the task answered is 20000002 bytes of JSON; at most 1048576 go between tasks/)
  assert.equal(String((await run('throws')).detail).length, 20_000_000)
})

test('a task that logs more than fits into the memory of its worker waits until the platform has read it', async (t) => {
  const { output, log } = await pool(t, FILE, { memoryMb: 40 })
  assert.equal(await output('prints'), 'printed')
  assert.equal((await log('prints')).split(`${'x'.repeat(999)}\n`).length, 50_001)
})

test('all that a task has said is heard before its worker ends, or waits for another program', async (t) => {
  const { run, log } = await pool(t, FILE)
  await run('says')
  const said = await log('says')
  assert.equal(said.split('Zürich → 🚲\n').length, 100_001)
  assert.match(said, / the end\n/)
  const stop = new AbortController()
  const waiting = run('waits', { signal: stop.signal })
  while (!(await log('waits')).includes('word 499\n')) await new Promise(setImmediate)
  stop.abort()
  assert.equal((await waiting).state, 'failed')
})

test('a worker whose platform was killed ends by itself', { skip: process.platform !== 'linux' }, async () => {
  const script = `
    import { WorkerProcess } from ${JSON.stringify(new URL('./worker-process.ts', import.meta.url).href)}
    const options = { environment: {}, memoryMb: null, folder: '.', capacity: 1, onExit: () => {} }
    new WorkerProcess({ ...options, onReady: ({ pid }) => console.log(pid) })`
  const platform = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number((await once(platform.stdout, 'data'))[0])
  assert.ok(pid > 0)
  platform.kill('SIGKILL')
  // Nobody may have fetched what is left of it yet.
  const isThere = async () => /\) [^ZX] /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
  while (await isThere()) await new Promise(setImmediate)
})
