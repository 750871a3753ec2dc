import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../test/refusal.ts'
import { chain, type Dag, dag, type Task } from './index.ts'

const nothing = async () => {}
const edges = ({ document }: Dag): string[] =>
  document.tasks.flatMap(({ taskId, downstream }) => downstream.map((id) => `${taskId} > ${id}`)).sort()

test('an edge to a group goes to what begins it, an edge from it starts at what ends it', () => {
  const written = dag('d', {}, ({ task, group }) => {
    const start = task('start', nothing)
    const middle = group('middle', { tooltip: 'Cleans' }, ({ task }) => {
      const a = task('a', nothing)
      const b = task('b', nothing)
      task('c', nothing).after(a)
      return { a, b }
    })
    const end = task('end', nothing)
    chain(start, middle, end)
  })
  assert.deepEqual(edges(written), ['middle.a > middle.c', 'middle.b > end', 'middle.c > end', 'start > middle.a', 'start > middle.b'])
  assert.deepEqual(written.document.groups, [{ groupId: 'middle', parent: null, tooltip: 'Cleans', expand: null }])
  assert.equal(written.document.tasks.find(({ taskId }) => taskId === 'middle.a')?.groupId, 'middle')
})

test('groups within groups: inner edges decide where the outer ones begin and end, in whatever order they were drawn', () => {
  const written = dag('d', {}, ({ task, group }) => {
    const outer = group('outer', {}, ({ group }) => {
      const one = group('one', {}, ({ task }) => task('x', nothing))
      const two = group('two', { dependsOn: 'outer.one' }, ({ task }) => task('y', nothing))
      return { one, two }
    })
    task('first', nothing).before(outer)
    task('last', nothing, { dependsOn: outer })
  })
  assert.deepEqual(edges(written), ['first > outer.one.x', 'outer.one.x > outer.two.y', 'outer.two.y > last'])
  assert.deepEqual(
    written.document.groups.map(({ groupId, parent }) => [groupId, parent]),
    [
      ['outer', null],
      ['outer.one', 'outer'],
      ['outer.two', 'outer'],
    ],
  )
})

test('a group may leave ids without its own, and give its tasks other defaults', () => {
  const { document } = dag('d', { defaultArgs: { retries: 1, owner: 'a' } }, ({ group }) => {
    group('plain', { prefixGroupId: false, defaultArgs: { retries: 2 } }, ({ task }) => {
      task('x', nothing)
      task('y', nothing, { retries: 3 })
    })
  })
  assert.deepEqual(
    document.tasks.map(({ taskId, groupId, retries, owner }) => [taskId, groupId, retries, owner]),
    [
      ['x', 'plain', 2, 'a'],
      ['y', 'plain', 3, 'a'],
    ],
  )
})

test('what a group’s builder answers can be taken as input', () => {
  const { document } = dag('d', {}, ({ task, group }) => {
    const { result } = group('g', {}, ({ task }) => ({ rows: task('rows', async () => [1]) }))
    task('count', ({ input }) => input.rows.length, { input: { rows: result.rows } })
  })
  assert.deepEqual(document.tasks[1]?.input, { rows: { task: 'g.rows' } })
})

test('a teardown runs after its setups and its work, does not hold up what follows its group, and leaves the run alone unless told otherwise', () => {
  const written = dag('d', {}, ({ task, group }) => {
    const job = group('job', {}, ({ task }) => {
      const create = task('create', nothing)
      const work = task('work', nothing).after(create)
      task('delete', nothing).after(work).asTeardown({ setups: create })
    })
    task('report', nothing).after(job)
    const open = task('open', nothing).asSetup()
    task('close', nothing).after(open).asTeardown({ onFailureFailDagRun: true })
  })
  assert.deepEqual(edges(written), [
    'job.create > job.delete',
    'job.create > job.work',
    'job.work > job.delete',
    'job.work > report',
    'open > close',
  ])
  assert.deepEqual(
    written.document.tasks.map(({ taskId, role, setups, failsRun }) => [taskId, role, setups, failsRun]),
    [
      ['job.create', 'setup', [], true],
      ['job.work', 'work', [], true],
      ['job.delete', 'teardown', ['job.create'], false],
      ['report', 'work', [], true],
      ['open', 'setup', [], true],
      ['close', 'teardown', ['open'], true],
    ],
  )
})

