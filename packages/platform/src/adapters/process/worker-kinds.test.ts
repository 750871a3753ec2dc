/** The kinds of work that workers do: branches, waits, callbacks, mapped tasks. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { poolOver as pool } from '../../../test/worker-pool.ts'
import type { WaitEvent } from '../../scheduling/task-instance.ts'

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
    const say = ({ which, taskId, reason, exception, log }) => { log('called: ' + which + ' ' + taskId + ': ' + reason + ' ' + exception); appendFileSync(new URL('said', import.meta.url), which + ' ') }
    export default dag('d', { onFailure: say, deadlines: [{ reference: 'queuedAt', interval: '1h', callback: say }] }, ({ task }) => {
      task('a', async () => 1, { onExecute: say, onFailure: [() => { throw new Error('bad callback') }, say] })
    })`,
  )
  const signal = new AbortController().signal
  const about = { id: '1', dagId: 'd', runId: 'r', file: 'd.ts' }
  await run('a')
  assert.match(await log('a'), /called: onExecute a: The task begins\. null/)
  await assert.rejects(workers.call({ ...about, which: 'onFailure', attempt: attempt('a'), reason: 'it broke' }, signal), /bad callback/)
  assert.match(await log('a'), /The callback onFailure has thrown: Error: bad callback[\s\S]*called: onFailure a: it broke it broke/)
  await workers.call({ ...about, which: 'onFailure', attempt: null, reason: 'the run broke' }, signal)
  await workers.call({ ...about, which: 'deadline:0', attempt: null, reason: 'late' }, signal)
})

test('callbacks that never end are ended, and the log of the try says so', async (t) => {
  const { workers, attempt, log } = await pool(
    t,
    `const never = () => new Promise(() => {})
    export default dag('d', {}, ({ task }) => {
      task('hangs', async () => 1, { onSuccess: never })
      task('blocks', async () => 1, { onSuccess: () => { for (;;) {} } })
      task('exits', async () => 1, { onSuccess: () => process.exit(3) })
      task('tells', async () => 1, { onSuccess: ({ log }) => log('told') })
    })`,
    { callbackSeconds: 2 },
  )
  const call = (task: string) =>
    workers.call(
      { id: '1', dagId: 'd', runId: 'r', file: 'd.ts', which: 'onSuccess', attempt: attempt(task), reason: 'it is over' },
      new AbortController().signal,
    )
  const tooLong = /took longer than the 2 s that a callback has/
  await Promise.all([assert.rejects(call('hangs'), tooLong), assert.rejects(call('blocks'), tooLong)])
  await assert.rejects(call('exits'), /ended with exit status 3/)
  assert.match(await log('hangs'), /The callback onSuccess has failed: It took longer/)
  assert.match(await log('exits'), /The callback onSuccess has failed: The worker process ended with exit status 3/)
  await call('tells')
  assert.match(await log('tells'), /told/)
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
