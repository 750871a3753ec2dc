/** The binned rows, four features packed into one 32-bit word, so that the inner loop of training reads a row's bins together. */

import type { BinnedFeature } from './bins.ts'

/** How many features share a word. */
export const LANES = 4

/** Filled feature by feature, then only read. Feature `f` is in lane `f % 4` of `words[f / 4]`. */
export class BinTable {
  readonly rows: number
  readonly features: BinnedFeature[] = []
  readonly words: Uint32Array[] = []

  constructor(rows: number) {
    this.rows = rows
  }

  /** Adds a feature with the bin of each row. */
  add(feature: BinnedFeature, bins: Uint8Array): void {
    const shift = this.shiftOf(this.features.length)
    if (shift === 0) this.words.push(new Uint32Array(this.rows))
    this.features.push(feature)
    const words = this.wordsOf(this.features.length - 1)
    for (let row = 0; row < bins.length; row++) words[row] = (words[row] as number) | ((bins[row] as number) << shift)
  }

  /** The words that hold feature `f`: its bin of a row is `(words[row] >>> shiftOf(f)) & 255`. */
  wordsOf(f: number): Uint32Array {
    return this.words[Math.floor(f / LANES)] as Uint32Array
  }

  shiftOf(f: number): number {
    return 8 * (f % LANES)
  }
}
