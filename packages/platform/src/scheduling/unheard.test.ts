/** Commits that were durable although the scheduler heard of a failure, and platforms that end in between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { gate, inlinePlatform } from '../../test/inline-platform.ts'
import { InlineEnding } from '../adapters/memory/task-runner.ts'
import { AppError } from '../core/app-error.ts'

const one = (options = {}) => dag('d', options, ({ task }) => void task('a', async () => {})).document
const waiting = () => new InlineEnding({ state: 'deferred', wait: { kind: 'trigger', name: 'job', args: { id: 7 } }, timeoutSeconds: null })

/** The next commit is kept, and reported as failed. */
function failNextCommit({ runs }: ReturnType<typeof inlinePlatform>): void {
  const record = runs.record.bind(runs)
  runs.record = async (changes) => {
    runs.record = record
    await record(changes)
    throw new AppError('unavailable', 'The answer was lost.')
  }
}

test('what a deferred task has begun elsewhere is cancelled also when the platform ends right after the task was marked', async () => {
  const cancelled: unknown[] = []
  const dying = inlinePlatform({ task: waiting, wait: () => new Promise(() => {}) })
  await dying.save(one())
  const { runId } = await dying.scheduler.trigger('d', {}, 'user:ann')
  await dying.settle()
  await dying.scheduler.setTaskState('d', runId, [{ taskId: 'a' }], 'failed', {}, 'user:ann')

  const next = inlinePlatform({
    db: dying.db,
    wait: (_, { args }, signal) => {
      if (signal.aborted) cancelled.push(args)
    },
  })
  await next.settle()
  assert.deepEqual(cancelled, [{ id: 7 }])
  assert.deepEqual(await next.cancellations.listPending(), [])

  const third = inlinePlatform({ db: dying.db, wait: () => cancelled.push({ id: 8 }) })
  await third.settle()
  assert.equal(cancelled.length, 1)
})

test('a wait that is cancelled while it goes on is cancelled once', async () => {
  const ended: string[] = []
  const platform = inlinePlatform({
    task: waiting,
    wait: (_, __, signal) =>
      new Promise((_resolve, reject) => {
        if (signal.aborted) ended.push('aborted before')
        signal.addEventListener('abort', () => {
          ended.push('aborted')
          reject(new Error('cancelled'))
        })
      }),
  })
  await platform.save(one())
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await platform.settle()
  await platform.scheduler.setTaskState('d', runId, [{ taskId: 'a' }], 'failed', {}, 'user:ann')
  await platform.settle()
  assert.deepEqual(ended, ['aborted'])
  assert.deepEqual(await platform.cancellations.listPending(), [])
})

test('what was kept by a commit that seemed to fail is told after all, each in the state that it has', async () => {
  const end = gate<number>()
  const platform = inlinePlatform({ task: () => end.opened })
  await platform.save(one())
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await platform.settle()
  platform.told.length = 0
  failNextCommit(platform)
  end.open(1)
  await new Promise(setImmediate)
  await assert.rejects(platform.scheduler.poll(), /The answer was lost/)
  await platform.settle()
  assert.deepEqual(await platform.states('d', runId), { run: 'success', a: 'success' })
  assert.deepEqual(platform.told.map(({ type, facts }) => [type, 'state' in facts ? facts.state : null]).sort(), [
    ['dag_run.changed', 'success'],
    ['task_instance.changed', 'success'],
  ])
})

test('a task that was marked by a commit that seemed to fail does not go on at work', async () => {
  const signals: AbortSignal[] = []
  const platform = inlinePlatform({
    task: (_, signal) => {
      signals.push(signal)
      return new Promise(() => {})
    },
  })
  await platform.save(one())
  const { runId } = await platform.scheduler.trigger('d', {}, 'user:ann')
  await platform.settle()
  failNextCommit(platform)
  await assert.rejects(platform.scheduler.setRunState('d', runId, 'failed', 'user:ann'), /The answer was lost/)
  await platform.settle()
  assert.deepEqual(await platform.states('d', runId), { run: 'failed', a: 'failed' })
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  )
})
