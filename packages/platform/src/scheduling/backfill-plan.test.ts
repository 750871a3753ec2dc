import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DagDocument } from '@daggerboard/dag'
import { madeUpDag, madeUpInstance, madeUpRun } from '../../test/made-up-dag.ts'
import type { Backfill, BackfillRequest } from './backfill.ts'
import {
  type BackfillFacts,
  backfillDates,
  backfillRun,
  backfillRunsToStart,
  MAX_BACKFILL_DATES,
  partialDocument,
  planBackfill,
  reprocessRequest,
  takeOver,
} from './backfill-plan.ts'
import { clear } from './clear.ts'
import type { DagRun } from './dag-run.ts'
import { timetable } from './timetable.ts'

const NOW = new Date('2024-02-01T00:00:00Z')

const day = (text: string) => new Date(`${text}T00:00:00Z`)

const request = (facts: Partial<BackfillRequest> = {}): BackfillRequest => ({
  dagId: 'wind',
  from: day('2024-01-03'),
  to: day('2024-01-06'),
  reprocess: 'none',
  maxActiveRuns: 10,
  isBackwards: false,
  conf: {},
  tasks: null,
  ...facts,
})

const backfill = (facts: Partial<Backfill> = {}): Backfill => ({
  ...request(),
  id: 7,
  from: '',
  to: '',
  isPaused: false,
  createdBy: 'ann',
  createdAt: '',
  updatedAt: '',
  completedAt: null,
  ...facts,
})

function plan(
  asked: BackfillRequest,
  { document = madeUpDag({ a: {} }), runs = [] as readonly DagRun[], ...facts }: Partial<BackfillFacts> & { runs?: readonly DagRun[] } = {},
) {
  return planBackfill(asked, {
    document,
    timetable: timetable(document.schedule, document.timezone),
    active: [],
    existing: (logicalDate) => runs.find((run) => run.logicalDate === logicalDate) ?? null,
    now: NOW,
    ...facts,
  })
}

const shown = (planned: ReturnType<typeof plan>) =>
  planned.map(({ logicalDate, exceptionReason, existing }) =>
    [logicalDate.toISOString().slice(8, 10), exceptionReason, existing && 'again'].filter(Boolean).join(' '),
  )

const problemsOf = (work: () => unknown): readonly string[] => {
  try {
    work()
  } catch (error) {
    return (error as { problems: readonly string[] }).problems
  }
  return []
}

test('a backfill has a run for each date of the schedule, the first and the last one included', () => {
  assert.deepEqual(shown(plan(request())), ['03', '04', '05', '06'])
  assert.deepEqual(shown(plan(request({ isBackwards: true }))), ['06', '05', '04', '03'])
  assert.deepEqual(shown(plan(request({ from: new Date('2024-01-03T00:00:01Z') }))), ['04', '05', '06'])
  const [first] = plan(request())
  assert.deepEqual(first?.interval, { start: day('2024-01-03'), end: day('2024-01-04') })
})

test('dates whose time has not come yet are left out', () => {
  assert.deepEqual(shown(plan(request({ from: day('2024-01-30'), to: day('2024-02-10') }))), ['30', '31'])
})

test('dates that have a run are run again as asked for, and never what is under way', () => {
  const runs = [
    madeUpRun('2024-01-03', { state: 'success' }),
    madeUpRun('2024-01-04', { state: 'failed' }),
    madeUpRun('2024-01-05', { state: 'running' }),
  ]
  assert.deepEqual(shown(plan(request(), { runs })), ['03 already exists', '04 already exists', '05 in flight', '06'])
  assert.deepEqual(shown(plan(request({ reprocess: 'failed' }), { runs })), ['03 already exists', '04 again', '05 in flight', '06'])
  assert.deepEqual(shown(plan(request({ reprocess: 'completed' }), { runs })), ['03 again', '04 again', '05 in flight', '06'])
})

