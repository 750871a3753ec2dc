/** Branches, setups and teardowns, the run before, and what ends a run early. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagBuilder, type DagOptions, dag } from '@daggerboard/dag'
import { changed, gate, inlinePlatform } from '../../test/inline-platform.ts'
import { InlineEnding, type InlineTask } from '../adapters/memory/task-runner.ts'
import type { Skip } from './task-instance.ts'

const written = (build: (builder: DagBuilder) => void, options: DagOptions = {}) => dag('d', options, build).document
/** A DAG of empty tasks: `edges` as `a>b`. */
const graph = (edges: string, options: DagOptions = {}) =>
  written(({ task }) => {
    const tasks = new Map([...new Set(edges.split(/[ >]/))].map((name) => [name, task(name, async () => {})]))
    for (const line of edges.split(' ')) {
      const [from = '', to] = line.split('>')
      if (to) tasks.get(to)?.after(tasks.get(from) as NonNullable<ReturnType<typeof tasks.get>>)
    }
  }, options)
const skipping = (skip: Skip): InlineEnding => new InlineEnding({ state: 'success', output: null, skip })
const failing =
  (...names: string[]): InlineTask =>
  ({ taskId }) => {
    if (names.includes(taskId)) throw new Error('no')
  }

async function run(document: ReturnType<typeof graph>, task: InlineTask) {
  const platform = inlinePlatform({ task })
  await platform.save(document)
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await platform.settle()
  return { ...platform, runId, found: await platform.states('d', runId) }
}

test('a branch skips the tasks right after it that it has not chosen, but not what also comes after the chosen ones', async () => {
  const document = graph('branch>a branch>b a>join b>join branch>join')
  const { found } = await run(
    changed(document, { join: { triggerRule: 'none_failed' } }),
    ({ taskId }) => taskId === 'branch' && skipping({ followed: ['a'] }),
  )
  assert.deepEqual(found, { run: 'success', branch: 'success', a: 'success', b: 'skipped', join: 'success' })
})

