/** One decision tree as LightGBM's text format lays it out: node and leaf arrays, children below 0 are leaves (`~leaf`). */

export const CATEGORICAL = 1
export const DEFAULT_LEFT = 2
/** The missing type sits in bits 2 and 3 of a decision. */
export const MISSING_SHIFT = 2
export const MISSING_NONE = 0
export const MISSING_ZERO = 1
export const MISSING_NAN = 2

/** Arrays named `split…`, `internal…` and children have one entry per node, `leaf…` one per leaf. */
export interface Tree {
  readonly leaves: number
  readonly splitFeature: Int32Array
  readonly splitGain: Float64Array
  /** Numeric: the greatest value that goes left. Categorical: which set of `catBoundaries` goes left. */
  readonly threshold: Float64Array
  /** Bits: CATEGORICAL, DEFAULT_LEFT (a missing value goes left), then the missing type. */
  readonly decisionType: Uint8Array
  readonly leftChild: Int32Array
  readonly rightChild: Int32Array
  readonly leafValue: Float64Array
  readonly leafWeight: Float64Array
  readonly leafCount: Int32Array
  readonly internalValue: Float64Array
  readonly internalWeight: Float64Array
  readonly internalCount: Int32Array
  /** Set `i` is the bits of `catThreshold` from `catBoundaries[i]` to `catBoundaries[i + 1]`. Empty without categorical splits. */
  readonly catBoundaries: Int32Array
  readonly catThreshold: Uint32Array
  readonly shrinkage: number
}

/** A tree that answers `value` whatever it is asked. */
export function constantTree(value: number, rows: number): Tree {
  const none = new Float64Array(0)
  const noNodes = new Int32Array(0)
  return {
    leaves: 1,
    splitFeature: noNodes,
    splitGain: none,
    threshold: none,
    decisionType: new Uint8Array(0),
    leftChild: noNodes,
    rightChild: noNodes,
    leafValue: Float64Array.of(value),
    leafWeight: Float64Array.of(0),
    leafCount: Int32Array.of(rows),
    internalValue: none,
    internalWeight: none,
    internalCount: noNodes,
    catBoundaries: noNodes,
    catThreshold: new Uint32Array(0),
    shrinkage: 1,
  }
}

/** The tree with all its answers multiplied by `rate` and then raised by `bias`. */
export function scaledTree(tree: Tree, rate: number, bias: number): Tree {
  return {
    ...tree,
    leafValue: tree.leafValue.map((value) => value * rate + bias),
    internalValue: tree.internalValue.map((value) => value * rate + bias),
    // A shrinkage of 1 tells LightGBM that the values no longer are the plain answers times the rate.
    shrinkage: bias === 0 ? tree.shrinkage * rate : 1,
  }
}

/** Whether `category` is in set `set` of the tree. */
export function inCategorySet(boundaries: Int32Array, bits: Uint32Array, set: number, category: number): boolean {
  const begin = boundaries[set] as number
  const word = category >>> 5
  if (begin + word >= (boundaries[set + 1] as number)) return false
  return (((bits[begin + word] as number) >>> (category & 31)) & 1) === 1
}
