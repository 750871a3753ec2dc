import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../test/refusal.ts'
import { concat, type Dag, dag, listSource, mapOver, type Operator, partial, partsOf, records, SkipTask, type Task, zip } from './index.ts'

/** What becomes of an element of the list `name` on its way into `taskId`. */
function made({ tasks }: Dag, taskId: string, name: string, element: unknown): unknown {
  const { expand = {} } = (tasks.get(taskId) as Task).options
  return listSource(partsOf(expand).inputs[name]).apply.reduce((value, apply) => apply(value), element)
}

test('a task is mapped over every combination of lists, the last of which turns fastest, beside inputs that are the same for all', () => {
  const written = dag('d', {}, ({ task }) => {
    const files = task('files', async () => ['a.csv', 'b.csv'])
    const load = task('load', ({ input }) => `${input.file.toUpperCase()}${input.part + 1}${input.prefix}`, {
      expand: { file: files, part: [1, 2] },
      input: { prefix: '/' },
      mapIndexTemplate: '{{ input.file }}',
    })
    task('count', ({ input }) => input.loaded.map((text) => text.length), { input: { loaded: load } })
  })
  const [, load, count] = written.document.tasks
  assert.deepEqual(load?.expand, { kind: 'product', inputs: { file: { task: 'files' }, part: { value: [1, 2] } } })
  assert.deepEqual([load?.upstream, load?.input, load?.mapIndexTemplate], [['files'], { prefix: { value: '/' } }, '{{ input.file }}'])
  assert.deepEqual(count?.input, { loaded: { task: 'load' } })
})

test('lists go together by zip, with something for what is missing or without', () => {
  const written = dag('d', {}, ({ task }) => {
    const [names, ages] = [task('names', async () => ['Ada', 'Bob']), task('ages', async () => ({ x: 3 }))]
    task('short', ({ input }) => `${input.name.length}${input.age[0].length}${input.age[1] + 1}`, {
      expand: zip({ name: names, age: ages }),
    })
    task('long', ({ input }) => input.age?.[1] ?? input.name, { expand: zip({ name: names, age: ages }, { fill: null }) })
  })
  assert.deepEqual(written.document.tasks[3]?.expand, {
    kind: 'zip',
    inputs: { name: { task: 'names' }, age: { task: 'ages' } },
    fill: { value: null },
  })
})

test('a task is mapped over several lists one after the other, each of which has its task before it', () => {
  const written = dag('d', {}, ({ task }) => {
    const [old, fresh] = [task('old', async () => [1, 2]), task('fresh', async () => [{ n: 3 }])]
    task('both', ({ input }) => (typeof input.x === 'number' ? input.x + 1 : input.x.n), { expand: { x: concat(old, fresh, [7]) } })
    task('twice', ({ input }) => input.x.length, { expand: { x: mapOver(concat(old, concat(old)), (n) => `${n + 1}`) } })
    task('rows', ({ input }) => input.n + 1, { expand: records(concat(fresh, fresh)) })
  })
  const [, , both, twice, rows] = written.document.tasks
  const x = { concat: [{ task: 'old' }, { task: 'fresh' }, { value: [7] }] }
  assert.deepEqual([both?.expand, both?.upstream], [{ kind: 'product', inputs: { x } }, ['old', 'fresh']])
  assert.deepEqual(twice?.expand, { kind: 'product', inputs: { x: { concat: [{ task: 'old' }, { task: 'old' }] } } })
  assert.equal(made(written, 'twice', 'x', 4), '5')
  assert.deepEqual(rows?.expand, { kind: 'records', from: { concat: [{ task: 'fresh' }, { task: 'fresh' }] } })
  assert.match(
    refusal(() => dag('d', {}, ({ task }) => void task('t', async () => 1, { expand: { x: concat([1], 'text' as never) } }))),
    /"x" of its expand is "text"\. Give it a list/,
  )
})

test('a task is mapped over records, and over a list that is made anew on the way, in which an element may be skipped', () => {
  const written = dag('d', {}, ({ task }) => {
    const jobs = task('jobs', async () => [{ id: 'x', size: 1 }])
    task('run', ({ input }) => `${input.id.length}${input.size + 1}`, { expand: records(jobs) })
    const sizes = mapOver(jobs, ({ id, size }) => {
      if (size > 1) throw new SkipTask(`${id} is too large`)
      return size * 10
    })
    task('sizes', ({ input }) => input.size + 1, { expand: { size: mapOver(sizes, (size) => size + 1) } })
    task('ids', ({ input }) => input.id.toUpperCase(), { expand: { id: jobs.map(({ id }) => id) } })
  })
  assert.deepEqual(written.document.tasks[1]?.expand, { kind: 'records', from: { task: 'jobs' } })
  assert.deepEqual(written.document.tasks[2]?.expand, { kind: 'product', inputs: { size: { task: 'jobs' } } })
  assert.equal(made(written, 'sizes', 'size', { id: 'x', size: 1 }), 11)
  assert.throws(() => made(written, 'sizes', 'size', { id: 'y', size: 2 }), SkipTask)
  assert.equal(made(written, 'ids', 'id', { id: 'x', size: 1 }), 'x')
})

const load = (args: { table: string; file: string }): Operator<{ table: string; file: string }, number> => ({
  name: 'LoadTable',
  args,
  run: async ({ file }) => file.length,
})

