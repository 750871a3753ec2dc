/** Tasks that are given to a shared worker before a place is free there. */
import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { generator, whole } from '../../../test/cron-walk.ts'
import { poolOver } from '../../../test/worker-pool.ts'

const FILE = `
  import { spawn } from 'node:child_process'
  import { existsSync } from 'node:fs'
  const rest = (ms) => new Promise((done) => setTimeout(done, ms))
  const opened = async (gate) => { while (!existsSync(gate)) await rest(2) }
  let running = 0
  let most = 0
  const count = (work) => async (context) => {
    running += 1
    most = Math.max(most, running)
    try { return await work(context) } finally { running -= 1 }
  }
  export default dag('d', { tasksPerWorker: 100 }, ({ task }) => {
    task('holds', count(async ({ conf, log }) => { log('holding'); await opened(conf.gate); return process.pid }))
    task('quick', count(async ({ log }) => { log('quick'); return process.pid }))
    task('limited', count(async () => 'in time'), { executionTimeout: '1s' })
    task('most', async () => most)
    task('echoes', count(async ({ conf, log }) => {
      log('echoing')
      await opened(conf.gate)
      await new Promise((done) => spawn('echo', ['from a child'], { stdio: 'inherit' }).on('exit', done))
    }))
    task('computes', async ({ log }) => { log('computing'); for (;;) {} }, { executionTimeout: '500ms' })
    task('dies', async () => process.kill(process.pid, 'SIGKILL'))
    task('exits', async ({ conf }) => { await opened(conf.gate); process.exit(3) })
    task('late', async ({ conf }) => { await opened(conf.gate); setTimeout(() => { throw new Error('too late') }, 1); await new Promise(() => {}) })
    task('copies', async ({ input }) => input.all.length, { input: { all: { value: 'x' } } })
  })`

type Platform = Awaited<ReturnType<typeof poolOver>>

const turn = () => new Promise(setImmediate)

/** One place, which a task holds until the gate is open. */
async function held(t: TestContext, { places = 1, task = 'holds', before = async (_: Platform): Promise<unknown> => null } = {}) {
  const platform = await poolOver(t, FILE, { workers: places })
  await before(platform)
  const gate = join(platform.folder, 'gate')
  const conf = { gate }
  const holding: ReturnType<Platform['run']>[] = []
  for (let i = 0; i < places; i++) {
    await new Promise<void>((resolve) => {
      holding.push(platform.run(task, { conf, mapIndex: 1_000 + i, onStart: resolve }))
    })
  }
  const begun: number[] = []
  /** Resolves with the run when it has been given to the worker. */
  const queue = (taskId: string, mapIndex: number, given: Parameters<Platform['run']>[1] = {}) =>
    platform.run(taskId, { conf, mapIndex, onStart: () => begun.push(mapIndex), ...given })
  return { ...platform, conf, begun, queue, holding, open: () => writeFile(gate, '') }
}

test('tasks that wait in a worker begin in their order, no more of them at a time than there are places', async (t) => {
  const { queue, begun, workers, log, open, output } = await held(t, { places: 3 })
  const all = Array.from({ length: 150 }, (_, i) => queue('quick', i))
  for (let i = 0; i < 5; i++) await turn()
  assert.deepEqual(begun, [])
  assert.equal(workers.isRunning('task:d/r/quick/5#1'), false)
  assert.equal(await log('quick', 5), '')
  await open()
  for (const { state } of await Promise.all(all)) assert.equal(state, 'success')
  assert.deepEqual(
    begun,
    Array.from({ length: 150 }, (_, i) => i),
  )
  assert.equal(await output('most'), 3)
  assert.match(
    await log('quick', 5),
    /^\S+ Try 1 of task "quick\[5\]" begins in worker \d+\.\n\S+ quick\n\S+ The task has ended as success\.\n$/,
  )
  assert.equal(workers.size, 1)
})

test('what others write is not in the log of a task that has not begun', async (t) => {
  const { queue, log, open } = await held(t, { places: 2, task: 'echoes' })
  const waiting = [queue('quick', 1), queue('quick', 2)]
  await open()
  await Promise.all(waiting)
  for (const i of [1, 2]) assert.match(await log('quick', i), /^\S+ Try 1 of task "quick\[\d\]" begins/)
})

