/** Finds the best way to split a leaf from its histogram. */

import type { BinnedFeature } from './bins.ts'
import type { Settings } from './parameters.ts'

/** What is known of the rows of a leaf. */
export interface LeafTotals {
  readonly gradient: number
  readonly hessian: number
  readonly count: number
}

/** A split that was found. `leftBins` says for each bin of the feature whether it goes left (1) or right (0). */
export interface Split {
  readonly feature: number
  readonly gain: number
  /** The last bin that goes left; −1 for a set of categories. */
  readonly thresholdBin: number
  readonly missingGoesLeft: boolean
  readonly leftBins: Uint8Array
  readonly left: LeafTotals
  readonly right: LeafTotals
  /** L2 regularisation that the leaf values of this split are computed with. */
  readonly l2: number
}

/** Keeps both sides of a sum from being exactly 0, where a division would give NaN. */
const EPSILON = 1e-15

/** The gain that a leaf of these sums has over one that answers 0. */
function leafGain(gradient: number, hessian: number, l1: number, l2: number): number {
  const pulled = pullIn(gradient, l1)
  return (pulled * pulled) / (hessian + l2)
}

/** The best answer of a leaf of these sums. */
export function leafOutput(gradient: number, hessian: number, l1: number, l2: number): number {
  const output = -pullIn(gradient, l1) / (hessian + l2)
  return Number.isFinite(output) ? output : 0
}

function pullIn(gradient: number, l1: number): number {
  if (l1 === 0) return gradient
  const size = Math.abs(gradient) - l1
  return size <= 0 ? 0 : gradient < 0 ? -size : size
}

/** Scans the histograms of leaves, one scanner per training. */
export class SplitSearch {
  readonly #features: readonly BinnedFeature[]
  readonly #offsets: Int32Array
  readonly #settings: Settings

  constructor(features: readonly BinnedFeature[], offsets: Int32Array, settings: Settings) {
    this.#features = features
    this.#offsets = offsets
    this.#settings = settings
  }

  /** The split of highest gain over the features in `used`; undefined when none is allowed or gains anything. */
  best(histogram: Float64Array, totals: LeafTotals, used: Int32Array): Split | undefined {
    let best: Split | undefined
    for (const f of used) {
      const feature = this.#features[f] as BinnedFeature
      const begin = this.#offsets[f] as number
      const split =
        feature.kind === 'numeric'
          ? this.#numeric(f, feature, histogram, begin, totals, best?.gain ?? 0)
          : this.#categorical(f, feature, histogram, begin, totals, best?.gain ?? 0)
      if (split !== undefined) best = split
    }
    return best
  }

