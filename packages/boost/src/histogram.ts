/** Sums of gradients and hessians per bin: the inner loop of training. */

import type { BinnedFeature } from './bins.ts'

/**
 * Makes histograms over some rows. A histogram is a Float64Array with gradient and hessian of each bin side by side;
 * feature `f` begins at `offsets[f]`. Histograms that are no longer needed are given back to be used again.
 */
export class HistogramBuilder {
  /** Where each feature begins in a histogram; one more entry for the end. */
  readonly offsets: Int32Array
  readonly #features: readonly BinnedFeature[]
  readonly #gradients: Float32Array
  readonly #hessians: Float32Array
  readonly #spare: Float64Array[] = []

  constructor(features: readonly BinnedFeature[], rows: number) {
    this.#features = features
    this.offsets = new Int32Array(features.length + 1)
    features.forEach((feature, f) => {
      this.offsets[f + 1] = (this.offsets[f] as number) + 2 * feature.binCount
    })
    this.#gradients = new Float32Array(rows)
    this.#hessians = new Float32Array(rows)
  }

  /** Sums over `rows[begin … end)`, for the features in `used` only; the rest stays 0. */
  build(rows: Int32Array, begin: number, end: number, gradients: Float32Array, hessians: Float32Array, used: Int32Array): Float64Array {
    const histogram = this.#spare.pop()?.fill(0) ?? new Float64Array(this.offsets[this.offsets.length - 1] as number)
    const size = end - begin
    const g = this.#gradients
    const h = this.#hessians
    // Gathered once, so that the loop over each group of features reads them in order.
    for (let i = 0; i < size; i++) {
      const row = rows[begin + i] as number
      g[i] = gradients[row] as number
      h[i] = hessians[row] as number
    }
    const own = rows.subarray(begin, end)
    const bins = (i: number) => (this.#features[used[i] as number] as BinnedFeature).bins
    const offset = (i: number) => this.offsets[used[i] as number] as number
    let i = 0
    for (; i + 4 <= used.length; i += 4) {
      addFour(histogram, own, g, h, bins(i), bins(i + 1), bins(i + 2), bins(i + 3), offset(i), offset(i + 1), offset(i + 2), offset(i + 3))
    }
    for (; i < used.length; i++) addOne(histogram, own, g, h, bins(i), offset(i))
    return histogram
  }

  /** Turns the histogram of a parent into that of one child by taking the other child's away. */
  subtract(parent: Float64Array, child: Float64Array): void {
    for (let i = 0; i < parent.length; i++) parent[i] = (parent[i] as number) - (child[i] as number)
  }

  giveBack(histogram: Float64Array): void {
    this.#spare.push(histogram)
  }
}

/** Four features at once: row and gradients are loaded once, and additions to different features need not wait for each other. */
function addFour(
  histogram: Float64Array,
  rows: Int32Array,
  gradients: Float32Array,
  hessians: Float32Array,
  binsA: Uint8Array,
  binsB: Uint8Array,
  binsC: Uint8Array,
  binsD: Uint8Array,
  offsetA: number,
  offsetB: number,
  offsetC: number,
  offsetD: number,
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number
    const g = gradients[i] as number
    const h = hessians[i] as number
    const a = offsetA + ((binsA[row] as number) << 1)
    const b = offsetB + ((binsB[row] as number) << 1)
    const c = offsetC + ((binsC[row] as number) << 1)
    const d = offsetD + ((binsD[row] as number) << 1)
    histogram[a] = (histogram[a] as number) + g
    histogram[a + 1] = (histogram[a + 1] as number) + h
    histogram[b] = (histogram[b] as number) + g
    histogram[b + 1] = (histogram[b + 1] as number) + h
    histogram[c] = (histogram[c] as number) + g
    histogram[c + 1] = (histogram[c + 1] as number) + h
    histogram[d] = (histogram[d] as number) + g
    histogram[d + 1] = (histogram[d + 1] as number) + h
  }
}

function addOne(
  histogram: Float64Array,
  rows: Int32Array,
  gradients: Float32Array,
  hessians: Float32Array,
  bins: Uint8Array,
  offset: number,
): void {
  for (let i = 0; i < rows.length; i++) {
    const at = offset + ((bins[rows[i] as number] as number) << 1)
    histogram[at] = (histogram[at] as number) + (gradients[i] as number)
    histogram[at + 1] = (histogram[at + 1] as number) + (hessians[i] as number)
  }
}
