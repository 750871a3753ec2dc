/** Tasks that wait without a worker: sensors that look again later, deferred tasks, questions to humans. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { changed, gate, inlinePlatform, START } from '../../test/inline-platform.ts'
import { InlineEnding } from '../adapters/memory/task-runner.ts'
import { ManualClock } from '../core/clock.ts'
import type { InputRequest, Wait } from './task-instance.ts'

const one = () => dag('d', {}, ({ task }) => void task('a', async () => {})).document
const SENSOR = {
  mode: 'reschedule',
  pokeIntervalSeconds: 60,
  exponentialBackoff: false,
  maxWaitSeconds: null,
  timeoutSeconds: 600,
  softFail: false,
} as const
const later = (seconds: number) => new Date(Date.parse(START) + seconds * 1000).toISOString()
const deferred = (wait: Wait, timeoutSeconds: number | null = null) => new InlineEnding({ state: 'deferred', wait, timeoutSeconds })
const QUESTION: InputRequest = {
  ...{ subject: 'Deploy?', body: null, options: ['Approve', 'Reject'], defaults: null, multiple: false, assignees: ['bob'] },
  ...{
    params: { note: '' },
    paramSchemas: { note: { type: 'string' } },
    respondedBy: null,
    respondedAt: null,
    chosen: null,
    paramsInput: null,
  },
}

test('a sensor gives its slot back between two looks, and all looks are one try', async () => {
  let looks = 0
  const { save, scheduler, settle, states, clock, runner, instances } = inlinePlatform({
    task: () => (++looks < 3 ? new InlineEnding({ state: 'rescheduled', at: later(looks * 60) }) : 'found'),
  })
  await save(changed(one(), { a: { sensor: SENSOR } }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'up_for_reschedule' })
  assert.equal(await scheduler.poll(), 60_000)
  clock.advance(60_000)
  await settle()
  clock.advance(60_000)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  assert.deepEqual(
    runner.begun.map(({ tryNumber, rescheduleCount, firstStartedAt }) => [tryNumber, rescheduleCount, firstStartedAt]),
    [
      [1, 0, null],
      [1, 1, '2019-10-09T12:00:00.000Z'],
      [1, 2, '2019-10-09T12:00:00.000Z'],
    ],
  )
  assert.equal((await instances.find('d', runId, 'a'))?.tryNumber, 1)
})

test('the timeout of a sensor counts from its first look also when it is tried again, which is another try', async () => {
  let looks = 0
  const { save, scheduler, settle, clock, runner } = inlinePlatform({
    task: () => {
      looks += 1
      if (looks === 1) return new InlineEnding({ state: 'rescheduled', at: later(60) })
      if (looks === 2) throw new Error('broken')
      return 'found'
    },
  })
  await save(changed(one(), { a: { sensor: SENSOR, retries: 1, retryDelaySeconds: 30 } }))
  await scheduler.trigger('d', {}, 'user:ann')
  for (let i = 0; i < 3; i++) {
    await settle()
    clock.advance(60_000)
  }
  assert.deepEqual(
    runner.begun.map(({ tryNumber, rescheduleCount, firstStartedAt }) => [tryNumber, rescheduleCount, firstStartedAt?.slice(11, 19)]),
    [
      [1, 0, undefined],
      [1, 1, '12:00:00'],
      [2, 0, '12:00:00'],
    ],
  )
})

test('a task deferred to a time holds no slot and goes on then, in the same try', async () => {
  const { save, scheduler, settle, states, clock, runner } = inlinePlatform({
    limits: { parallelism: 1 },
    task: ({ taskId, resume }) => (taskId === 'a' && !resume ? deferred({ kind: 'time', at: later(3600) }) : 1),
  })
  await save(dag('d', {}, ({ task }) => ['a', 'b'].forEach((name) => void task(name, async () => {}))).document)
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'deferred', b: 'success' })
  clock.advance(3_600_000)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success', b: 'success' })
  assert.deepEqual(
    runner.begun.map(({ taskId, tryNumber, resume }) => [taskId, tryNumber, resume]),
    [
      ['a', 1, null],
      ['b', 1, null],
      ['a', 1, { value: null }],
    ],
  )
})

test('a deferred task keeps its slots of a pool that counts those that wait', async () => {
  const { save, scheduler, settle, states, pools } = inlinePlatform({
    task: ({ taskId }) => (taskId === 'a' ? deferred({ kind: 'time', at: later(3600) }) : 1),
  })
  const { document } = dag('d', {}, ({ task }) => ['a', 'b'].forEach((name) => void task(name, async () => {})))
  await pools.save({ name: 'narrow', slots: 1, description: null, includeDeferred: true })
  await save(changed(document, { a: { pool: 'narrow' }, b: { pool: 'narrow' } }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'deferred', b: 'scheduled' })
  await pools.save({ name: 'narrow', slots: 1, description: null, includeDeferred: false })
  scheduler.poolsChanged()
  await settle()
  assert.equal((await states('d', runId)).b, 'success')
})

test('a trigger that is waited for survives the platform, and its answer or its failure is what the task goes on with', async () => {
  const answer = gate<unknown>()
  const waited: string[] = []
  const options = {
    task: ({ resume }: { resume: unknown }) => (resume === null ? deferred({ kind: 'trigger', name: 'job', args: { id: 7 } }) : resume),
    wait: async (_: unknown, { name, args }: { name: string; args: unknown }) => {
      waited.push(`${name} ${JSON.stringify(args)}`)
      return answer.opened
    },
  }
  const first = inlinePlatform(options)
  await first.save(one())
  const { runId } = await first.scheduler.trigger('d', {}, 'user:ann')
  await first.settle()
  const second = inlinePlatform({ ...options, db: first.db })
  await second.settle()
  assert.deepEqual(waited, ['job {"id":7}', 'job {"id":7}'])
  assert.deepEqual(await second.states('d', runId), { run: 'running', a: 'deferred' })
  answer.open('done')
  await second.settle()
  assert.deepEqual(await second.states('d', runId), { run: 'success', a: 'success' })
  assert.deepEqual((await second.xcoms.find('d', runId, 'a', 'return_value'))?.value, { value: 'done' })

  const broken = inlinePlatform({ ...options, wait: () => Promise.reject(new Error('the job is gone')) })
  await broken.save(one())
  const other = await broken.scheduler.trigger('d', {}, 'user:ann')
  await broken.settle()
  assert.deepEqual((await broken.xcoms.find('d', other.runId, 'a', 'return_value'))?.value, { error: 'the job is gone' })
})

test('a wait that takes too long ends, and the task hears of it; what it has begun elsewhere is its own to end', async () => {
  const signals: AbortSignal[] = []
  const { save, scheduler, settle, clock, xcoms } = inlinePlatform({
    task: ({ resume }) => (resume === null ? deferred({ kind: 'trigger', name: 'job', args: null }, 60) : resume),
    wait: (_attempt, _wait, signal) => {
      signals.push(signal)
      return new Promise(() => {})
    },
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  clock.advance(60_000)
  await settle()
  assert.deepEqual((await xcoms.find('d', runId, 'a', 'return_value'))?.value, { error: 'What it waited for has not come in time.' })
  assert.equal(signals[0]?.aborted, true)
})

test('a task that is marked while it is about to defer has what it has begun elsewhere cancelled', async () => {
  const begun = gate<void>()
  const signals: AbortSignal[] = []
  const { save, scheduler, settle } = inlinePlatform({
    task: async () => {
      await begun.opened
      return deferred({ kind: 'trigger', name: 'job', args: null })
    },
    wait: async (_attempt, _wait, signal) => void signals.push(signal),
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.setRunState('d', runId, 'failed', 'user:ann')
  begun.open()
  await settle()
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  )
})

test('a deferred task runs out of time with its try: what it did before it was deferred counts', async () => {
  const clock = new ManualClock(START)
  const { save, scheduler, settle, states } = inlinePlatform({
    clock,
    task: ({ resume }) => {
      if (resume && 'error' in resume) throw new Error(resume.error)
      clock.advance(20_000)
      return deferred({ kind: 'trigger', name: 'job', args: null }, 3600)
    },
    wait: () => new Promise(() => {}),
  })
  await save(changed(one(), { a: { executionTimeoutSeconds: 60 } }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  clock.advance(39_000)
  await settle()
  assert.equal((await states('d', runId)).a, 'deferred')
  clock.advance(1_000)
  await settle()
  assert.equal((await states('d', runId)).a, 'failed')
})

test('clearing or marking a deferred task cancels what it waits for; a platform that stops cancels nothing', async () => {
  const signals: AbortSignal[] = []
  const { save, scheduler, settle, states, begun } = inlinePlatform({
    task: () => deferred({ kind: 'trigger', name: 'job', args: null }),
    wait: (_attempt, _wait, signal) => {
      signals.push(signal)
      return new Promise(() => {})
    },
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await settle()
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  )
  assert.deepEqual(begun(), ['a#1', 'a#2'])
  await scheduler.setTaskState('d', runId, [{ taskId: 'a' }], 'success', {}, 'user:ann')
  assert.equal(signals[1]?.aborted, true)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  const { runId: another } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.stop()
  assert.equal(signals[2]?.aborted, false)
  assert.deepEqual(await states('d', another), { run: 'running', a: 'deferred' })
})

test('a question waits for one of those who may answer, with an answer that fits', async () => {
  const { save, scheduler, settle, states, xcoms } = inlinePlatform({
    task: ({ resume }) => (resume === null ? deferred({ kind: 'input', request: QUESTION }) : resume),
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'deferred' })
  const answer = (chosen: string[], paramsInput: Record<string, unknown>, by: string) =>
    scheduler.answerInput('d', runId, 'a', -1, { chosen, paramsInput }, by)
  await assert.rejects(answer(['Approve'], {}, 'user:eve'), /waits for an answer of bob/)
  await assert.rejects(answer(['Approve', 'Reject'], { other: 1, note: 2 }, 'user:bob'), ({ problems }: { problems: string[] }) => {
    assert.equal(problems.length, 3)
    return true
  })
  const instance = await answer(['Approve'], { note: 'fine' }, 'user:bob')
  assert.equal(instance.deferral?.wait.kind === 'input' && instance.deferral.wait.request.respondedBy, 'user:bob')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  assert.deepEqual((await xcoms.find('d', runId, 'a', 'return_value'))?.value, {
    value: { chosen: ['Approve'], paramsInput: { note: 'fine' }, respondedBy: 'user:bob', respondedAt: '2019-10-09T12:00:00.000Z' },
  })
  await assert.rejects(answer(['Approve'], {}, 'user:bob'), /does not wait for an answer: it is success/)
})

test('a question that nobody answers in time takes its defaults', async () => {
  const { save, scheduler, settle, xcoms, clock } = inlinePlatform({
    task: ({ resume }) => (resume === null ? deferred({ kind: 'input', request: { ...QUESTION, defaults: ['Reject'] } }, 60) : resume),
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  clock.advance(60_000)
  await settle()
  assert.deepEqual((await xcoms.find('d', runId, 'a', 'return_value'))?.value, {
    value: { chosen: ['Reject'], paramsInput: { note: '' }, respondedBy: null, respondedAt: null },
  })
})
