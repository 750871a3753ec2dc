import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DagDocument, dag } from '@daggerboard/dag'
import { changed, inlinePlatform } from '../../test/inline-platform.ts'

const WAYS = 'list'

/** `list` → `each`, made once for each of what `list` answers → `sum`. */
function mapped(): DagDocument {
  const { document } = dag('d', {}, ({ task }) => {
    const list = task(WAYS, async () => {})
    const each = task('each', async () => {}).after(list)
    task('sum', async () => {}).after(each)
  })
  return changed(document, { each: { expand: { kind: 'product', inputs: { n: { task: WAYS } } } } })
}

test('a mapped task is made once for each element of the answer before it, and the task after it waits for all', async () => {
  const { save, scheduler, settle, states, runner, instances } = inlinePlatform({
    task: ({ taskId }) => (taskId === WAYS ? ['a', 'b', 'c'] : 1),
  })
  await save(mapped())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), {
    run: 'success',
    list: 'success',
    sum: 'success',
    'each[0]': 'success',
    'each[1]': 'success',
    'each[2]': 'success',
  })
  assert.equal((await instances.find('d', runId, WAYS))?.mapLength, 3)
  assert.deepEqual(
    runner.begun.filter(({ taskId }) => taskId === 'each').map(({ mapIndex, mapCount }) => [mapIndex, mapCount]),
    [0, 1, 2].map((index) => [index, 3]),
  )
})

test('made of nothing, a mapped task is skipped', async () => {
  const { save, scheduler, settle, states } = inlinePlatform({ task: ({ taskId }) => (taskId === WAYS ? [] : 1) })
  await save(mapped())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), { run: 'success', list: 'success', each: 'skipped', sum: 'skipped' })
})

test('an answer that mapped tasks cannot be made of fails the task that gave it', async () => {
  for (const [answer, detail] of [
    [7, /must be a list or an object; it has answered a number/],
    [null, /it has answered nothing/],
    [[1, 2, 3, 4], /has 4 elements; the setting max_map_length allows 3/],
  ] as const) {
    const { save, scheduler, settle, states, instances } = inlinePlatform({ task: () => answer, limits: { maxMapLength: 3 } })
    await save(mapped())
    const { runId } = await scheduler.trigger('d', {}, 'user:ann')
    await settle()
    assert.deepEqual(await states('d', runId), { run: 'failed', list: 'failed', each: 'upstream_failed', sum: 'upstream_failed' })
    assert.match((await instances.find('d', runId, WAYS))?.detail ?? '', detail)
  }
})

test('products, zips and records are counted as they are written', async () => {
  const { document } = dag('d', {}, ({ task }) =>
    ['product', 'zip', 'filled', 'records', 'concat'].forEach((name) => void task(name, async () => {})),
  )
  const inputs = { a: { value: [1, 2, 3] }, b: { value: { x: 1, y: 2 } } }
  const { save, scheduler, settle, instances } = inlinePlatform()
  await save(
    changed(document, {
      product: { expand: { kind: 'product', inputs } },
      zip: { expand: { kind: 'zip', inputs, fill: null } },
      filled: { expand: { kind: 'zip', inputs, fill: { value: 0 } } },
      records: { expand: { kind: 'records', from: { value: [{ a: 1 }, { a: 2 }] } } },
      concat: { expand: { kind: 'zip', inputs: { ...inputs, c: { concat: [inputs.a, inputs.b] } }, fill: { value: 0 } } },
    }),
  )
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  const own = await instances.listOfRun('d', runId)
  const count = (name: string) => own.filter(({ taskId }) => taskId === name).length
  assert.deepEqual(['product', 'zip', 'filled', 'records', 'concat'].map(count), [6, 2, 3, 2, 5])
})

