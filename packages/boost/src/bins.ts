/** Turns the values of each feature into at most 255 bins, so that a split is searched over bins instead of rows. */

import type { MersenneTwister } from './random.ts'

/** One feature as the trainer sees it. Its last bin holds the missing values when `missingBin` is not −1. */
export interface BinnedFeature {
  readonly kind: 'numeric' | 'categorical'
  readonly binCount: number
  readonly missingBin: number
  /** Numeric: the greatest value of each bin but the missing one; the last is Infinity. */
  readonly upperBounds: Float64Array
  /** Categorical: the category of each bin but the missing one, the most frequent first. */
  readonly categories: Int32Array
  /** Numeric: least and greatest value seen; NaN when there is none. */
  readonly min: number
  readonly max: number
}

/** A feature and the bin of each row. */
export interface Binning {
  readonly feature: BinnedFeature
  readonly bins: Uint8Array
}

/** Where bins are cut is decided on at most so many rows, as in LightGBM (`bin_construct_sample_cnt`). */
const SAMPLED_ROWS = 200_000

/** `maxBin` counts the bin of the missing values too. */
export function binNumeric(column: Float64Array, maxBin: number, minDataInBin: number, random: MersenneTwister): Binning {
  const { min, max, missing } = rangeOf(column)
  const sample = sampleOf(column, random)
  const valueBins = missing > 0 ? maxBin - 1 : maxBin
  const upperBounds = Number.isNaN(min) ? new Float64Array(0) : cutPoints(sample, Math.max(1, valueBins), minDataInBin)
  const missingBin = missing > 0 ? upperBounds.length : -1
  const binCount = upperBounds.length + (missing > 0 ? 1 : 0)
  return {
    feature: { kind: 'numeric', binCount, missingBin, upperBounds, categories: new Int32Array(0), min, max },
    bins: assign(column, upperBounds, missingBin),
  }
}

/** Categories of fewer than `minDataInBin` rows, and those for which there are no bins left, share the bin of the missing values. */
export function binCategorical(column: Float64Array, maxBin: number, minDataInBin: number): Binning {
  const counts = new Map<number, number>()
  for (const value of column) {
    if (!(value >= 0)) continue
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const frequent = [...counts].sort(([a, countOfA], [b, countOfB]) => countOfB - countOfA || a - b)
  const binOf = new Map<number, number>()
  let covered = 0
  for (const [category, count] of frequent) {
    if (binOf.size >= maxBin - 1 || (count < minDataInBin && binOf.size > 1)) break
    binOf.set(category, binOf.size)
    covered += count
  }
  const missingBin = covered < column.length ? binOf.size : -1
  const feature: BinnedFeature = {
    kind: 'categorical',
    binCount: binOf.size + (missingBin < 0 ? 0 : 1),
    missingBin,
    upperBounds: new Float64Array(0),
    categories: Int32Array.from(binOf.keys()),
    min: Number.NaN,
    max: Number.NaN,
  }
  return { feature, bins: Uint8Array.from(column, (value) => binOf.get(value) ?? missingBin) }
}

function rangeOf(column: Float64Array): { min: number; max: number; missing: number } {
  let min = Infinity
  let max = -Infinity
  let missing = 0
  for (let row = 0; row < column.length; row++) {
    const value = column[row] as number
    if (Number.isNaN(value)) missing++
    if (value < min) min = value
    if (value > max) max = value
  }
  return missing === column.length ? { min: Number.NaN, max: Number.NaN, missing } : { min, max, missing }
}

/** Values to cut by, in ascending order, NaN left out. */
function sampleOf(column: Float64Array, random: MersenneTwister): Float64Array {
  let sample = column.slice()
  if (column.length > SAMPLED_ROWS) {
    sample = new Float64Array(SAMPLED_ROWS)
    for (let i = 0; i < SAMPLED_ROWS; i++) sample[i] = column[random.integer(column.length - 1)] as number
  }
  sample.sort()
  let end = sample.length
  while (end > 0 && Number.isNaN(sample[end - 1])) end--
  return sample.subarray(0, end)
}

/**
 * Upper bounds of at most `maxBins` bins over `sorted`. When every distinct value fits, each gets its bin (joined to its successors
 * until it holds `minDataInBin` rows). Otherwise a value that fills a bin alone gets one alone, and the rest share evenly.
 */
function cutPoints(sorted: Float64Array, maxBins: number, minDataInBin: number): Float64Array {
  const { values, counts } = distinct(sorted)
  const bounds: number[] = []
  if (values.length <= maxBins) {
    let held = 0
    for (let i = 0; i < values.length - 1; i++) {
      held += counts[i] as number
      if (held < minDataInBin) continue
      bounds.push(between(values[i] as number, values[i + 1] as number))
      held = 0
    }
    return Float64Array.from([...bounds, Infinity])
  }
  const bins = Math.max(1, Math.min(maxBins, Math.floor(sorted.length / minDataInBin)))
  const fullBin = sorted.length / bins
  const isFull = new Uint8Array(values.length)
  let restBins = bins
  let restRows = sorted.length
  for (let i = 0; i < values.length; i++) {
    if ((counts[i] as number) < fullBin) continue
    isFull[i] = 1
    restBins--
    restRows -= counts[i] as number
  }
  let share = restRows / restBins
  let held = 0
  for (let i = 0; i < values.length - 1 && bounds.length < bins - 1; i++) {
    const count = counts[i] as number
    held += count
    if (!isFull[i]) restRows -= count
    const closes = isFull[i] || held >= share || (isFull[i + 1] && held >= Math.max(1, share / 2))
    if (!closes) continue
    bounds.push(between(values[i] as number, values[i + 1] as number))
    held = 0
    if (!isFull[i]) share = restRows / --restBins
  }
  return Float64Array.from([...bounds, Infinity])
}

function distinct(sorted: Float64Array): { values: Float64Array; counts: Int32Array } {
  const values = new Float64Array(sorted.length)
  const counts = new Int32Array(sorted.length)
  let found = 0
  let start = 0
  for (let i = 1; i <= sorted.length; i++) {
    if (i < sorted.length && sorted[i] === sorted[start]) continue
    values[found] = sorted[start] as number
    counts[found++] = i - start
    start = i
  }
  return { values: values.subarray(0, found), counts: counts.subarray(0, found) }
}

/** A bound that `low` is not above and `high` is, even for neighbours in floating point. */
function between(low: number, high: number): number {
  const middle = low + (high - low) / 2
  return middle < high ? middle : low
}

function assign(column: Float64Array, upperBounds: Float64Array, missingBin: number): Uint8Array {
  const bins = new Uint8Array(column.length)
  // Padded with Infinity to 256, so that eight halvings always find the bin.
  const padded = new Float64Array(256).fill(Infinity)
  padded.set(upperBounds)
  for (let row = 0; row < column.length; row++) {
    const value = column[row] as number
    if (Number.isNaN(value)) {
      bins[row] = missingBin
      continue
    }
    let bin = 0
    for (let step = 128; step > 0; step >>= 1) {
      if (value > (padded[bin + step - 1] as number)) bin += step
    }
    bins[row] = bin
  }
  return bins
}
