/** How good predictions are. Labels are 0 or 1, predictions probabilities; `weight` counts each row (1 when absent). */

import { InvalidInput } from './invalid-input.ts'

type Numbers = ArrayLike<number>

/** Area under the ROC curve: the chance that a row labelled 1 is ranked above one labelled 0, ties counting half. NaN when a class is absent. */
export function auc(label: Numbers, predicted: Numbers, weight?: Numbers): number {
  let below = 0
  let pairs = 0
  let positives = 0
  for (const group of tiedGroups(label, predicted, weight).reverse()) {
    pairs += group.positive * (below + group.negative / 2)
    below += group.negative
    positives += group.positive
  }
  return pairs / (positives * below)
}

/** Mean log loss; predictions are kept 1e-15 away from 0 and 1. */
export function logloss(label: Numbers, predicted: Numbers, weight?: Numbers): number {
  checkLengths(label, predicted, weight)
  let sum = 0
  let total = 0
  for (let row = 0; row < label.length; row++) {
    const probability = Math.min(Math.max(predicted[row] as number, 1e-15), 1 - 1e-15)
    const rowWeight = weight === undefined ? 1 : (weight[row] as number)
    sum -= rowWeight * Math.log(label[row] === 1 ? probability : 1 - probability)
    total += rowWeight
  }
  return sum / total
}

/** Harmonic mean of precision and recall, calling a row 1 when its prediction is above `threshold`. 0 when no row is called or labelled 1. */
export function f1(label: Numbers, predicted: Numbers, options: { threshold?: number; weight?: Numbers } = {}): number {
  const { threshold = 0.5, weight } = options
  checkLengths(label, predicted, weight)
  let hits = 0
  let calledOrLabelled = 0
  for (let row = 0; row < label.length; row++) {
    const rowWeight = weight === undefined ? 1 : (weight[row] as number)
    const called = (predicted[row] as number) > threshold
    if (called) calledOrLabelled += rowWeight
    if (label[row] === 1) calledOrLabelled += rowWeight
    if (called && label[row] === 1) hits += rowWeight
  }
  return calledOrLabelled === 0 ? 0 : (2 * hits) / calledOrLabelled
}

/** Root of the mean squared difference. */
export function rmse(label: Numbers, predicted: Numbers, weight?: Numbers): number {
  checkLengths(label, predicted, weight)
  let sum = 0
  let total = 0
  for (let row = 0; row < label.length; row++) {
    const rowWeight = weight === undefined ? 1 : (weight[row] as number)
    sum += rowWeight * ((predicted[row] as number) - (label[row] as number)) ** 2
    total += rowWeight
  }
  return Math.sqrt(sum / total)
}

/** One point of a precision-recall curve: calling every row 1 whose prediction is at least `threshold`. */
export interface PrecisionRecallPoint {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
}

/** One point per distinct prediction, thresholds falling, so recall rising from near 0 to 1. */
export function precisionRecallCurve(label: Numbers, predicted: Numbers, weight?: Numbers): PrecisionRecallPoint[] {
  const groups = tiedGroups(label, predicted, weight)
  const positives = groups.reduce((sum, group) => sum + group.positive, 0)
  let hits = 0
  let called = 0
  return groups.map((group) => {
    hits += group.positive
    called += group.positive + group.negative
    return { threshold: group.prediction, precision: hits / called, recall: hits / positives }
  })
}

/** Precision averaged over the steps in recall (no interpolation), as scikit-learn's `average_precision_score`. */
export function averagePrecision(label: Numbers, predicted: Numbers, weight?: Numbers): number {
  let sum = 0
  let recallBefore = 0
  for (const { precision, recall } of precisionRecallCurve(label, predicted, weight)) {
    sum += precision * (recall - recallBefore)
    recallBefore = recall
  }
  return sum
}

/** Rows whose predictions lie in `[low, high)` (the last bin includes 1). */
export interface CalibrationBin {
  readonly low: number
  readonly high: number
  readonly count: number
  /** Mean prediction and share labelled 1; NaN in an empty bin. */
  readonly predicted: number
  readonly observed: number
}

/**
 * How far the predictions are from the frequencies they promise. `expectedError` is the mean over all rows of
 * |mean prediction − share labelled 1| in the row's bin (expected calibration error), `bins` equally wide ones (default 10).
 */
export function calibration(
  label: Numbers,
  predicted: Numbers,
  options: { bins?: number } = {},
): { expectedError: number; bins: CalibrationBin[] } {
  const { bins = 10 } = options
  checkLengths(label, predicted)
  const sums = Array.from({ length: bins }, () => ({ count: 0, predicted: 0, observed: 0 }))
  for (let row = 0; row < label.length; row++) {
    const prediction = predicted[row] as number
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.floor(prediction * bins)))]
    if (bin === undefined) throw new InvalidInput(`Cannot measure calibration: the prediction of row ${row} is ${prediction}.`, [])
    bin.count++
    bin.predicted += prediction
    bin.observed += label[row] as number
  }
  const gaps = sums.reduce((sum, bin) => sum + Math.abs(bin.predicted - bin.observed), 0)
  return {
    expectedError: gaps / label.length,
    bins: sums.map(({ count, predicted, observed }, i) => {
      return { low: i / bins, high: (i + 1) / bins, count, predicted: predicted / count, observed: observed / count }
    }),
  }
}

/** Rows of equal prediction taken together, the highest prediction first. */
function tiedGroups(label: Numbers, predicted: Numbers, weight: Numbers | undefined) {
  checkLengths(label, predicted, weight)
  const order = Uint32Array.from({ length: label.length }, (_, row) => row)
  order.sort((a, b) => (predicted[b] as number) - (predicted[a] as number))
  const groups: { prediction: number; positive: number; negative: number }[] = []
  for (const row of order) {
    // A row that counts nothing makes no point of a curve.
    if (weight !== undefined && weight[row] === 0) continue
    const prediction = predicted[row] as number
    let group = groups[groups.length - 1]
    if (group === undefined || group.prediction !== prediction) {
      group = { prediction, positive: 0, negative: 0 }
      groups.push(group)
    }
    group[label[row] === 1 ? 'positive' : 'negative'] += weight === undefined ? 1 : (weight[row] as number)
  }
  return groups
}

function checkLengths(label: Numbers, predicted: Numbers, weight?: Numbers): void {
  const problems: string[] = []
  if (label.length === 0) problems.push('There are no rows.')
  if (predicted.length !== label.length) problems.push(`There are ${predicted.length} predictions but ${label.length} labels.`)
  if (weight !== undefined && weight.length !== label.length)
    problems.push(`There are ${weight.length} weights but ${label.length} labels.`)
  if (problems.length > 0) throw new InvalidInput('Cannot measure these predictions:', problems)
}
