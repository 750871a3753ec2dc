/** How fast boosted trees are trained and asked, on made-up rows of a fixed shape (default 100,000 × 16), and LightGBM beside them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dataset, MersenneTwister, metrics, train } from '@daggerboard/boost'
import { askPython, pythonWith } from '../conformance/python.ts'

const FEATURES = 16
const TEST_ROWS = 20_000
const PARAMETERS = { objective: 'binary', num_leaves: 31, n_estimators: 100, learning_rate: 0.1 }

/** `argv` holds the number of rows to train on, and `lightgbm` to have LightGBM train on the same rows, on one thread. */
export async function run(argv: string[]): Promise<object> {
  const rows = Number(argv.find((word) => /^\d+$/.test(word)) ?? 100_000)
  const random = new MersenneTwister(1)
  const training = madeUp(rows, random)
  const test = madeUp(TEST_ROWS, random)
  // One short training first, so that the compiler's own work is not measured.
  await train(test, { ...PARAMETERS, n_estimators: 10 })

  const trainStarted = performance.now()
  const booster = await train(training, PARAMETERS)
  const trainSeconds = (performance.now() - trainStarted) / 1000

  const predictStarted = performance.now()
  const predicted = booster.predict(test.columns)
  const predictSeconds = (performance.now() - predictStarted) / 1000

  const single = test.columns.map((column) => column[0] as number)
  const singleStarted = performance.now()
  for (let i = 0; i < TEST_ROWS; i++) booster.predictRow(single)
  const singleSeconds = (performance.now() - singleStarted) / 1000
  return {
    rows,
    features: FEATURES,
    trainSeconds: Math.round(trainSeconds * 1e3) / 1e3,
    rowsPerSecond: Math.round(rows / trainSeconds),
    predictRowsPerSecond: Math.round(TEST_ROWS / predictSeconds),
    predictRowMicroseconds: Math.round((singleSeconds / TEST_ROWS) * 1e8) / 100,
    auc: Math.round(metrics.auc(test.label, predicted) * 1e5) / 1e5,
    ...(argv.includes('lightgbm') ? { lightgbm: await peer(training, test) } : {}),
  }
}

async function peer(training: Dataset, test: Dataset): Promise<object> {
  const python = await pythonWith(['lightgbm'])
  const folder = await mkdtemp(join(tmpdir(), 'daggerboard-bench-'))
  const write = async (name: string, dataset: Dataset) => {
    const path = join(folder, name)
    await writeFile(path, Buffer.concat([...dataset.columns, dataset.label].map((column) => Buffer.from(column.buffer))))
    return path
  }
  try {
    const answer = await askPython<{ predicted: number[] }>(python, join(import.meta.dirname, 'boost-lightgbm.py'), {
      training: await write('training', training),
      rows: training.label.length,
      test: await write('test', test),
      testRows: test.label.length,
      features: FEATURES,
      parameters: PARAMETERS,
    })
    const { predicted, ...figures } = answer
    return { ...figures, auc: Math.round(metrics.auc(test.label, predicted) * 1e5) / 1e5 }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Normal features, of which half matter, alone and in a product. */
function madeUp(rows: number, random: MersenneTwister): Dataset {
  const columns = Array.from({ length: FEATURES }, () => Float64Array.from({ length: rows }, () => random.normal()))
  const label = Float64Array.from({ length: rows }, (_, row) => {
    const x = (feature: number) => (columns[feature] as Float64Array)[row] as number
    const score = x(0) + 0.5 * x(1) * x(2) + Math.sin(2 * x(3)) + 0.5 * Math.abs(x(4)) - 0.3 * x(5) * x(0) + (x(6) > 0.5 ? 1 : 0) * x(7)
    return random.double() < 1 / (1 + Math.exp(-2 * score)) ? 1 : 0
  })
  return { featureNames: columns.map((_, feature) => `x${feature}`), columns, label }
}