test('what follows a group of nothing but a setup and its teardown waits for the setup', () => {
  const written = dag('d', {}, ({ task, group }) => {
    const bare = group('bare', {}, ({ task }) => void task('close', nothing).asTeardown({ setups: task('open', nothing) }))
    task('next', nothing).after(bare)
  })
  assert.deepEqual(edges(written), ['bare.open > bare.close', 'bare.open > next'])
})

test('setups and teardowns that cannot be are refused', () => {
  const message = refusal(() =>
    dag('d', {}, ({ task }) => {
      task('alone', nothing).asTeardown()
      const setup = task('setup', nothing).asSetup()
      task('careless', nothing, { triggerRule: 'all_done' }).after(setup)
      task('ruled', nothing, { triggerRule: 'one_done' }).asTeardown({ setups: setup })
    }),
  )
  assert.match(message, /Task "alone" \(group\.test\.ts:\d+\) is a teardown, but no setup comes right before it/)
  assert.match(message, /Task "careless".* comes right after the setup "setup", so its trigger rule must be "all_success", not "all_done"/)
  assert.match(message, /Task "ruled".* is a teardown, whose trigger rule is its own/)
})

test('edges of groups that cannot be are refused by name and place', () => {
  const message = refusal(() =>
    dag('d', {}, ({ task, group }) => {
      group('empty', {}, () => {})
      task('a', nothing, { dependsOn: 'empty' })
      task('b', nothing, { dependsOn: 'emptyy' })
      const g = group('g', {}, ({ task }) => {
        task('x', nothing).before('g')
      })
      group('g', {}, () => {})
      task('g', nothing)
      const c = task('c', nothing).after(g)
      g.after(c)
    }),
  )
  for (const part of [
    /Group "empty" \(group\.test\.ts:\d+\) has no task, so nothing can come before or after it/,
    /Task "b" of DAG "d" depends on "emptyy", which is not defined \(group\.test\.ts:\d+\)\. Did you mean "empty"\?/,
    /Task "g\.x" \(group\.test\.ts:\d+\) is joined to group "g", but one of them is within the other/,
    /Group "g" is defined twice \(group\.test\.ts:\d+\) and again \(group\.test\.ts:\d+\)/,
    /Task "g" is defined twice/,
    /The tasks go in a circle: (g\.x → c → g\.x|c → g\.x → c)/,
  ]) {
    assert.match(message, part)
  }
})

test('a group of another DAG cannot be joined', () => {
  let stray: Task | undefined
  dag('one', {}, ({ task }) => {
    stray = task('stray', nothing)
  })
  assert.match(
    refusal(() => dag('two', {}, ({ group }) => void group('g', { dependsOn: stray as Task }, ({ task }) => void task('x', nothing)))),
    /Group "g" \(.*\) is joined to task "stray" \(.*\), which is not of this DAG/,
  )
})

test('a DAG of many tasks has all its edges, by way of a join, a line and a line of groups', () => {
  const many = 10_000
  const written = dag('many', {}, ({ task, empty, group }) => {
    const [start, end] = [empty('start'), empty('end')]
    let last: Task | null = null
    for (let i = 0; i < many; i++) {
      const next: Task = task(`t${i}`, nothing).after(start).before(end)
      if (last) next.after(last)
      last = next
    }
    chain(
      ...Array.from({ length: 100 }, (_, i) =>
        group(`g${i}`, {}, ({ task }) => void Array.from({ length: 10 }, (_, j) => task(`x${j}`, nothing))),
      ),
    )
  })
  assert.equal(edges(written).length, many * 3 - 1 + 99 * 100)
})