test('what is recorded of a plan says which dates get no run, and numbers them in their order', () => {
  const runs = [madeUpRun('2024-01-06', { state: 'success' })]
  const dates = backfillDates(plan(request({ isBackwards: true }), { runs }))
  assert.deepEqual(dates[0], { ordinal: 1, logicalDate: '2024-01-06T00:00:00.000Z', runId: null, exceptionReason: 'already exists' })
  assert.deepEqual(dates[1], { ordinal: 2, logicalDate: '2024-01-05T00:00:00.000Z', runId: null, exceptionReason: null })
})

test('a backfill without a date is not made', () => {
  assert.throws(() => backfillDates(plan(request({ from: day('2024-01-31'), to: day('2024-01-31') }), { now: day('2024-01-31') })), {
    code: 'invalid',
  })
})

test('a DAG has one backfill at a time, and needs a schedule with dates', () => {
  assert.throws(() => plan(request(), { active: [backfill()] }), { code: 'conflict', message: /has a backfill already: number 7/ })
  assert.doesNotThrow(() => plan(request(), { active: [backfill({ dagId: 'other' })] }))
  for (const schedule of [{ kind: 'none' }, { kind: 'once', text: '@once' }, { kind: 'continuous', text: '@continuous' }] as const) {
    assert.throws(() => plan(request(), { document: madeUpDag({ a: {} }, { schedule }) }), {
      code: 'conflict',
      message: /no regular dates/,
    })
  }
})

test('all that is wrong with a request is said at once', () => {
  const document = madeUpDag({ a: { dependsOnPast: true }, b: {} })
  const problems = problemsOf(() =>
    plan(request({ from: day('2024-01-09'), isBackwards: true, maxActiveRuns: 0, tasks: ['nothing'] }), {
      document,
      confProblems: ['x must be a number.'],
    }),
  )
  assert.deepEqual(problems, [
    'from_date 2024-01-09T00:00:00.000Z is after to_date 2024-01-06T00:00:00.000Z.',
    'max_active_runs must be a whole number from 1 up.',
    'run_backwards does not go with depends_on_past, which task "a" has.',
    'reprocess_behavior none does not go with depends_on_past, which task "a" has. Choose failed or completed.',
    'No task is called or matches "nothing".',
    'x must be a number.',
  ])
  assert.match(problemsOf(() => plan(request({ from: day('2024-03-01'), to: day('2024-03-02') })))[0] ?? '', /in the future/)
  const minutely = madeUpDag({ a: {} }, { schedule: { kind: 'cron', expression: '* * * * *', interval: true, text: '' } })
  assert.throws(() => plan(request({ from: day('2023-11-01'), to: NOW }), { document: minutely }), {
    message: new RegExp(`at most ${MAX_BACKFILL_DATES} dates`),
  })
})

test('only a run of the backfill has its number and place', () => {
  const date = { ordinal: 2, logicalDate: '2024-01-05T00:00:00.000Z' }
  const made = backfillRun(backfill({ conf: { x: 1 } }), date, { start: day('2024-01-05'), end: day('2024-01-06') }, NOW)
  assert.equal(made.runId, 'backfill__2024-01-05T00:00:00+00:00')
  assert.deepEqual([made.runType, made.backfill, made.conf, made.createdBy], ['backfill', { id: 7, ordinal: 2 }, { x: 1 }, 'ann'])
  const taken = takeOver(madeUpRun('2024-01-05', { conf: { own: true } }), backfill(), 2)
  assert.deepEqual([taken.runType, taken.backfill, taken.conf], ['backfill', { id: 7, ordinal: 2 }, { own: true }])
})

test('a run that runs again is cleared as a whole, or only in the tasks of the backfill', () => {
  const document = madeUpDag({ a: {}, b: { upstream: ['a'] } })
  const run = madeUpRun('2024-01-05', { state: 'success' })
  const instances = ['a', 'b'].map((taskId) => madeUpInstance(document, run, taskId, { state: 'success' }))
  const cleared = (tasks: string[] | null) =>
    clear(document, reprocessRequest(document, { tasks }, run.runId), [{ run, instances }], NOW).selected.map(({ taskId }) => taskId)
  assert.deepEqual(cleared(null), ['a', 'b'])
  assert.deepEqual(cleared(['b']), ['b'])
})

