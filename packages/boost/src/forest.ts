/** The trees of a model laid out end to end for fast evaluation. */

import { CATEGORICAL, DEFAULT_LEFT, inCategorySet, MISSING_NAN, MISSING_SHIFT, MISSING_ZERO, type Tree } from './tree.ts'

const ZERO = 1e-35
/** Rows evaluated together, so that a tree stays in the cache while it is walked. */
const BLOCK = 256

/** How a node decides: by threshold alone, by threshold with zeros missing, or by category. */
const PLAIN = 0
const ZERO_IS_MISSING = 1
const BY_CATEGORY = 2

/** Sums the answers of trees. Immutable once made. */
export class Forest {
  readonly #featureCount: number
  readonly #roots: Int32Array
  readonly #feature: Int32Array
  readonly #threshold: Float64Array
  /** Of each node: left, right, and where NaN goes. Below 0 is a leaf. */
  readonly #next: Int32Array
  readonly #kind: Uint8Array
  readonly #leafValue: Float64Array
  readonly #catBoundaries: Int32Array
  readonly #catThreshold: Uint32Array
  readonly #isPlain: boolean

  constructor(trees: readonly Tree[], featureCount: number) {
    const nodes = trees.reduce((sum, tree) => sum + tree.leaves - 1, 0)
    const leaves = trees.reduce((sum, tree) => sum + tree.leaves, 0)
    this.#featureCount = featureCount
    this.#roots = new Int32Array(trees.length)
    this.#feature = new Int32Array(nodes)
    this.#threshold = new Float64Array(nodes)
    this.#next = new Int32Array(3 * nodes)
    this.#kind = new Uint8Array(nodes)
    this.#leafValue = new Float64Array(leaves)
    const boundaries: number[] = []
    const bits: number[] = []
    let node = 0
    let leaf = 0
    trees.forEach((tree, index) => {
      const firstNode = node
      const firstSet = boundaries.length
      const place = (child: number) => (child >= 0 ? child + firstNode : child - leaf)
      this.#roots[index] = tree.leaves === 1 ? ~leaf : firstNode
      for (let i = 0; i < tree.leaves - 1; i++, node++) {
        const decision = tree.decisionType[i] as number
        const threshold = tree.threshold[i] as number
        const left = place(tree.leftChild[i] as number)
        const right = place(tree.rightChild[i] as number)
        const missing = (decision >> MISSING_SHIFT) & 3
        const isCategorical = (decision & CATEGORICAL) !== 0
        this.#feature[node] = tree.splitFeature[i] as number
        this.#threshold[node] = isCategorical ? threshold + firstSet : threshold
        this.#kind[node] = isCategorical ? BY_CATEGORY : missing === MISSING_ZERO ? ZERO_IS_MISSING : PLAIN
        this.#next[3 * node] = left
        this.#next[3 * node + 1] = right
        // A feature that had no missing values when the model was trained reads NaN as 0.
        const nanGoesLeft = missing === MISSING_NAN || missing === MISSING_ZERO ? (decision & DEFAULT_LEFT) !== 0 : threshold >= 0
        this.#next[3 * node + 2] = nanGoesLeft && !isCategorical ? left : right
      }
      for (const boundary of tree.catBoundaries) boundaries.push(boundary + bits.length)
      for (const word of tree.catThreshold) bits.push(word)
      this.#leafValue.set(tree.leafValue, leaf)
      leaf += tree.leaves
    })
    this.#catBoundaries = Int32Array.from(boundaries)
    this.#catThreshold = Uint32Array.from(bits)
    this.#isPlain = this.#kind.every((kind) => kind === PLAIN)
  }

  /** The sum of all trees for the features found at `values[offset]` and after. */
  sum(values: ArrayLike<number>, offset = 0): number {
    let total = 0
    for (let tree = 0; tree < this.#roots.length; tree++) total += this.#answer(tree, values, offset)
    return total
  }

  /** Adds the sum of all trees to `totals` of each row of `columns`; of `rows` only, when given. */
  addTo(totals: Float64Array, columns: readonly Float64Array[], rows?: Int32Array): void {
    const width = this.#featureCount
    const count = rows === undefined ? totals.length : rows.length
    const block = new Float64Array(BLOCK * width)
    const sums = new Float64Array(BLOCK)
    for (let start = 0; start < count; start += BLOCK) {
      const size = Math.min(BLOCK, count - start)
      for (let f = 0; f < width; f++) {
        const column = columns[f] as Float64Array
        for (let i = 0; i < size; i++) block[i * width + f] = column[rows === undefined ? start + i : (rows[start + i] as number)] as number
      }
      sums.fill(0)
      for (let tree = 0; tree < this.#roots.length; tree++) {
        for (let i = 0; i < size; i++) sums[i] = (sums[i] as number) + this.#answer(tree, block, i * width)
      }
      for (let i = 0; i < size; i++) {
        const row = rows === undefined ? start + i : (rows[start + i] as number)
        totals[row] = (totals[row] as number) + (sums[i] as number)
      }
    }
  }

  #answer(tree: number, values: ArrayLike<number>, offset: number): number {
    return this.#leafValue[~(this.#isPlain ? this.#walkPlain(tree, values, offset) : this.#walk(tree, values, offset))] as number
  }

  #walkPlain(tree: number, values: ArrayLike<number>, offset: number): number {
    const next = this.#next
    let node = this.#roots[tree] as number
    while (node >= 0) {
      const value = values[offset + (this.#feature[node] as number)] as number
      const threshold = this.#threshold[node] as number
      node = next[3 * node + (value <= threshold ? 0 : value > threshold ? 1 : 2)] as number
    }
    return node
  }

  #walk(tree: number, values: ArrayLike<number>, offset: number): number {
    const next = this.#next
    let node = this.#roots[tree] as number
    while (node >= 0) {
      const value = values[offset + (this.#feature[node] as number)] as number
      const threshold = this.#threshold[node] as number
      const kind = this.#kind[node]
      let way = value <= threshold ? 0 : value > threshold ? 1 : 2
      if (kind === BY_CATEGORY) {
        // Compared as a whole number, cut towards zero; NaN, negative and huge ones are in no set.
        const category = value > -1 && value < 2147483648 ? Math.trunc(value) : -1
        way = category >= 0 && inCategorySet(this.#catBoundaries, this.#catThreshold, threshold, category) ? 0 : 1
      } else if (kind === ZERO_IS_MISSING && value >= -ZERO && value <= ZERO) {
        way = 2
      }
      node = next[3 * node + way] as number
    }
    return node
  }
}