test('a task that a branch has skipped is skipped again when it is cleared, as long as the branch stands', async () => {
  const { scheduler, settle, states, runId, begun } = await run(
    graph('branch>a branch>b'),
    ({ taskId }) => taskId === 'branch' && skipping({ followed: ['a'] }),
  )
  const cleared = await scheduler.setTaskState('d', runId, [{ taskId: 'b' }], 'failed', {}, 'user:ann')
  assert.equal(cleared.length, 1)
  await scheduler.clearRun('d', runId, { onlyFailed: true, dryRun: false }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', branch: 'success', a: 'success', b: 'skipped' })
  assert.deepEqual(begun(), ['branch#1', 'a#1'])
})

test('a short circuit skips all that comes after it whatever its trigger rule, or only what comes right after it', async () => {
  const document = changed(graph('check>a a>b other>b'), { check: { flow: 'shortCircuit' }, b: { triggerRule: 'all_done' } })
  const skip = (all: 'direct' | 'descendants') => run(document, ({ taskId }) => taskId === 'check' && skipping({ all }))
  assert.deepEqual((await skip('descendants')).found, { run: 'success', check: 'success', a: 'skipped', b: 'skipped', other: 'success' })
  assert.deepEqual((await skip('direct')).found, { run: 'success', check: 'success', a: 'skipped', b: 'success', other: 'success' })
})

test('latest only: runs of the past skip what comes after, without a worker; a run by hand does not', async () => {
  const document = changed(graph('latest>a', { schedule: '@daily', startDate: '2019-10-05', catchup: true }), {
    latest: { flow: 'latestOnly' },
  })
  const { save, scheduler, settle, states, begun } = inlinePlatform()
  await save(document)
  await settle()
  assert.deepEqual(await states('d', 'scheduled__2019-10-06T00:00:00+00:00'), { run: 'success', latest: 'success', a: 'skipped' })
  assert.deepEqual(await states('d', 'scheduled__2019-10-08T00:00:00+00:00'), { run: 'success', latest: 'success', a: 'success' })
  const { runId } = await scheduler.trigger('d', { logicalDate: new Date('2019-01-01') }, 'user:ann')
  await settle()
  assert.equal((await states('d', runId)).a, 'success')
  assert.deepEqual(begun(), ['a#1', 'a#1'])
})

const around = () =>
  changed(graph('setup>work work>teardown setup>teardown work>after'), {
    setup: { role: 'setup' },
    teardown: { role: 'teardown', setups: ['setup'], failsRun: false },
  })

test('a teardown runs although the work has failed, and by itself says nothing about the run', async () => {
  assert.deepEqual((await run(around(), failing('work'))).found, {
    ...{ run: 'failed', setup: 'success', work: 'failed', teardown: 'success', after: 'upstream_failed' },
  })
  assert.equal((await run(around(), failing('teardown'))).found.run, 'success')
  assert.equal((await run(changed(around(), { teardown: { failsRun: true } }), failing('teardown'))).found.run, 'failed')
})

test('without its setup neither the work nor the teardown runs', async () => {
  assert.deepEqual((await run(around(), failing('setup'))).found, {
    ...{ run: 'failed', setup: 'failed', work: 'upstream_failed', teardown: 'upstream_failed', after: 'upstream_failed' },
  })
})

test('a task between a setup and its teardown needs the setup also when others lie between them', async () => {
  const document = changed(graph('setup>a a>b b>teardown setup>teardown'), {
    setup: { role: 'setup' },
    b: { triggerRule: 'all_done' },
    teardown: { role: 'teardown', setups: ['setup'] },
  })
  assert.equal((await run(document, failing('setup'))).found.b, 'upstream_failed')
  assert.equal((await run(document, failing('a'))).found.b, 'success')
})

test('a teardown waits for all that lies between its setup and it, also for what the tasks right before it do not wait for', async () => {
  const working = gate()
  const { save, scheduler, settle, states } = inlinePlatform({ task: ({ taskId }) => (taskId === 'a' ? working.opened : null) })
  const document = changed(graph('setup>a a>b b>teardown setup>teardown'), {
    setup: { role: 'setup' },
    b: { triggerRule: 'always' },
    teardown: { role: 'teardown', setups: ['setup'] },
  })
  await save(document)
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', setup: 'success', a: 'running', b: 'success', teardown: 'none' })
  working.open()
  await settle()
  assert.equal((await states('d', runId)).teardown, 'success')
})

test('marked failed, a run still runs its teardowns before it ends', async () => {
  const working = gate()
  const { save, scheduler, settle, states } = inlinePlatform({ task: ({ taskId }) => (taskId === 'work' ? working.opened : null) })
  await save(around())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.setRunState('d', runId, 'failed', 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), {
    run: 'failed',
    setup: 'success',
    work: 'failed',
    teardown: 'success',
    after: 'upstream_failed',
  })
})

const daily = (facts: Parameters<typeof changed>[1]) =>
  changed(graph('a>b', { schedule: '@daily', startDate: '2019-10-06', catchup: true }), facts)
const day = (n: number) => `scheduled__2019-10-0${n}T00:00:00+00:00`

test('a task that depends on the past waits for the run before, and its run is no deadlock', async () => {
  const first = gate()
  const { save, settle, states } = inlinePlatform({
    task: ({ taskId, logicalDate }) => taskId === 'a' && logicalDate?.startsWith('2019-10-06') && first.opened,
  })
  await save(daily({ a: { dependsOnPast: true } }))
  await settle()
  assert.deepEqual(await states('d', day(6)), { run: 'running', a: 'running', b: 'none' })
  assert.deepEqual(await states('d', day(7)), { run: 'running', a: 'none', b: 'none' })
  first.open()
  await settle()
  for (const n of [6, 7, 8]) assert.deepEqual(await states('d', day(n)), { run: 'success', a: 'success', b: 'success' })
})

