/** Grows one tree leaf by leaf: always the leaf whose split gains most, until there are enough leaves or nothing gains. */

import type { BinTable } from './bin-table.ts'
import type { BinnedFeature } from './bins.ts'
import { HistogramBuilder } from './histogram.ts'
import type { Settings } from './parameters.ts'
import { type LeafTotals, leafOutput, type Split, SplitSearch } from './split-search.ts'
import { CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_NONE, MISSING_SHIFT, type Tree } from './tree.ts'

/** A leaf while its tree grows: a range of the row order, and what its split would be. */
interface GrowingLeaf {
  readonly begin: number
  readonly end: number
  readonly depth: number
  readonly totals: LeafTotals
  readonly output: number
  /** The node and side that point here; −1 for the root. */
  readonly parent: number
  readonly isLeft: boolean
  histogram: Float64Array | undefined
  split: Split | undefined
}

interface Node {
  readonly split: Split
  readonly leaf: GrowingLeaf
  left: number
  right: number
}

/** A grown tree and which of the rows ended in each of its leaves. */
export interface GrownTree {
  readonly tree: Tree
  /** Leaf `i` holds `rows[begins[i] … ends[i])`; overwritten by the next tree. */
  readonly rows: Int32Array
  readonly begins: Int32Array
  readonly ends: Int32Array
}

/** Grows the trees of one training, keeping its buffers from tree to tree. */
export class TreeGrower {
  readonly #table: BinTable
  readonly #settings: Settings
  readonly #histograms: HistogramBuilder
  readonly #search: SplitSearch
  readonly #rows: Int32Array
  readonly #scratch: Int32Array

  constructor(table: BinTable, settings: Settings) {
    this.#table = table
    this.#settings = settings
    this.#histograms = new HistogramBuilder(table)
    this.#search = new SplitSearch(table.features, this.#histograms.offsets, settings)
    this.#rows = new Int32Array(table.rows)
    this.#scratch = new Int32Array(table.rows)
  }

  /** One tree over `rows`, looking at the features in `used`. The values of its leaves are not yet scaled by the learning rate. */
  grow(rows: Int32Array, gradients: Float32Array, hessians: Float32Array, used: Int32Array): GrownTree {
    this.#rows.set(rows)
    const root = this.#rootOf(rows.length, gradients, hessians)
    const leaves: GrowingLeaf[] = [root]
    const nodes: Node[] = []
    const mostLeaves = this.#settings.num_leaves
    if (this.#maySplit(root)) {
      root.histogram = this.#histograms.build(this.#rows, 0, rows.length, gradients, hessians, used)
      root.split = this.#search.best(root.histogram, root.totals, used)
    }
    while (leaves.length < mostLeaves) {
      const index = bestLeaf(leaves)
      if (index < 0) break
      const parent = leaves[index] as GrowingLeaf
      const split = parent.split as Split
      const middle = this.#partition(parent, split)
      if (middle === parent.begin || middle === parent.end) {
        // The count is estimated from hessians, so a split may turn out to divide nothing.
        parent.split = undefined
        continue
      }
      const node = nodes.length
      if (parent.parent >= 0) (nodes[parent.parent] as Node)[parent.isLeft ? 'left' : 'right'] = node
      nodes.push({ split, leaf: parent, left: ~index, right: ~leaves.length })
      const left = this.#childOf(parent, split, node, true, middle)
      const right = this.#childOf(parent, split, node, false, middle)
      leaves[index] = left
      leaves.push(right)
      if (leaves.length < mostLeaves) this.#prepare(parent, left, right, gradients, hessians, used)
    }
    for (const leaf of leaves) if (leaf.histogram !== undefined) this.#histograms.giveBack(leaf.histogram)
    return {
      tree: this.#treeOf(nodes, leaves),
      rows: this.#rows,
      begins: Int32Array.from(leaves, (leaf) => leaf.begin),
      ends: Int32Array.from(leaves, (leaf) => leaf.end),
    }
  }