test('who is cancelled while he waits in a worker is cancelled at once and never runs; the others keep their order', async (t) => {
  const { queue, begun, log, open } = await held(t)
  const cancellations = Array.from({ length: 5 }, () => new AbortController())
  const all = cancellations.map(({ signal }, i) => queue('quick', i, { signal }))
  for (let i = 0; i < 5; i++) await turn()
  for (const i of [0, 2]) cancellations[i]?.abort()
  for (const i of [0, 2]) assert.equal((await all[i])?.detail, 'The task was cancelled.')
  assert.equal(await log('quick', 0), '')
  await open()
  await Promise.all(all)
  assert.deepEqual(begun, [1, 3, 4])
})

test('who is cancelled at the moment at which he begins takes no place for ever', async (t) => {
  const { run, output } = await poolOver(t, FILE, { workers: 2 })
  for (let round = 0; round < 20; round++) {
    const cancellations = Array.from({ length: 20 }, () => new AbortController())
    const all = cancellations.map(({ signal }, mapIndex) => run('quick', { mapIndex, signal }))
    for (const { signal } of cancellations) assert.equal(signal.aborted, false)
    const ended = all.map((one, i) => one.then(() => cancellations[i + 3]?.abort()))
    for (const { state, detail } of await Promise.all(all)) if (state === 'failed') assert.equal(detail, 'The task was cancelled.')
    await Promise.all(ended)
  }
  assert.equal(await output('most'), 2)
})

test('when their worker is killed or ended by a task, those that wait in it begin anew in another one', async (t) => {
  for (const task of ['holds', 'exits']) {
    const { queue, run, begun, log, holding, open } = await held(t, { task })
    const all = [1, 2, 3].map((i) => queue('quick', i))
    for (let i = 0; i < 5; i++) await turn()
    if (task === 'exits') await open()
    else process.kill(Number(/worker (\d+)/.exec(await log('holds', 1_000))?.[1]), 'SIGKILL')
    assert.match(String((await holding[0])?.detail), task === 'exits' ? /exit status 3/ : /SIGKILL/)
    for (const { state } of await Promise.all(all)) assert.equal(state, 'success')
    assert.deepEqual(begun, [1, 2, 3])
    assert.equal((await run('quick')).state, 'success')
  }
})

test('a worker in which something throws late takes no more: those that were on their way to it begin elsewhere', {
  timeout: 30_000,
}, async (t) => {
  for (let round = 0; round < 3; round++) {
    const { queue, holding, open } = await held(t, { places: 2, task: 'late' })
    let isOver = false
    const late = Promise.all(holding).then((ended) => {
      isOver = true
      return ended
    })
    const all: ReturnType<typeof queue>[] = []
    await open()
    for (let i = 0; !isOver || i < 20; i++) {
      if (all.length < 500) all.push(queue('quick', i))
      await turn()
    }
    for (const { state } of await Promise.all(all)) assert.equal(state, 'success')
    assert.ok((await late).some(({ detail }) => detail === 'too late'))
  }
})

test('what a task does right after it has begun hides no end of the one before it', { timeout: 30_000 }, async (t) => {
  for (const [task, how] of [
    ['computes', /executionTimeout of 0\.5 s/],
    ['dies', /ended by SIGKILL/],
  ] as const) {
    const { queue, holding, open, log } = await held(t)
    const next = queue(task, 0)
    const after = queue('quick', 1)
    for (let i = 0; i < 5; i++) await turn()
    await open()
    assert.equal((await holding[0])?.state, 'success')
    assert.match(String((await next).detail), how)
    assert.equal((await after).state, 'success')
    assert.match(await log(task, 0), /begins in worker/)
  }
})

test('the time that a task may take counts from its beginning', async (t) => {
  const { queue, open, run } = await held(t)
  const waiting = queue('limited', 0)
  const other = await poolOver(
    t,
    `export default dag('d', {}, ({ task }) => void task('rests', () => new Promise((done) => setTimeout(done, 1_200))))`,
  )
  await other.run('rests')
  await open()
  assert.equal((await waiting).output, 'in time')
  assert.equal((await run('limited')).output, 'in time')
})

test('when a file of the folder changes, those that wait in a worker run as it is now, in the order in which they came', async (t) => {
  const { queue, begun, open, folder, workers, holding, log } = await held(t)
  const all = [0, 1, 2].map((i) => queue('quick', i))
  while (!(await log('holds', 1_000)).includes('holding')) await turn()
  const path = join(folder, 'd.ts')
  await writeFile(path, (await readFile(path, 'utf8')).replace(`log('quick'); return process.pid`, `return 'new'`))
  workers.filesChanged()
  await open()
  assert.deepEqual(
    (await Promise.all(all)).map(({ output }) => output),
    ['new', 'new', 'new'],
  )
  assert.deepEqual(begun, [0, 1, 2])
  assert.equal((await holding[0])?.state, 'success')
})