test('it goes on when the run before, which had failed and ended, is mended', async () => {
  let isBroken = true
  const { save, scheduler, settle, states } = inlinePlatform({
    task: ({ taskId, logicalDate }) => {
      if (taskId === 'a' && isBroken && logicalDate?.startsWith('2019-10-06')) throw new Error('no')
    },
  })
  await save(daily({ a: { dependsOnPast: true } }))
  await settle()
  assert.deepEqual(await states('d', day(6)), { run: 'failed', a: 'failed', b: 'upstream_failed' })
  assert.deepEqual(await states('d', day(7)), { run: 'running', a: 'none', b: 'none' })
  const { reasons } = await scheduler.explain('d', day(7), 'a')
  assert.match(reasons[0]?.sentence ?? '', /depends on the run before, "scheduled__2019-10-06.*", where it has not succeeded/)
  isBroken = false
  await scheduler.clearRun('d', day(6), { onlyFailed: true, dryRun: false }, 'user:ann')
  await settle()
  for (const n of [6, 7, 8]) assert.equal((await states('d', day(n))).run, 'success')
})

test('wait for downstream waits for the tasks right after it, too', async () => {
  const first = gate()
  const { save, settle, states } = inlinePlatform({
    task: ({ taskId, logicalDate }) => taskId === 'b' && logicalDate?.startsWith('2019-10-06') && first.opened,
  })
  await save(daily({ a: { waitForDownstream: true } }))
  await settle()
  assert.deepEqual(await states('d', day(7)), { run: 'running', a: 'none', b: 'none' })
  first.open()
  await settle()
  assert.deepEqual(await states('d', day(8)), { run: 'success', a: 'success', b: 'success' })
})

test('a DAG that fails fast ends with its first failure', async () => {
  const working = gate()
  const document = changed(graph('a>b c>e'), {}, { failFast: true })
  const { found } = await run(document, ({ taskId }) => {
    if (taskId === 'a') throw new Error('no')
    return working.opened
  })
  assert.deepEqual(found, { run: 'failed', a: 'failed', b: 'skipped', c: 'failed', e: 'skipped' })
})

test('a run that takes longer than it may fails: what runs is ended, and what is not through is skipped', async () => {
  const signals: AbortSignal[] = []
  const { save, scheduler, settle, states, clock } = inlinePlatform({
    task: (_, signal) => {
      signals.push(signal)
      return new Promise(() => {})
    },
  })
  await save(changed(graph('a>b'), {}, { runTimeoutSeconds: 60 }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.equal(await scheduler.poll(), 60_000)
  clock.advance(60_000)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'failed', a: 'skipped', b: 'skipped' })
  assert.equal(signals[0]?.aborted, true)
})

test('a DAG whose runs fail so often in a row is paused', async () => {
  const { save, scheduler, settle, dags } = inlinePlatform({ task: failing('a') })
  await save(changed(graph('a'), {}, { maxConsecutiveFailedRuns: 2 }))
  for (const isPaused of [false, true]) {
    await scheduler.trigger('d', {}, 'user:ann')
    await settle()
    assert.equal((await dags.find('d'))?.isPaused, isPaused)
  }
})

test('params that do not fit their schemas are refused, all of them at once', async () => {
  const { save, scheduler } = inlinePlatform()
  const paramSchemas = { size: { type: 'integer', minimum: 1 }, name: { type: 'string' }, day: { type: 'string' } }
  await save(changed(graph('a'), {}, { params: { size: 3, name: 'x' }, paramSchemas }))
  await assert.rejects(scheduler.trigger('d', { conf: { size: 0, name: 7 } }, 'user:ann'), ({ problems }: { problems: string[] }) => {
    assert.deepEqual(
      problems.map((problem) => problem.split(' ').slice(0, 2).join(' ')),
      ['Param "size"', 'Param "name"', 'Param "day"'],
    )
    return true
  })
  await scheduler.trigger('d', { conf: { day: 'Monday', more: true } }, 'user:ann')
})