  #rootOf(count: number, gradients: Float32Array, hessians: Float32Array): GrowingLeaf {
    const rows = this.#rows
    let gradient = 0
    let hessian = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number
      gradient += gradients[row] as number
      hessian += hessians[row] as number
    }
    const { lambda_l1, lambda_l2 } = this.#settings
    const totals = { gradient, hessian, count }
    const output = leafOutput(gradient, hessian, lambda_l1, lambda_l2)
    return { begin: 0, end: count, depth: 0, totals, output, parent: -1, isLeft: false, histogram: undefined, split: undefined }
  }

  #childOf(parent: GrowingLeaf, split: Split, node: number, isLeft: boolean, middle: number): GrowingLeaf {
    const begin = isLeft ? parent.begin : middle
    const end = isLeft ? middle : parent.end
    const { gradient, hessian } = isLeft ? split.left : split.right
    return {
      begin,
      end,
      depth: parent.depth + 1,
      totals: { gradient, hessian, count: end - begin },
      output: leafOutput(gradient, hessian, this.#settings.lambda_l1, split.l2),
      parent: node,
      isLeft,
      histogram: undefined,
      split: undefined,
    }
  }

  #maySplit(leaf: GrowingLeaf): boolean {
    const { max_depth, min_data_in_leaf, min_sum_hessian_in_leaf } = this.#settings
    if (max_depth > 0 && leaf.depth >= max_depth) return false
    return leaf.end - leaf.begin >= 2 * Math.max(1, min_data_in_leaf) && leaf.totals.hessian >= 2 * min_sum_hessian_in_leaf
  }

  /** Finds the splits of two new leaves. Only the smaller one's rows are read: the other's histogram is the difference. */
  #prepare(
    parent: GrowingLeaf,
    left: GrowingLeaf,
    right: GrowingLeaf,
    gradients: Float32Array,
    hessians: Float32Array,
    used: Int32Array,
  ): void {
    const histogram = parent.histogram as Float64Array
    parent.histogram = undefined
    if (!this.#maySplit(left) && !this.#maySplit(right)) {
      this.#histograms.giveBack(histogram)
      return
    }
    const [small, large] = left.end - left.begin < right.end - right.begin ? [left, right] : [right, left]
    small.histogram = this.#histograms.build(this.#rows, small.begin, small.end, gradients, hessians, used)
    this.#histograms.subtract(histogram, small.histogram)
    large.histogram = histogram
    for (const leaf of [left, right]) {
      if (this.#maySplit(leaf)) leaf.split = this.#search.best(leaf.histogram as Float64Array, leaf.totals, used)
      if (leaf.split !== undefined) continue
      this.#histograms.giveBack(leaf.histogram as Float64Array)
      leaf.histogram = undefined
    }
  }

  /** Moves the rows that go left before the others, each side in its former order. Answers where the right side begins. */
  #partition(leaf: GrowingLeaf, split: Split): number {
    const rows = this.#rows
    const scratch = this.#scratch
    const words = this.#table.wordsOf(split.feature)
    const shift = this.#table.shiftOf(split.feature)
    // A fixed size lets the loop drop its bounds checks; no bin is above 255.
    const goesLeft = new Uint8Array(256)
    goesLeft.set(split.leftBins)
    let lefts = leaf.begin
    let rights = 0
    // Every row is written to both sides and only one side moves on: no branch for the processor to guess wrong.
    for (let i = leaf.begin; i < leaf.end; i++) {
      const row = rows[i] as number
      const isLeft = goesLeft[((words[row] as number) >>> shift) & 255] as number
      rows[lefts] = row
      scratch[rights] = row
      lefts += isLeft
      rights += 1 - isLeft
    }
    rows.set(scratch.subarray(0, rights), lefts)
    return lefts
  }

  #treeOf(nodes: readonly Node[], leaves: readonly GrowingLeaf[]): Tree {
    const catBoundaries: number[] = [0]
    const catThreshold: number[] = []
    const threshold = Float64Array.from(nodes, ({ split }) => {
      const feature = this.#table.features[split.feature] as BinnedFeature
      if (feature.kind === 'numeric') return Math.min(feature.upperBounds[split.thresholdBin] as number, 1e300)
      const left = feature.categories.filter((_, bin) => split.leftBins[bin] === 1)
      const words: number[] = new Array((Math.max(...left) >>> 5) + 1).fill(0)
      for (const category of left) words[category >>> 5] = ((words[category >>> 5] as number) | (1 << (category & 31))) >>> 0
      catThreshold.push(...words)
      return catBoundaries.push(catThreshold.length) - 2
    })
    return {
      leaves: leaves.length,
      splitFeature: Int32Array.from(nodes, ({ split }) => split.feature),
      splitGain: Float64Array.from(nodes, ({ split }) => split.gain),
      threshold,
      decisionType: Uint8Array.from(nodes, ({ split }) => decisionOf(this.#table.features[split.feature] as BinnedFeature, split)),
      leftChild: Int32Array.from(nodes, (node) => node.left),
      rightChild: Int32Array.from(nodes, (node) => node.right),
      leafValue: Float64Array.from(leaves, (leaf) => leaf.output),
      leafWeight: Float64Array.from(leaves, (leaf) => leaf.totals.hessian),
      leafCount: Int32Array.from(leaves, (leaf) => leaf.end - leaf.begin),
      internalValue: Float64Array.from(nodes, ({ leaf }) => leaf.output),
      internalWeight: Float64Array.from(nodes, ({ leaf }) => leaf.totals.hessian),
      internalCount: Int32Array.from(nodes, ({ leaf }) => leaf.end - leaf.begin),
      catBoundaries: catBoundaries.length > 1 ? Int32Array.from(catBoundaries) : new Int32Array(0),
      catThreshold: Uint32Array.from(catThreshold),
      shrinkage: 1,
    }
  }
}

/** The leaf whose split gains most, the first of equals; −1 when no leaf has a split. */
function bestLeaf(leaves: readonly GrowingLeaf[]): number {
  let best = -1
  let bestGain = 0
  leaves.forEach((leaf, index) => {
    if (leaf.split === undefined || leaf.split.gain <= bestGain) return
    best = index
    bestGain = leaf.split.gain
  })
  return best
}

function decisionOf(feature: BinnedFeature, split: Split): number {
  const missing = (feature.missingBin >= 0 ? MISSING_NAN : MISSING_NONE) << MISSING_SHIFT
  if (feature.kind === 'categorical') return CATEGORICAL | missing
  return missing | (split.missingGoesLeft ? DEFAULT_LEFT : 0)
}