test('a task mapped over a mapped one is made once for each of its successes', async () => {
  const { document } = dag('d', {}, ({ task }) => {
    const first = task('first', async () => {})
    task('second', async () => {}, { triggerRule: 'all_done' }).after(first)
  })
  const { save, scheduler, settle, states } = inlinePlatform({
    task: ({ taskId, mapIndex }) => {
      if (taskId === 'first' && mapIndex === 1) throw Object.assign(new Error('not this one'), { name: 'SkipTask' })
      return mapIndex
    },
  })
  await save(
    changed(document, {
      first: { expand: { kind: 'product', inputs: { n: { value: [1, 2, 3] } } } },
      second: { expand: { kind: 'product', inputs: { n: { task: 'first' } } } },
    }),
  )
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), {
    run: 'success',
    'first[0]': 'success',
    'first[1]': 'skipped',
    'first[2]': 'success',
    'second[0]': 'success',
    'second[1]': 'success',
  })
})

test('in a mapped group each element goes its own way: one that fails stops only what comes after it', async () => {
  const { document } = dag('d', {}, ({ task }) => {
    const list = task(WAYS, async () => {})
    const a = task('a', async () => {}).after(list)
    const b = task('b', async () => {}).after(a)
    task('end', async () => {}, { triggerRule: 'all_done' }).after(b)
  })
  const group = { groupId: 'g', parent: null, tooltip: null, expand: { kind: 'product', inputs: { n: { task: WAYS } } } } as const
  const { save, scheduler, settle, states } = inlinePlatform({
    task: ({ taskId, mapIndex }) => {
      if (taskId === 'a' && mapIndex === 1) throw new Error('no')
      return taskId === WAYS ? [1, 2] : null
    },
  })
  await save(changed(document, { a: { groupId: 'g' }, b: { groupId: 'g' } }, { groups: [group] }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), {
    run: 'success',
    list: 'success',
    end: 'success',
    'a[0]': 'success',
    'a[1]': 'failed',
    'b[0]': 'success',
    'b[1]': 'upstream_failed',
  })
})

test('cleared with its source, a mapped task follows the new length: what is too much is removed, what is missing is added', async () => {
  let answer = [1, 2, 3]
  const { save, scheduler, settle, states } = inlinePlatform({ task: ({ taskId }) => (taskId === WAYS ? answer : 1) })
  await save(mapped())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  answer = [1]
  await scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), {
    run: 'success',
    list: 'success',
    sum: 'success',
    'each[0]': 'success',
    'each[1]': 'removed',
    'each[2]': 'removed',
  })
  answer = [1, 2, 3, 4]
  await scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await settle()
  const found = await states('d', runId)
  assert.equal(found['each[3]'], 'success')
  assert.equal(found['each[1]'], 'success')
})