test('a platform that stops waits for nobody who has not begun', async (t) => {
  const { queue, workers, begun } = await held(t)
  const all = [0, 1, 2].map((i) => queue('quick', i))
  for (let i = 0; i < 5; i++) await turn()
  await workers.stop()
  for (const { state } of await Promise.all(all)) assert.equal(state, 'failed')
  assert.deepEqual([begun, workers.size], [[], 0])
})

test('tasks of all DAGs begin in the order in which they came, whichever workers they need', async (t) => {
  const alone = ({ attempt }: Platform) => ({ dag: { ...attempt('quick').dag, tasksPerWorker: 1 } })
  const platform = await held(t, { before: (one) => one.run('quick', alone(one)) })
  const { queue, begun, open } = platform
  const all: ReturnType<typeof queue>[] = []
  for (let i = 0; i < 12; i++) {
    all.push(queue('quick', i, i % 3 === 2 ? alone(platform) : {}))
    for (let turns = 0; turns < 1_000; turns++) await turn()
  }
  await open()
  const pids = (await Promise.all(all)).map(({ output }) => output)
  assert.deepEqual(
    begun,
    Array.from({ length: 12 }, (_, i) => i),
  )
  assert.equal(new Set(pids).size, 2)
})

test('those that come while the last ends of a worker are heard find a place', { timeout: 30_000 }, async (t) => {
  const { run } = await poolOver(t, FILE, { workers: 1 })
  const all: ReturnType<typeof run>[] = []
  for (let i = 0; i < 600; i++) {
    all.push(run('quick', { mapIndex: i }))
    for (let turns = i % 7; turns > 0; turns--) await turn()
  }
  for (const { state } of await Promise.all(all)) assert.equal(state, 'success')
})

test('a task that cannot be sent to its worker fails alone: who waits for its end there begins', { timeout: 30_000 }, async (t) => {
  const { run } = await poolOver(t, FILE, { workers: 1 })
  await run('quick')
  const huge = { conf: { n: 1n } }
  const refused = run('quick', huge)
  for (let i = 0; i < 20; i++) await Promise.resolve()
  const all = [run('quick', { mapIndex: 1 }), run('quick', { mapIndex: 2, ...huge }), run('quick', { mapIndex: 3 })]
  const [first, second, third] = await Promise.all(all)
  for (const one of [await refused, second]) assert.match(String(one?.detail), /cannot begin with its inputs/)
  assert.deepEqual([first?.state, third?.state], ['success', 'success'])
})

test('whatever happens to tasks and their workers, all come to an end, none begins twice at a time, and no place is lost', {
  timeout: 60_000,
}, async (t) => {
  const places = 3
  const { workers, attempt, run, folder } = await poolOver(t, FILE, { workers: places })
  const gate = join(folder, 'gate')
  await writeFile(gate, '')
  const random = generator(7)
  const spans: { from: string; to: string }[] = []
  const all: Promise<unknown>[] = []
  for (let i = 0; i < 80; i++) {
    const taskId = random() < 0.02 ? 'exits' : random() < 0.02 ? 'late' : random() < 0.1 ? 'holds' : 'quick'
    const tasksPerWorker = random() < 0.15 ? 1 : random() < 0.1 ? 5 : 100
    const cancellation = new AbortController()
    const one = attempt(taskId, { mapIndex: i, conf: { gate }, dag: { ...attempt(taskId).dag, tasksPerWorker } })
    const ended = workers.run(one, cancellation.signal, () => {
      if (random() < 0.05) cancellation.abort()
    })
    all.push(ended.then(({ startedAt, endedAt }) => startedAt && endedAt && spans.push({ from: startedAt, to: endedAt })))
    if (random() < 0.1) cancellation.abort()
    if (random() < 0.05) workers.filesChanged()
    for (let turns = whole(random, 0, 3); turns > 0; turns--) await turn()
  }
  await Promise.all(all)
  for (const { from } of spans) assert.ok(spans.filter((other) => other.from <= from && from < other.to).length <= places)
  await rm(gate)
  const begun = Array.from({ length: places }, (_, mapIndex) => {
    const stop = new AbortController()
    return new Promise<AbortController>((resolve) => {
      all.push(run('holds', { conf: { gate }, mapIndex, signal: stop.signal, onStart: () => resolve(stop) }))
    })
  })
  await Promise.all(begun)
  await writeFile(gate, '')
  await Promise.all(all)
})
