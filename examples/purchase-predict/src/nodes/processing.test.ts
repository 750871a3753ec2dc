import assert from 'node:assert/strict'
import test from 'node:test'
import { DataCatalog, MemoryDataset, run, Table } from '@daggerboard/pipeline'
import { FEATURES } from '../columns.ts'
import { processing } from '../pipelines/processing.ts'
import { generatedRows, noRealDay, realDay } from '../testing-data.ts'
import { encodeFeatures, fitEncoders } from './encoders.ts'
import { sessionsOf } from './splitting.ts'

async function process(primary: Table): Promise<{ training: Table; testing: Table }> {
  const kept = Object.fromEntries(['training_set', 'test_set'].map((name) => [name, new MemoryDataset()]))
  const catalog = new DataCatalog({
    datasets: { primary: new MemoryDataset(primary), ...kept },
    parameters: { split: { test_ratio: 0.3, seed: 40 } },
  })
  await run(processing, catalog)
  return { training: (await catalog.load('training_set')) as Table, testing: (await catalog.load('test_set')) as Table }
}

function isFitForTraining(primary: Table, { training, testing }: { training: Table; testing: Table }) {
  const dataset = Table.concat([training, testing])
  assert.ok(dataset.rows > 5000)
  assert.equal(dataset.rows, primary.rows, 'the sizes add up')
  assert.ok(Math.abs(testing.rows - primary.rows * 0.3) <= 3, 'the test set has its share, nearly: sessions stay whole')
  for (const name of FEATURES) assert.ok(dataset.numbers(name).every(Number.isFinite), `${name} is numeric`)
  const label = dataset.numbers('purchased')
  assert.deepEqual([...new Set(label)].sort(), [0, 1])
  const share = label.reduce((sum, bought) => sum + bought, 0) / label.length
  assert.ok(share > 0.1 && share < 0.9, `each class has more than a tenth of the rows, not ${share}`)
  const known = new Set(sessionsOf(training))
  assert.ok(!sessionsOf(testing).some((session) => known.has(session)), 'no session is on both sides')
}

test('processing gives numeric sets of whole sessions that add up', async () => {
  const primary = generatedRows(6000)
  isFitForTraining(primary, await process(primary))
})

test('processing the real day gives sets fit for training', { skip: noRealDay }, async () => {
  const primary = realDay()
  const sets = await process(primary)
  isFitForTraining(primary, sets)
})

test('codes are ranks among the sorted categories, as published for the real day', { skip: noRealDay }, () => {
  const sizes = fitEncoders(realDay()).encoders.map(({ column, classes }) => [column, classes.length])
  assert.deepEqual(Object.fromEntries(sizes), { category: 14, sub_category: 44, brand: 680 })
})

test('encoders know the training rows only: a brand of the test set alone is unknown to them', () => {
  const rows = generatedRows(40)
  const pipeline = fitEncoders(rows.with('brand', Array(40).fill('acer')))
  assert.deepEqual(pipeline.encoders.find(({ column }) => column === 'brand')?.classes, ['acer', 'unknown'])
  const brands = ['acer', 'never seen', null, ...Array(37).fill('acer')]
  assert.deepEqual([...encodeFeatures(rows.with('brand', brands), pipeline).numbers('brand').slice(0, 4)], [0, 1, 1, 0])
})