test('as many runs of a backfill are under way as it may have, but only one while other tasks wait for a slot', () => {
  const start = (facts: Partial<Backfill>, activeRuns: number, remaining: number, waitingTasks: number) =>
    backfillRunsToStart(backfill({ maxActiveRuns: 4, ...facts }), { activeRuns, remaining, waitingTasks })
  assert.equal(start({}, 1, 100, 0), 3)
  assert.equal(start({}, 1, 2, 0), 2)
  assert.equal(start({}, 9, 2, 0), 0)
  assert.equal(start({}, 0, 100, 5), 1)
  assert.equal(start({}, 1, 100, 5), 0)
  assert.equal(start({ isPaused: true }, 0, 100, 0), 0)
  assert.equal(start({ completedAt: 'now' }, 0, 100, 0), 0)
})

const shape = (document: DagDocument) => Object.fromEntries(document.tasks.map(({ taskId, upstream }) => [taskId, upstream.join(' ')]))

test('a run of some tasks has these with the setups and teardowns around them, and waits for no other', () => {
  const document = madeUpDag(
    {
      cluster: { role: 'setup' },
      'fit.train': { groupId: 'fit', upstream: ['cluster'] },
      'fit.score': { groupId: 'fit', upstream: ['fit.train'] },
      report: { upstream: ['fit.score'] },
      drop: { role: 'teardown', setups: ['cluster'], upstream: ['fit.score', 'cluster'] },
    },
    { groups: [{ groupId: 'fit', parent: null, tooltip: null, expand: null }] },
  )
  assert.deepEqual(shape(partialDocument(document, ['fit.score'])), { cluster: '', 'fit.score': '', drop: 'fit.score cluster' })
  assert.deepEqual(shape(partialDocument(document, ['report'])), { report: '' })
  assert.deepEqual(Object.keys(shape(partialDocument(document, ['fit']))), ['cluster', 'fit.train', 'fit.score', 'drop'])
  assert.deepEqual(Object.keys(shape(partialDocument(document, ['fit\\.s', 'rep.*']))), ['cluster', 'fit.score', 'report', 'drop'])
})

test('a mapped task comes with the tasks that say how often it is made', () => {
  const each = { kind: 'product', inputs: { row: { task: 'list' }, day: { value: ['mon'] } } } as const
  const document = madeUpDag(
    { list: {}, other: {}, 'each.fit': { groupId: 'each', upstream: ['list', 'other'] }, alone: { expand: each, upstream: ['list'] } },
    { groups: [{ groupId: 'each', parent: null, tooltip: null, expand: { kind: 'records', from: { task: 'list' } } }] },
  )
  assert.deepEqual(shape(partialDocument(document, ['each.fit'])), { list: '', 'each.fit': 'list' })
  assert.deepEqual(shape(partialDocument(document, ['alone'])), { list: '', alone: 'list' })
})

test('no expression takes for ever', () => {
  const document = madeUpDag({ ['a'.repeat(250)]: {} })
  for (const pattern of ['(a+)+b', '(a|a)*b', 'a*a*a*a*b', `${'a?'.repeat(100)}b`, `${'(.|.)'.repeat(40)}b`])
    assert.deepEqual(shape(partialDocument(document, [pattern])), {}, pattern)
})

test('what is no expression is refused, and so are lists that name no task', () => {
  for (const pattern of ['(?=a)a', '[a', 'a'.repeat(300)]) {
    assert.equal(problemsOf(() => plan(request({ tasks: [pattern] }))).length, 1, pattern)
    assert.deepEqual(shape(partialDocument(madeUpDag({ a: {} }), [pattern])), {}, pattern)
  }
  assert.deepEqual(
    problemsOf(() => plan(request({ tasks: [] }))),
    ['No task is named: leave the list out for all of them.'],
  )
})
