/** Sums of gradients and hessians per bin: the inner loop of training. */

import { type BinTable, LANES } from './bin-table.ts'

/**
 * Makes histograms over some rows. A histogram is a Float64Array with gradient and hessian of each bin side by side;
 * feature `f` begins at `offsets[f]`. Histograms that are no longer needed are given back to be used again.
 */
export class HistogramBuilder {
  /** Where each feature begins in a histogram; one more entry for the end. */
  readonly offsets: Int32Array
  readonly #table: BinTable
  readonly #gradients: Float32Array
  readonly #hessians: Float32Array
  readonly #spare: Float64Array[] = []

  constructor(table: BinTable) {
    this.#table = table
    this.offsets = new Int32Array(table.features.length + 1)
    table.features.forEach((feature, f) => {
      this.offsets[f + 1] = (this.offsets[f] as number) + 2 * feature.binCount
    })
    this.#gradients = new Float32Array(table.rows)
    this.#hessians = new Float32Array(table.rows)
  }

  /** Sums over `rows[begin … end)` for the features in `used`; what stands at the others has no meaning. */
  build(rows: Int32Array, begin: number, end: number, gradients: Float32Array, hessians: Float32Array, used: Int32Array): Float64Array {
    const histogram = this.#spare.pop()?.fill(0) ?? new Float64Array(this.offsets[this.offsets.length - 1] as number)
    const own = rows.subarray(begin, end)
    const g = this.#gradients.subarray(0, own.length)
    const h = this.#hessians.subarray(0, own.length)
    // Gathered once, so that the loop over each word of features reads them in order.
    for (let i = 0; i < own.length; i++) {
      const row = own[i] as number
      g[i] = gradients[row] as number
      h[i] = hessians[row] as number
    }
    const offset = (f: number) => this.offsets[f] as number
    for (let i = 0; i < used.length; ) {
      const word = Math.floor((used[i] as number) / LANES)
      const first = word * LANES
      let next = i
      while (next < used.length && (used[next] as number) < first + LANES) next++
      if (next - i >= LANES - 1 && first + LANES <= this.#table.features.length) {
        const words = this.#table.words[word] as Uint32Array
        addFour(histogram, own, g, h, words, offset(first), offset(first + 1), offset(first + 2), offset(first + 3))
      } else {
        for (const f of used.subarray(i, next)) addOne(histogram, own, g, h, this.#table.wordsOf(f), this.#table.shiftOf(f), offset(f))
      }
      i = next
    }
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

/** All lanes of a word: row and gradients are read once, and additions to different features need not wait for each other. */
function addFour(
  histogram: Float64Array,
  rows: Int32Array,
  gradients: Float32Array,
  hessians: Float32Array,
  words: Uint32Array,
  offsetA: number,
  offsetB: number,
  offsetC: number,
  offsetD: number,
): void {
  for (let i = 0; i < rows.length; i++) {
    const word = words[rows[i] as number] as number
    const g = gradients[i] as number
    const h = hessians[i] as number
    // Twice the bin of each lane, for gradient and hessian stand side by side.
    const a = offsetA + ((word << 1) & 510)
    const b = offsetB + ((word >>> 7) & 510)
    const c = offsetC + ((word >>> 15) & 510)
    const d = offsetD + ((word >>> 23) & 510)
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
  words: Uint32Array,
  shift: number,
  offset: number,
): void {
  for (let i = 0; i < rows.length; i++) {
    const bin = ((words[rows[i] as number] as number) >>> shift) & 255
    const at = offset + (bin << 1)
    histogram[at] = (histogram[at] as number) + (gradients[i] as number)
    histogram[at + 1] = (histogram[at + 1] as number) + (hessians[i] as number)
  }
}