  #numeric(
    f: number,
    feature: BinnedFeature,
    histogram: Float64Array,
    begin: number,
    totals: LeafTotals,
    toBeat: number,
  ): Split | undefined {
    const {
      lambda_l1: l1,
      lambda_l2: l2,
      min_data_in_leaf: minRows,
      min_sum_hessian_in_leaf: minHessian,
      min_gain_to_split,
    } = this.#settings
    const { gradient, hessian, count } = totals
    const rowsPerHessian = count / hessian
    const shift = leafGain(gradient, hessian, l1, l2) + min_gain_to_split
    const hasMissing = feature.missingBin >= 0
    const valueBins = feature.upperBounds.length
    let bestGain = toBeat + shift
    let bestBin = -1
    let missingGoesLeft = true
    let bestGradient = 0
    let bestHessian = 0
    let bestCount = 0

    // From the greatest bin down: missing values stay on the left.
    let g = 0
    let h = EPSILON
    let n = 0
    for (let bin = valueBins - 1; bin > 0; bin--) {
      const at = begin + (bin << 1)
      const binGradient = histogram[at] as number
      const binHessian = histogram[at + 1] as number
      g += binGradient
      h += binHessian
      n += (binHessian * rowsPerHessian + 0.5) | 0
      if (n < minRows || h < minHessian) continue
      const rest = hessian - h
      if (count - n < minRows || rest < minHessian) break
      const gain = leafGain(gradient - g, rest, l1, l2) + leafGain(g, h, l1, l2)
      if (gain > bestGain) {
        bestGain = gain
        bestBin = bin - 1
        bestGradient = gradient - g
        bestHessian = rest
        bestCount = count - n
      }
    }
    if (hasMissing) {
      // From the least bin up: missing values stay on the right.
      g = 0
      h = EPSILON
      n = 0
      for (let bin = 0; bin < valueBins; bin++) {
        const at = begin + (bin << 1)
        const binGradient = histogram[at] as number
        const binHessian = histogram[at + 1] as number
        g += binGradient
        h += binHessian
        n += (binHessian * rowsPerHessian + 0.5) | 0
        if (n < minRows || h < minHessian) continue
        const rest = hessian - h
        if (count - n < minRows || rest < minHessian) break
        const gain = leafGain(g, h, l1, l2) + leafGain(gradient - g, rest, l1, l2)
        if (gain > bestGain) {
          bestGain = gain
          bestBin = bin
          missingGoesLeft = false
          bestGradient = g
          bestHessian = h
          bestCount = n
        }
      }
    }
    if (bestBin < 0) return undefined
    const leftBins = new Uint8Array(feature.binCount)
    leftBins.fill(1, 0, bestBin + 1)
    if (hasMissing && missingGoesLeft) leftBins[feature.missingBin] = 1
    return {
      feature: f,
      gain: bestGain - shift,
      thresholdBin: bestBin,
      missingGoesLeft,
      leftBins,
      left: { gradient: bestGradient, hessian: bestHessian, count: bestCount },
      right: { gradient: gradient - bestGradient, hessian: hessian - bestHessian, count: count - bestCount },
      l2,
    }
  }

  /**
   * Few categories: one against the rest. Many: sorted by gradient over hessian, then cut like numbers from both ends, which finds
   * the best of all sets for a convex loss. Rare categories are smoothed, and a missing or unknown category always goes right.
   */
  #categorical(
    f: number,
    feature: BinnedFeature,
    histogram: Float64Array,
    begin: number,
    totals: LeafTotals,
    toBeat: number,
  ): Split | undefined {
    const settings = this.#settings
    const {
      lambda_l1: l1,
      min_data_in_leaf: minRows,
      min_sum_hessian_in_leaf: minHessian,
      cat_smooth,
      min_data_per_group: minGroup,
    } = settings
    const { gradient, hessian, count } = totals
    const rowsPerHessian = count / hessian
    const categoryBins = feature.categories.length
    const oneAgainstRest = feature.binCount <= settings.max_cat_to_onehot
    const l2 = oneAgainstRest ? settings.lambda_l2 : settings.lambda_l2 + settings.cat_l2
    // The parent is measured without `cat_l2`, as LightGBM does: the extra regularisation must earn its place.
    const shift = leafGain(gradient, hessian, l1, settings.lambda_l2) + settings.min_gain_to_split
    const g = (bin: number) => histogram[begin + (bin << 1)] as number
    const h = (bin: number) => histogram[begin + (bin << 1) + 1] as number
    const rows = (bin: number) => (h(bin) * rowsPerHessian + 0.5) | 0

    let bestGain = toBeat + shift
    let bestSet: readonly number[] | undefined
    let best: LeafTotals = { gradient: 0, hessian: 0, count: 0 }
    const consider = (set: readonly number[], size: number, left: LeafTotals) => {
      const gain = leafGain(left.gradient, left.hessian, l1, l2) + leafGain(gradient - left.gradient, hessian - left.hessian, l1, l2)
      if (gain <= bestGain) return
      bestGain = gain
      bestSet = set.slice(0, size)
      best = left
    }

    if (oneAgainstRest) {
      for (let bin = 0; bin < categoryBins; bin++) {
        const left = { gradient: g(bin), hessian: h(bin) + EPSILON, count: rows(bin) }
        if (left.count < minRows || left.hessian < minHessian) continue
        if (count - left.count < minRows || hessian - left.hessian < minHessian) continue
        consider([bin], 1, left)
      }
    } else {
      const sorted = Array.from({ length: categoryBins }, (_, bin) => bin)
        .filter((bin) => rows(bin) >= cat_smooth)
        .sort((a, b) => g(a) / (h(a) + cat_smooth) - g(b) / (h(b) + cat_smooth) || a - b)
      const mostSize = Math.min(settings.max_cat_threshold, (sorted.length + 1) >> 1)
      for (const order of [sorted, sorted.toReversed()]) {
        let left: LeafTotals = { gradient: 0, hessian: EPSILON, count: 0 }
        let inGroup = 0
        for (let size = 1; size <= Math.min(mostSize, order.length); size++) {
          const bin = order[size - 1] as number
          left = { gradient: left.gradient + g(bin), hessian: left.hessian + h(bin), count: left.count + rows(bin) }
          inGroup += rows(bin)
          if (left.count < minRows || left.hessian < minHessian) continue
          if (count - left.count < Math.max(minRows, minGroup) || hessian - left.hessian < minHessian) break
          if (inGroup < minGroup) continue
          inGroup = 0
          consider(order, size, left)
        }
      }
    }
    if (bestSet === undefined) return undefined
    const leftBins = new Uint8Array(feature.binCount)
    for (const bin of bestSet) leftBins[bin] = 1
    return {
      feature: f,
      gain: bestGain - shift,
      thresholdBin: -1,
      missingGoesLeft: false,
      leftBins,
      left: best,
      right: { gradient: gradient - best.gradient, hessian: hessian - best.hessian, count: count - best.count },
      l2,
    }
  }
}
