/** Divides rows into those to train on and those to test with, by seed. Row numbers are answered in ascending order unless said otherwise. */

import { InvalidInput } from './invalid-input.ts'
import { MersenneTwister } from './random.ts'

export interface RowSplit {
  readonly train: Int32Array
  readonly test: Int32Array
}

/**
 * Rows drawn without regard to anything, in the order drawn. The same rows in the same order as scikit-learn's
 * `train_test_split(test_size=testRatio, random_state=seed)`: ⌈rows · testRatio⌉ to test.
 */
export function rowSplit(rows: number, options: { testRatio: number; seed: number }): RowSplit {
  checkRatio(options.testRatio)
  const tested = Math.ceil(rows * options.testRatio)
  const order = new MersenneTwister(options.seed).permutation(rows)
  return { test: order.slice(0, tested), train: order.slice(tested) }
}

/**
 * Whole groups on one side: rows that share a group (a session, a user) never are on both, so that a test cannot be passed by
 * remembering. Groups are drawn for the test side until it holds about `testRatio` of the rows, in an order that follows from the
 * seed and each group alone: with some rows more or fewer nearly all groups stay on their side, so that a model trained before is
 * not tested on what it was trained on.
 */
export function groupedSplit(groups: ArrayLike<string | number>, options: { testRatio: number; seed: number }): RowSplit {
  checkRatio(options.testRatio)
  const members = membersOf(groups)
  const wanted = groups.length * options.testRatio
  const inTest = new Set<number>()
  let tested = 0
  const places = members.map(([first = 0]) => hash(`${options.seed} ${groups[first]}`))
  for (const group of Array.from(places.keys()).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))) {
    const size = members[group]?.length ?? 0
    // A group joins when that brings the side nearer to its share.
    if (Math.abs(tested + size - wanted) >= Math.abs(tested - wanted)) continue
    inTest.add(group)
    tested += size
  }
  return sides(members, (group) => inTest.has(group))
}

/** `folds` splits, each row in the test side of exactly one of them, and groups whole as in `groupedSplit`. */
export function groupedFolds(groups: ArrayLike<string | number>, options: { folds: number; seed: number }): RowSplit[] {
  const { folds, seed } = options
  const members = membersOf(groups)
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= members.length)) {
    throw new InvalidInput(
      `Cannot make ${folds} folds of ${members.length} groups: it must be a whole number from 2 to that of the groups.`,
      [],
    )
  }
  const shuffled = new MersenneTwister(seed).permutation(members.length)
  // The largest groups first, each to the fold with fewest rows: the folds come out alike even when groups are not.
  const bySize = Array.from(shuffled).sort((a, b) => (members[b]?.length ?? 0) - (members[a]?.length ?? 0))
  const sizes = new Array<number>(folds).fill(0)
  const foldOf = new Int32Array(members.length)
  for (const group of bySize) {
    const fold = sizes.indexOf(Math.min(...sizes))
    foldOf[group] = fold
    sizes[fold] = (sizes[fold] ?? 0) + (members[group]?.length ?? 0)
  }
  return sizes.map((_, fold) => sides(members, (group) => foldOf[group] === fold))
}

/** The rows of each group, groups in the order in which they first occur. */
function membersOf(groups: ArrayLike<string | number>): number[][] {
  const members = new Map<string | number, number[]>()
  for (let row = 0; row < groups.length; row++) {
    const group = groups[row] as string | number
    const rows = members.get(group)
    if (rows === undefined) members.set(group, [row])
    else rows.push(row)
  }
  return [...members.values()]
}

function sides(members: readonly number[][], isTested: (group: number) => boolean): RowSplit {
  const rowsOf = (tested: boolean) => Int32Array.from(members.filter((_, group) => isTested(group) === tested).flat()).sort()
  return { train: rowsOf(false), test: rowsOf(true) }
}

/** 32 bits that look random: FNV-1a, then mixed so that names which differ at their end only do not lie side by side. */
function hash(text: string): number {
  let bits = 0x811c9dc5
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

function checkRatio(testRatio: number): void {
  if (!(testRatio > 0 && testRatio < 1)) throw new InvalidInput(`Cannot split: testRatio is ${testRatio}, but must be between 0 and 1.`, [])
}
