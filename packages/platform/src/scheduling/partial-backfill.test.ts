/** Backfills of only some tasks, over runs that are there already. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { inlinePlatform } from '../../test/inline-platform.ts'
import { InlineEnding } from '../adapters/memory/task-runner.ts'
import type { BackfillRequest } from './backfill.ts'
import { clearRunRequest } from './clear.ts'

const DAY = new Date('2019-09-01T00:00:00Z')
const RUN = 'backfill__2019-09-01T00:00:00+00:00'
const BACKFILL: BackfillRequest = {
  ...{ dagId: 'd', from: DAY, to: DAY, reprocess: 'completed', maxActiveRuns: 1, isBackwards: false, conf: {} },
  tasks: null,
}
const OPTIONS = { schedule: '@daily', startDate: '2019-12-01' } as const

const abc = () =>
  dag('d', OPTIONS, ({ task }) => {
    const a = task('a', () => null)
    const b = task('b', () => null).after(a)
    task('c', () => null).after(b)
  }).document

test('a whole run that a backfill of some tasks has run again stays whole: its other tasks can be cleared, also after a restart', async () => {
  const first = inlinePlatform()
  await first.save(abc())
  await first.scheduler.createBackfill(BACKFILL, 'user:ann')
  await first.settle()
  await first.scheduler.createBackfill({ ...BACKFILL, tasks: ['a'] }, 'user:ann')
  await first.settle()
  assert.deepEqual(first.begun(), ['a#1', 'b#1', 'c#1', 'a#2'])
  await first.scheduler.clear('d', { ...clearRunRequest(RUN, { onlyFailed: false, dryRun: false }), taskIds: ['c'] }, 'user:ann')
  await first.settle()
  const second = inlinePlatform({ db: first.db })
  await second.scheduler.clear('d', { ...clearRunRequest(RUN, { onlyFailed: false, dryRun: false }), taskIds: ['b'] }, 'user:ann')
  await second.settle()
  assert.deepEqual([first.begun().slice(4), second.begun()], [['c#2'], ['b#2']])
  assert.deepEqual(await second.states('d', RUN), { run: 'success', a: 'success', b: 'success', c: 'success' })
})

test('a run of some tasks gets those of a later backfill as well, and no others', async () => {
  const { save, scheduler, settle, states, begun } = inlinePlatform()
  await save(abc())
  await scheduler.createBackfill({ ...BACKFILL, tasks: ['b'] }, 'user:ann')
  await settle()
  await scheduler.createBackfill({ ...BACKFILL, tasks: ['c'] }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', RUN), { run: 'success', b: 'success', c: 'success' })
  assert.deepEqual(begun(), ['b#1', 'c#1'])
})

test('in a backfill of some tasks a branch may choose one that is none of them: the others after it are skipped', async () => {
  const { document } = dag('d', OPTIONS, ({ task, branch }) => {
    const choose = branch('choose', () => 'left')
    task('left', () => null).after(choose)
    task('right', () => null).after(choose)
  })
  const { save, scheduler, settle, states, runner } = inlinePlatform({
    task: ({ taskId }) => (taskId === 'choose' ? new InlineEnding({ state: 'success', output: null, skip: { followed: ['left'] } }) : null),
  })
  await save(document)
  await scheduler.createBackfill({ ...BACKFILL, tasks: ['choose', 'right'] }, 'user:ann')
  await settle()
  assert.deepEqual(runner.begun[0]?.task.downstream, ['left', 'right'])
  assert.deepEqual(await states('d', RUN), { run: 'success', choose: 'success', right: 'skipped' })
})
