/** What a try has begun elsewhere when it is lost with its platform: the next try takes it over, and where none comes it is cancelled. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { changed, inlinePlatform } from '../../test/inline-platform.ts'
import type { InlineWait } from '../adapters/memory/task-runner.ts'
import type { Attempt } from './task-runner.ts'

const job = changed(dag('d', {}, ({ task }) => void task('a', async () => {})).document, { a: { operator: 'Job' } })
const never = () => new Promise(() => {})

/** A task of an operator that is at work, so often begun and lost with its platform. */
async function lost(times: number) {
  const platform = inlinePlatform({ task: never })
  await platform.save(job)
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await platform.settle()
  for (let i = 1; i < times; i++) await inlinePlatform({ task: never, db: platform.db }).settle()
  const cancelled: Attempt[] = []
  const wait: InlineWait = (attempt, { name, args }, signal) => {
    if (signal.aborted && name === 'lost' && args === null) cancelled.push(attempt)
  }
  return { runId, db: platform.db, earlier: platform, next: () => inlinePlatform({ task: never, wait, db: platform.db }), cancelled }
}

test('a lost try is followed by one of the same run, task and index, to which it leaves its XComs and when the task first began', async () => {
  const { runId, earlier, next, cancelled } = await lost(1)
  await earlier.xcoms.save({ dagId: 'd', runId, taskId: 'a', mapIndex: -1, key: 'job_id', value: 'job-7', at: '2019-10-09T12:00:01Z' })
  const platform = next()
  await platform.settle()
  const [attempt] = platform.runner.begun
  assert.deepEqual([attempt?.runId, attempt?.taskId, attempt?.mapIndex, attempt?.tryNumber], [runId, 'a', -1, 2])
  assert.equal(attempt?.firstStartedAt, '2019-10-09T12:00:00.000Z')
  assert.equal((await platform.xcoms.find('d', runId, 'a', 'job_id'))?.value, 'job-7')
  assert.deepEqual(cancelled, [])
})

for (const [how, end] of [
  ['its run is marked', (p, runId) => p.scheduler.setRunState('d', runId, 'failed', 'user:ann')],
  ['it is marked', (p, runId) => p.scheduler.setTaskState('d', runId, [{ taskId: 'a' }], 'success', {}, 'user:ann')],
  ['it is cleared', (p, runId) => p.scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')],
] as [string, (platform: ReturnType<typeof inlinePlatform>, runId: string) => Promise<unknown>][]) {
  test(`when ${how} before another try begins, the operator is asked to cancel what the lost one has begun, once`, async () => {
    const { runId, earlier, next, cancelled } = await lost(1)
    await earlier.scheduler.setPaused('d', true)
    const platform = next()
    await platform.settle()
    assert.equal((await platform.states('d', runId)).a, 'scheduled')
    await end(platform, runId)
    await platform.settle()
    assert.deepEqual(
      cancelled.map(({ taskId, tryNumber }) => [taskId, tryNumber]),
      [['a', 1]],
    )
    assert.deepEqual(await platform.cancellations.listPending(), [])
    await next().settle()
    assert.equal(cancelled.length, 1)
  })
}

test('so it is when the task has been lost too often, also if the platform ends again right then', async () => {
  const { runId, db, next, cancelled } = await lost(4)
  const dying = inlinePlatform({ task: never, wait: never, db })
  await dying.scheduler.poll()
  assert.deepEqual(await dying.states('d', runId), { run: 'failed', a: 'failed' })
  await next().settle()
  assert.deepEqual(
    cancelled.map(({ tryNumber }) => tryNumber),
    [4],
  )
})

test('a task that another try has taken over, or that is a function, leaves nothing to cancel', async () => {
  const { runId, next, cancelled } = await lost(1)
  const platform = next()
  await platform.settle()
  await platform.scheduler.setRunState('d', runId, 'failed', 'user:ann')
  await platform.settle()
  assert.deepEqual(cancelled, [])
})
