/** What a human was asked stays readable after the task has gone on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { changed, gate, inlinePlatform, START } from '../../test/inline-platform.ts'
import { InlineEnding } from '../adapters/memory/task-runner.ts'
import type { InputRequest, TaskInstance, Wait } from './task-instance.ts'

const QUESTION: InputRequest = {
  ...{ subject: 'Deploy?', body: null, options: ['Approve', 'Reject'], defaults: null, multiple: false, assignees: [] },
  ...{ params: {}, paramSchemas: {}, respondedBy: null, respondedAt: null, chosen: null, paramsInput: null },
}
const one = () => dag('d', {}, ({ task }) => void task('a', async () => {})).document
const asking = (request: InputRequest, timeoutSeconds: number | null = null) =>
  new InlineEnding({ state: 'deferred', wait: { kind: 'input', request } satisfies Wait, timeoutSeconds })
const requestOf = (instance: TaskInstance | null): InputRequest | null =>
  instance?.deferral?.wait.kind === 'input' ? instance.deferral.wait.request : null

test('the answer of a human is kept when the task has ended, and goes when it is cleared', async () => {
  const { save, scheduler, settle, instances, states } = inlinePlatform({ task: ({ resume }) => (resume === null ? asking(QUESTION) : 1) })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.answerInput('d', runId, 'a', -1, { chosen: ['Approve'], paramsInput: {} }, 'user:bob')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  const kept = requestOf(await instances.find('d', runId, 'a'))
  assert.deepEqual([kept?.respondedBy, kept?.chosen, kept?.respondedAt], ['user:bob', ['Approve'], new Date(START).toISOString()])

  await scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'running', a: 'deferred' })
  assert.equal(requestOf(await instances.find('d', runId, 'a'))?.respondedAt, null)
})

test('the default that a question has come to in the end is kept as its answer, by nobody', async () => {
  const { save, scheduler, settle, instances, clock, states } = inlinePlatform({
    task: ({ resume }) => (resume === null ? asking({ ...QUESTION, defaults: ['Reject'] }, 60) : 1),
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  clock.advance(60_000)
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  const kept = requestOf(await instances.find('d', runId, 'a'))
  assert.deepEqual([kept?.respondedBy, kept?.chosen, kept?.respondedAt !== null], [null, ['Reject'], true])
})

test('a task that is tried again after its answer asks again', async () => {
  let tries = 0
  const { save, scheduler, settle, clock, states } = inlinePlatform({
    task: ({ resume }) => {
      if (resume === null) return asking(QUESTION)
      tries += 1
      throw new Error('broken')
    },
  })
  await save(changed(one(), { a: { retries: 1, retryDelaySeconds: 30 } }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.answerInput('d', runId, 'a', -1, { chosen: ['Approve'], paramsInput: {} }, 'user:bob')
  await settle()
  clock.advance(30_000)
  await settle()
  assert.deepEqual([await states('d', runId), tries], [{ run: 'running', a: 'deferred' }, 1])
})

test('a human who has answered is not asked again when the platform ends before the task has gone on', async () => {
  const task = ({ resume }: { resume: unknown }) => (resume === null ? asking(QUESTION) : new Promise(() => {}))
  const first = inlinePlatform({ task })
  await first.save(one())
  const { runId } = await first.scheduler.trigger('d', {}, 'user:ann')
  await first.settle()
  await first.scheduler.answerInput('d', runId, 'a', -1, { chosen: ['Approve'], paramsInput: {} }, 'user:bob')
  await first.settle()
  assert.equal((await first.states('d', runId)).a, 'running')
  const second = inlinePlatform({ db: first.db, task: ({ resume }) => resume ?? asking(QUESTION) })
  await second.settle()
  assert.deepEqual(await second.states('d', runId), { run: 'success', a: 'success' })
  const answer = await second.xcoms.find('d', runId, 'a', 'return_value')
  assert.match(JSON.stringify(answer?.value), /"chosen":\["Approve"\]/)
})

test('a note to a deferred task does not make it miss what it waits for, nor end the wait', async () => {
  const answer = gate<unknown>()
  const begun: AbortSignal[] = []
  const { save, scheduler, settle, states, instances } = inlinePlatform({
    task: ({ resume }) =>
      resume ?? new InlineEnding({ state: 'deferred', wait: { kind: 'trigger', name: 'job', args: {} }, timeoutSeconds: null }),
    wait: (_attempt, _wait, signal) => {
      begun.push(signal)
      return answer.opened
    },
  })
  await save(one())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await scheduler.setTaskNote('d', runId, 'a', -1, 'a long job')
  await settle()
  answer.open('done')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', a: 'success' })
  assert.equal((await instances.find('d', runId, 'a'))?.note, 'a long job')
  assert.deepEqual(
    begun.map(({ aborted }) => aborted),
    [false],
  )
})