test('what is no longer made in the run before does not hold up a mapped task that depends on the past', async () => {
  let answer = [1, 2]
  const { save, scheduler, settle, states } = inlinePlatform({ task: ({ taskId }) => (taskId === WAYS ? answer : 1) })
  await save(changed(mapped(), { each: { expand: { kind: 'product', inputs: { n: { task: WAYS } } }, dependsOnPast: true } }))
  const first = await scheduler.trigger('d', { logicalDate: new Date('2019-10-06') }, 'user:ann')
  await settle()
  answer = [1]
  await scheduler.clearRun('d', first.runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await settle()
  assert.equal((await states('d', first.runId))['each[1]'], 'removed')
  const second = await scheduler.trigger('d', { logicalDate: new Date('2019-10-07') }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', second.runId), { run: 'success', list: 'success', 'each[0]': 'success', sum: 'success' })
})

test('cleared with a source that answers nothing this time, a mapped task is skipped, as if it had been so from the beginning', async () => {
  let answer: unknown = [1, 2]
  const { document } = dag('d', {}, ({ task }) => {
    const list = task(WAYS, async () => {})
    const a = task('a', async () => {}).after(list)
    const b = task('b', async () => {}, { triggerRule: 'all_done' }).after(a)
    task('end', async () => {}).after(b)
  })
  const group = { groupId: 'g', parent: null, tooltip: null, expand: { kind: 'product', inputs: { n: { task: WAYS } } } } as const
  const grouped = changed(document, { a: { groupId: 'g' }, b: { groupId: 'g' } }, { groups: [group] })
  for (const [given, names] of [
    [mapped(), ['each']],
    [{ ...grouped, dagId: 'grouped' }, ['a', 'b']],
  ] as const) {
    answer = [1, 2]
    const { save, scheduler, settle, states, xcoms, clock } = inlinePlatform({ task: ({ taskId }) => (taskId === WAYS ? answer : 1) })
    await save(given)
    const { runId } = await scheduler.trigger(given.dagId, {}, 'user:ann')
    await settle()
    answer = []
    clock.advance(1000)
    await scheduler.clearRun(given.dagId, runId, { onlyFailed: false, dryRun: false }, 'user:ann')
    await settle()
    const last = given.dagId === 'd' ? 'sum' : 'end'
    const skipped = names.flatMap((name) => [0, 1].map((index) => [`${name}[${index}]`, 'skipped']))
    assert.deepEqual(await states(given.dagId, runId), {
      ...{ run: 'success', list: 'success', [last]: 'skipped' },
      ...Object.fromEntries(skipped),
    })
    assert.deepEqual(await xcoms.list(given.dagId, runId, names[0]), [])
    answer = [1, 2, 3]
    await scheduler.clearRun(given.dagId, runId, { onlyFailed: false, dryRun: false }, 'user:ann')
    await settle()
    const again = await states(given.dagId, runId)
    assert.deepEqual([again.run, again[last], again[`${names[0]}[0]`], again[`${names[0]}[2]`]], Array(4).fill('success'))
  }
})

test('cleared with a source that fails this time, a mapped task does not run, whatever its trigger rule', async () => {
  let answer: unknown = [1, 2]
  const { save, scheduler, settle, states } = inlinePlatform({
    task: ({ taskId }) => {
      if (taskId === WAYS && answer === null) throw new Error('no')
      return answer
    },
  })
  await save(changed(mapped(), { each: { ...{ expand: { kind: 'product', inputs: { n: { task: WAYS } } } }, triggerRule: 'all_done' } }))
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  answer = null
  await scheduler.clearRun('d', runId, { onlyFailed: false, dryRun: false }, 'user:ann')
  await settle()
  assert.deepEqual(await states('d', runId), {
    run: 'failed',
    list: 'failed',
    sum: 'upstream_failed',
    'each[0]': 'upstream_failed',
    'each[1]': 'upstream_failed',
  })
})

test('a mapped task that its file no longer maps goes on as one', async () => {
  const { save, scheduler, settle, states, runs } = inlinePlatform({
    task: ({ taskId }) => (taskId === WAYS ? [1, 2] : new Promise(() => {})),
    limits: { parallelism: 1 },
  })
  await save(mapped())
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  await save(changed(mapped(), { each: { expand: null } }))
  await settle()
  assert.equal((await runs.find('d', runId))?.state, 'running')
  assert.deepEqual(await states('d', runId), {
    run: 'running',
    list: 'success',
    each: 'scheduled',
    sum: 'none',
    'each[0]': 'running',
    'each[1]': 'removed',
  })
})

test('instances of a mapped task that answer nothing are no elements for a task that is mapped over it', async () => {
  const { document } = dag('d', {}, ({ task }) => {
    const list = task(WAYS, async () => {})
    const each = task('each', async () => {}).after(list)
    task('again', async () => {}).after(each)
  })
  const chained = changed(document, {
    each: { expand: { kind: 'product', inputs: { n: { task: WAYS } } } },
    again: { expand: { kind: 'product', inputs: { n: { task: 'each' } } } },
  })
  const { save, scheduler, settle, states, xcoms } = inlinePlatform({
    task: ({ taskId, mapIndex }) => (taskId === WAYS ? ['a', 'b', 'c'] : mapIndex === 1 ? null : mapIndex),
  })
  await save(chained)
  const { runId } = await scheduler.trigger('d', {}, 'user:ann')
  await settle()
  const found = await states('d', runId)
  assert.equal((await xcoms.list('d', runId, 'each')).length, 2)
  assert.deepEqual(
    Object.keys(found).filter((name) => name.startsWith('again')),
    ['again[0]', 'again[1]'],
  )
})
