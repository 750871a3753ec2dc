import assert from 'node:assert/strict'
import test from 'node:test'
import { DataCatalog } from './catalog.ts'
import { MemoryDataset } from './datasets/memory.ts'
import { type NodeContext, node } from './node.ts'
import { pipeline } from './pipeline.ts'
import { PipelineError } from './pipeline-error.ts'
import { type Progress, run } from './runner.ts'
import { Table } from './table.ts'

test('datasets and parameters go into nodes, and what nobody takes comes out', async () => {
  const made = pipeline([
    node((rows: Table, ratio: number) => [rows.take([0]), ratio * 2], {
      name: 'split',
      inputs: ['primary', 'params:split.ratio'],
      outputs: ['first', 'twice'],
    }),
    node(({ rows, factor }: { rows: Table; factor: number }) => ({ sum: rows.rows + factor }), {
      name: 'sum',
      inputs: { rows: 'first', factor: 'twice' },
      outputs: { sum: 'result' },
    }),
  ])
  const catalog = new DataCatalog({
    datasets: { primary: new MemoryDataset(Table.fromRecords([{ a: 1 }, { a: 2 }])) },
    parameters: { split: { ratio: 1.5 } },
  })
  const seen: Progress[] = []
  assert.deepEqual(await run(made, catalog, { onProgress: (progress) => seen.push(progress) }), { result: 4 })
  assert.deepEqual(
    seen.map(({ type, node: { name } }) => `${type} ${name}`),
    ['started split', 'finished split', 'started sum', 'finished sum'],
  )
  assert.deepEqual(seen[1]?.type === 'finished' && seen[1].rows, { first: 1 })
  assert.deepEqual(catalog.names, ['primary', 'result'], 'what was only needed on the way is forgotten')
})

test('a run with unknown datasets and parameters does not begin', async () => {
  let ran = false
  const made = pipeline([
    node(
      () => {
        ran = true
      },
      { name: 'start', inputs: [], outputs: ['x'] },
    ),
    node(() => {}, { name: 'use', inputs: ['x', 'primry', 'params:ratoi'], outputs: [] }),
  ])
  const catalog = new DataCatalog({ datasets: { primary: new MemoryDataset(1) }, parameters: { ratio: 1 } })
  await assert.rejects(
    run(made, catalog),
    (error: Error) => /"primry".*Did you mean "primary"\?/.test(error.message) && /Did you mean "ratio"\?/.test(error.message),
  )
  assert.equal(ran, false)
})

test('a failure names its node, and keeps a refusal apart from a crash', async () => {
  const failing = (error: Error) =>
    pipeline([
      node(
        () => {
          throw error
        },
        { name: 'gate', inputs: [], outputs: ['x'] },
      ),
    ])
  await assert.rejects(run(failing(new PipelineError('auc is too low')), new DataCatalog()), {
    name: 'PipelineError',
    message: 'Node "gate": auc is too low',
  })
  await assert.rejects(run(failing(new TypeError('oops')), new DataCatalog()), { name: 'Error', message: 'Node "gate" failed: oops' })
})

test('a list or an object of the wrong shape is refused', async () => {
  const list = pipeline([node(() => [1], { name: 'list', inputs: [], outputs: ['x', 'y'] })])
  await assert.rejects(run(list, new DataCatalog()), /must answer a list of 2, for x, y/)
  const keyed = pipeline([node(() => ({ a: 1 }), { name: 'keyed', inputs: [], outputs: { b: 'x' } })])
  await assert.rejects(run(keyed, new DataCatalog()), /must answer an object with "b"/)
})

test('an aborted run stops before its next node', async () => {
  const stop = new AbortController()
  const ran: string[] = []
  const made = pipeline([
    node(
      (_: NodeContext) => {
        ran.push('a')
        stop.abort(new Error('enough'))
      },
      { name: 'a', inputs: [], outputs: ['x'] },
    ),
    node(() => ran.push('b'), { name: 'b', inputs: 'x', outputs: ['y'] }),
  ])
  await assert.rejects(run(made, new DataCatalog(), { signal: stop.signal }), /enough/)
  assert.deepEqual(ran, ['a'])
})
