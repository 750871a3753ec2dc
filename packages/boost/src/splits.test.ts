import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MersenneTwister } from './random.ts'
import { groupedFolds, groupedSplit, type RowSplit, rowSplit } from './splits.ts'

/** Groups of 1 to 9 rows, mixed. */
function mixedGroups(seed: number): string[] {
  const random = new MersenneTwister(seed)
  const groups = Array.from({ length: 80 }, (_, group) => new Array<string>(1 + random.integer(8)).fill(`g${group}`)).flat()
  return Array.from(random.permutation(groups.length), (row) => groups[row] as string)
}

function assertDivides(groups: readonly string[], { train, test }: RowSplit): void {
  assert.deepEqual(
    Array.from([...train, ...test]).sort((a, b) => a - b),
    Array.from(groups.keys()),
  )
  const trained = new Set(Array.from(train, (row) => groups[row]))
  for (const row of test) assert.ok(!trained.has(groups[row]), `group ${groups[row]} is on both sides`)
}

describe('splits', () => {
  it("a row split is scikit-learn's train_test_split of the same seed", () => {
    const { train, test } = rowSplit(10, { testRatio: 0.25, seed: 40 })
    assert.deepEqual(Array.from(train), [1, 2, 9, 0, 5, 7, 6])
    assert.deepEqual(Array.from(test), [4, 3, 8])
    const day = rowSplit(22_971, { testRatio: 0.3, seed: 40 })
    assert.deepEqual(Array.from(day.test.subarray(0, 4)), [19_674, 9842, 4135, 6758])
    assert.deepEqual(Array.from(day.train.subarray(0, 4)), [19_219, 13_914, 6497, 2806])
    assert.equal(day.test.length, 6892)
  })

  it('a grouped split never splits a group, and comes near its share', () => {
    for (let seed = 0; seed < 50; seed++) {
      const groups = mixedGroups(seed)
      const split = groupedSplit(groups, { testRatio: 0.3, seed })
      assertDivides(groups, split)
      assert.ok(Math.abs(split.test.length / groups.length - 0.3) < 0.02)
    }
  })

  it('a grouped split is the same for the same seed only', () => {
    const groups = mixedGroups(1)
    assert.deepEqual(groupedSplit(groups, { testRatio: 0.3, seed: 1 }), groupedSplit(groups, { testRatio: 0.3, seed: 1 }))
    assert.notDeepEqual(groupedSplit(groups, { testRatio: 0.3, seed: 1 }), groupedSplit(groups, { testRatio: 0.3, seed: 2 }))
  })

  it('a grouped split leaves nearly all groups where they were when others come and go', () => {
    const groups = Array.from({ length: 4000 }, (_, row) => `session-${row >> 1}`)
    const testedOf = (rows: readonly string[]) =>
      new Set(Array.from(groupedSplit(rows, { testRatio: 0.3, seed: 40 }).test, (row) => rows[row] as string))
    const before = testedOf(groups)
    const after = testedOf([...Array.from({ length: 100 }, (_, row) => `late-${row}`), ...groups.slice(50)])
    const moved = [...after].filter((group) => group.startsWith('session') && !before.has(group))
    assert.ok(moved.length < 20, `${moved.length} of ${after.size} groups were on the other side before`)
  })

  it('each row is tested in exactly one fold, its group with it', () => {
    for (let seed = 0; seed < 20; seed++) {
      const groups = mixedGroups(seed)
      const folds = groupedFolds(groups, { folds: 4, seed })
      for (const fold of folds) assertDivides(groups, fold)
      assert.deepEqual(
        folds.flatMap(({ test }) => Array.from(test)).sort((a, b) => a - b),
        Array.from(groups.keys()),
      )
      for (const { test } of folds) assert.ok(Math.abs(test.length - groups.length / 4) <= 5)
    }
  })

  it('impossible splits are refused', () => {
    assert.throws(() => rowSplit(10, { testRatio: 1, seed: 0 }), /testRatio is 1/)
    assert.throws(() => groupedFolds(['a', 'b'], { folds: 3, seed: 0 }), /3 folds of 2 groups/)
  })
})
