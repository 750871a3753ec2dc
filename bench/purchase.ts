/** Trains on a real shop day with the fixed parameters of the reference, and tells how good and how fast that is. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Booster, type Dataset, groupedSplit, metrics, type RowSplit, rowSplit, train } from '@daggerboard/boost'

const FILE = 'events/purchase_rows_2019-10-01.csv.gz'
const FEATURES = [
  'product_id',
  'brand',
  'price',
  'num_views_session',
  'num_views_product',
  'category',
  'sub_category',
  'hour',
  'minute',
  'weekday',
  'duration',
  'num_prev_sessions',
  'num_prev_product_views',
]
const TEXT_FEATURES = ['brand', 'category', 'sub_category']
const PARAMETERS = { objective: 'binary', num_leaves: 60, max_depth: 12, n_estimators: 100, learning_rate: 0.1, min_child_samples: 10 }
const SPLIT = { testRatio: 0.3, seed: 40 }
const PREDICT_PASSES = 5

/** The reference is LightGBM 4.7.0 on the same rows: AUC 0.7612, log loss 0.4509, F1 0.8751. */
export async function run(_argv: string[]): Promise<object> {
  const { dataset, sessions } = readDay()
  const byRow = await measure(dataset, rowSplit(dataset.label.length, SPLIT))
  const bySession = await measure(dataset, groupedSplit(sessions, SPLIT))
  return {
    ...byRow,
    reference: { auc: 0.7612, logloss: 0.4509, f1: 0.8751, averagePrecision: 0.9178 },
    splitBySession: bySession,
  }
}

async function measure(dataset: Dataset, split: RowSplit): Promise<object> {
  const training = take(dataset, split.train)
  const test = take(dataset, split.test)
  const started = performance.now()
  const booster = await train(training, PARAMETERS)
  const trainSeconds = (performance.now() - started) / 1000
  const predicted = booster.predict(test.columns)
  return {
    auc: round(metrics.auc(test.label, predicted)),
    logloss: round(metrics.logloss(test.label, predicted)),
    f1: round(metrics.f1(test.label, predicted)),
    averagePrecision: round(metrics.averagePrecision(test.label, predicted)),
    calibrationError: round(metrics.calibration(test.label, predicted).expectedError),
    trainSeconds: round(trainSeconds),
    rows: split.train.length,
    testRows: split.test.length,
    rowsPerSecond: Math.round(split.train.length / trainSeconds),
    predictRowsPerSecond: predictionRate(booster, test),
  }
}

function predictionRate(booster: Booster, test: Dataset): number {
  const started = performance.now()
  for (let pass = 0; pass < PREDICT_PASSES; pass++) booster.predict(test.columns)
  return Math.round((PREDICT_PASSES * test.label.length) / ((performance.now() - started) / 1000))
}

/** The day as the model sees it: text columns become their rank among the sorted distinct values, a missing one being "unknown". */
function readDay(): { dataset: Dataset; sessions: string[] } {
  const folder = process.env.DAGGERBOARD_TEST_DATA ?? resolve(import.meta.dirname, '../../shared/data')
  const path = join(folder, FILE)
  if (!existsSync(path)) {
    throw new Error(`Cannot run this benchmark: ${path} is missing. Set DAGGERBOARD_TEST_DATA to the folder that holds ${FILE}.`)
  }
  const [header = [], ...rows] = gunzipSync(readFileSync(path))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(','))
  const texts = (name: string): string[] => {
    const index = header.indexOf(name)
    if (index < 0) throw new Error(`${path} has no column "${name}".`)
    return rows.map((row) => row[index] ?? '')
  }
  const columns = FEATURES.map((name) => (TEXT_FEATURES.includes(name) ? ranks(texts(name)) : numbers(texts(name))))
  return { dataset: { featureNames: FEATURES, columns, label: numbers(texts('purchased')) }, sessions: texts('user_session') }
}

const numbers = (texts: readonly string[]): Float64Array => Float64Array.from(texts, (text) => (text === '' ? Number.NaN : Number(text)))

function ranks(texts: readonly string[]): Float64Array {
  const known = texts.map((text) => (text === '' ? 'unknown' : text))
  const rank = new Map([...new Set(known)].sort().map((text, index) => [text, index]))
  return Float64Array.from(known, (text) => rank.get(text) ?? Number.NaN)
}

function take(dataset: Dataset, rows: Int32Array): Dataset {
  const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row] as number)
  return { featureNames: dataset.featureNames, columns: dataset.columns.map(pick), label: pick(dataset.label) }
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4