test('an operator is mapped by leaving args open', () => {
  const written = dag('d', {}, ({ task }) => {
    const files = task('files', async () => ['a'])
    const loaded = task('load', partial(load, { table: 't_{{ ds }}' }), { expand: { file: files } })
    task('sum', ({ input }) => input.rows.reduce((a, b) => a + b, 0), { input: { rows: loaded } })
  })
  const document = written.document.tasks[1]
  assert.deepEqual(
    [document?.operator, document?.args, document?.expand],
    ['LoadTable', { table: 't_{{ ds }}' }, { kind: 'product', inputs: { file: { task: 'files' } } }],
  )
  const { work } = written.tasks.get('load') as Task
  assert.deepEqual('make' in work && work.make({ table: 't_1', file: 'a' }).args, { table: 't_1', file: 'a' })
})

test('a mapped group has its tasks once for each element; outputs go by index inside, and are lists outside', () => {
  const written = dag('d', {}, ({ task, group }) => {
    const cities = task('cities', async () => [{ name: 'Rome', zone: 1 }])
    const { result: temperature } = group('city', { expand: { city: cities, unit: ['C', 'F'] } }, ({ task, element }) => {
      const fetched = task('fetch', ({ input }) => input.city.name.length, { input: { city: element.city } })
      return task('convert', ({ input }) => `${input.degrees + 1}${input.all.unit.length}`, { input: { degrees: fetched, all: element } })
    })
    task('report', ({ input }) => input.all.map((text) => text.length), { input: { all: temperature } })
  })
  const [, fetch, convert, report] = written.document.tasks
  assert.deepEqual(written.document.groups[0]?.expand, {
    kind: 'product',
    inputs: { city: { task: 'cities' }, unit: { value: ['C', 'F'] } },
  })
  assert.deepEqual([fetch?.upstream, fetch?.expand, fetch?.input], [['cities'], null, { city: { group: 'city', element: 'city' } }])
  assert.deepEqual(convert?.input, { degrees: { task: 'city.fetch' }, all: { group: 'city', element: null } })
  assert.deepEqual(report?.upstream, ['city.convert'])
})

test('what cannot be mapped is refused', () => {
  const stray = { task: null as Task<number[]> | null }
  dag('other', {}, ({ task }) => {
    stray.task = task('stray', async () => [1])
  })
  const message = refusal(() =>
    dag('d', {}, ({ task, group }) => {
      const list = task('list', async () => [1])
      task('always', async () => {}, { expand: { x: list }, triggerRule: 'always' })
      task('known', async () => {}, { expand: { x: [1] }, triggerRule: 'always' })
      task('nothing', async () => {}, { expand: {} })
      task('text', async () => {}, { expand: { x: 'list' as never } })
      task('foreign', async () => {}, { expand: { x: stray.task as Task<number[]> } })
      task('open', partial(load, { table: 't' }) as never)
      group('outer', { expand: { x: list } }, ({ task, group, element }) => {
        task('twice', async () => {}, { expand: { y: [1] } })
        group('inner', { expand: { y: [1] } }, () => {})
        stray.task = element as never
      })
      task('outside', async () => {}, { input: { x: stray.task } })
    }),
  )
  for (const part of [
    /Task "always".*: a task that is mapped by the output of another one cannot have the trigger rule "always"/,
    /Task "nothing".*: its expand has nothing to map over/,
    /Task "text".*: "x" of its expand is "list"\. Give it a list/,
    /Task "foreign".* is joined to task "stray".*, which is not of this DAG/,
    /Task "open".* has a partial operator, but nothing to map over/,
    /Task "outer\.twice".* is mapped, and so is its group "outer"/,
    /Group "outer\.inner".* is mapped, and so is the group "outer" around it/,
    /Task "outside".*: its input "x" is of the mapped group "outer", in which it is not/,
  ]) {
    assert.match(message, part)
  }
  assert.doesNotMatch(message, /"known"/)
})

test('tsc checks what a mapped task is given', () => {
  const written = dag('typed', {}, ({ task, group }) => {
    const texts = task('texts', async () => ['a'])
    const one = task('one', async () => 1)
    // @ts-expect-error: `one` is a number, over which nothing can be mapped.
    task('number', async () => 1, { expand: { x: one } })
    // @ts-expect-error: an element of `texts` is a text.
    task('rounds', async ({ input }: { input: { x: number } }) => Math.round(input.x), { expand: { x: texts } })
    // @ts-expect-error: nothing gives `n`.
    task('absent', async ({ input }: { input: { n: number } }) => input.n)
    // @ts-expect-error: `file` is missing.
    task('load', partial(load, { table: 't' }), { expand: { fil: texts } })
    // @ts-expect-error: `file` must be a text.
    task('load_numbers', partial(load, { table: 't' }), { expand: { file: [1, 2] } })
    // @ts-expect-error: there is no arg `tabel`.
    task('misspelt', partial(load, { tabel: 't' }), { expand: { file: texts } })
    const mapped = task('mapped', async ({ input }) => input.x.length, { expand: { x: texts } })
    // @ts-expect-error: seen from outside, `mapped` answers a list.
    task('sum', async ({ input }: { input: { n: number } }) => input.n, { input: { n: mapped } })
    const { result } = group('g', { expand: { x: texts } }, ({ task, element }) => {
      // @ts-expect-error: `element.x` is a text.
      task('bad', async ({ input }: { input: { x: number } }) => input.x, { input: { x: element.x } })
      return { good: task('good', async ({ input }) => input.x.length, { input: { x: element.x } }) }
    })
    // @ts-expect-error: of a mapped group, others see the list.
    task('after', async ({ input }: { input: { n: number } }) => input.n, { input: { n: result.good } })
  })
  assert.ok(written)
})
