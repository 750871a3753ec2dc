/** How good a model is on rows that it has never seen. */
import { type Booster, metrics } from '@daggerboard/boost'
import type { Table } from '@daggerboard/pipeline'
import { LABEL } from '../columns.ts'
import { modelInput } from './model-input.ts'

/** All on the test set. F1 says nearly nothing here, for most rows are purchases: `baseline_f1` is that of "always buy". */
export type Metrics = Readonly<
  Record<'auc' | 'logloss' | 'f1' | 'average_precision' | 'ece' | 'baseline_f1' | 'price_invariance' | 'duration_effect', number>
>

export function evaluate(model: Booster, testSet: Table): Metrics {
  const { columns, label } = modelInput(testSet)
  const probabilities = model.predict(columns)
  return {
    auc: metrics.auc(label, probabilities),
    logloss: metrics.logloss(label, probabilities),
    f1: metrics.f1(label, probabilities),
    average_precision: metrics.averagePrecision(label, probabilities),
    ece: metrics.calibration(label, probabilities).expectedError,
    baseline_f1: metrics.f1(label, new Float64Array(label.length).fill(1)),
    price_invariance: priceInvariance(model, testSet),
    duration_effect: durationEffect(model, testSet),
  }
}

/** The share of rows with a price above 1 whose probability moves by less than 0.10 between price − 1 and price + 1. */
export function priceInvariance(model: Booster, testSet: Table): number {
  const rows = where(testSet, 'price', (price) => price > 1)
  if (rows.rows === 0) return 1
  const lower = predictWith(model, rows, 'price', -1)
  const higher = predictWith(model, rows, 'price', 1)
  return lower.filter((probability, row) => Math.abs((higher[row] ?? 0) - probability) < 0.1).length / rows.rows
}

/** What a minute more does to the mean probability of rows whose session took less than half a minute: it should raise it. */
export function durationEffect(model: Booster, testSet: Table): number {
  const rows = where(testSet, 'duration', (duration) => duration < 30)
  if (rows.rows === 0) return 0
  return mean(predictWith(model, rows, 'duration', 60)) - mean(predictWith(model, rows, 'duration', 0))
}

function where(table: Table, column: string, test: (value: number) => boolean): Table {
  const kept: number[] = []
  table.numbers(column).forEach((value, row) => {
    if (test(value)) kept.push(row)
  })
  return table.take(kept)
}

const predictWith = (model: Booster, rows: Table, column: string, change: number): Float64Array =>
  model.predict(
    modelInput(
      rows.with(
        column,
        rows.numbers(column).map((value) => value + change),
      ),
    ).columns,
  )

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/** The area under the curve of `probabilities` against the label of `rows`. */
export const aucOn = (rows: Table, probabilities: Float64Array): number => metrics.auc(rows.numbers(LABEL), probabilities)
