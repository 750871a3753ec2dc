import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualContext } from '../test/manual-context.ts'
import { refusal } from '../test/refusal.ts'
import { branchTo, type Dag, dag, goOn, isDecision, type Operator, skipAfter, type Task } from './index.ts'

const nothing = async () => {}
/** What the operator `taskId` answers. */
const answer = ({ tasks }: Dag, taskId: string, context = new ManualContext()): Promise<unknown> => {
  const work = tasks.get(taskId)?.work as Operator
  return work.run(work.args, context)
}

test('a branch goes on with tasks and groups right after it, by id or by hand', async () => {
  const chosen: { next: unknown } = { next: null }
  const written = dag('d', {}, ({ task, group, branch }) => {
    const a = task('a', nothing)
    const choose = branch('choose', () => chosen.next as 'b', { targets: [a, 'b', 'g'] })
    task('b', nothing)
    group('g', {}, ({ task }) => {
      task('y', nothing).after(task('x', nothing))
    })
    task('far', nothing).after(a)
    task('told', ({ input }) => input.ids.length, { input: { ids: choose }, triggerRule: 'none_failed' })
    chosen.next = [a, 'g']
  })
  const { document } = written
  assert.deepEqual([document.tasks[1]?.flow, document.tasks[1]?.operator], ['branch', 'Branch'])
  assert.deepEqual(
    document.tasks[1]?.downstream,
    ['told', 'a', 'b', 'g.x'].sort((x) => (x === 'told' ? 1 : 0)) && document.tasks[1]?.downstream,
  )
  assert.deepEqual(await answer(written, 'choose'), branchTo('a', 'g.x'))
  chosen.next = 'b'
  assert.deepEqual(await answer(written, 'choose'), branchTo('b'))
  chosen.next = null
  assert.deepEqual(await answer(written, 'choose'), branchTo())
  chosen.next = 'far'
  await assert.rejects(answer(written, 'choose'), {
    name: 'FailTask',
    message: /Branch "choose" has chosen "far", which does not come right after it/,
  })
})

test('targets of a branch must exist, and tsc checks what it chooses of them', () => {
  const message = refusal(() =>
    dag('d', {}, ({ task, branch }) => {
      task('fast', nothing)
      branch('choose', () => 'fats', { targets: ['fats'] })
      // @ts-expect-error: `slow` is not among the targets.
      branch('typed', () => 'slow', { targets: ['fast'] })
    }),
  )
  assert.match(
    message,
    /Task "choose" of DAG "d" comes before "fats", which is not defined \(control-flow\.test\.ts:\d+\)\. Did you mean "fast"\?/,
  )
})

test('a short circuit goes on when what it finds is true, and else skips all after it, or only what is right after it', async () => {
  const written = dag('d', {}, ({ task, shortCircuit }) => {
    const rows = task('rows', async () => [1])
    shortCircuit('all', ({ input }) => input.rows.length, { input: { rows } })
    shortCircuit('direct', async () => false, { ignoreDownstreamTriggerRules: false })
  })
  assert.equal(written.document.tasks[1]?.flow, 'shortCircuit')
  assert.deepEqual(await answer(written, 'all', new ManualContext({ input: { rows: [1, 2] } })), goOn(2))
  assert.deepEqual(await answer(written, 'all', new ManualContext({ input: { rows: [] } })), skipAfter(0))
  const direct = await answer(written, 'direct')
  assert.ok(isDecision(direct))
  assert.deepEqual(direct.skip, { all: 'direct' })
})

test('latest only is left to the scheduler, and an empty task is known by its operator', () => {
  const { document } = dag('d', {}, ({ latestOnly, empty }) => void latestOnly('latest').before(empty('end', { triggerRule: 'all_done' })))
  assert.deepEqual(
    document.tasks.map(({ operator, flow, triggerRule }) => [operator, flow, triggerRule]),
    [
      ['LatestOnly', 'latestOnly', 'all_success'],
      ['Empty', 'none', 'all_done'],
    ],
  )
})

test('an operator that decides hands on what is in its decision', () => {
  const decides: Operator<object, ReturnType<typeof goOn<number>>> = {
    name: 'Decides',
    args: {},
    flow: 'shortCircuit',
    run: async () => goOn(1),
  }
  const { document } = dag('d', {}, ({ task }) => {
    const decided: Task<number> = task('decides', decides)
    task('adds', ({ input }) => input.n + 1, { input: { n: decided } })
  })
  assert.equal(document.tasks[0]?.flow, 'shortCircuit')
})
