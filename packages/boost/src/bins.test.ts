import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { binCategorical, binNumeric } from './bins.ts'
import { MersenneTwister } from './random.ts'

const bin = (values: number[], maxBin = 255, minDataInBin = 1) =>
  binNumeric(Float64Array.from(values), maxBin, minDataInBin, new MersenneTwister(0))

describe('bins', () => {
  it('give each value its own while there are enough', () => {
    const { feature, bins } = bin([3, 1, 2, 3, 1])
    assert.deepEqual(Array.from(bins), [2, 0, 1, 2, 0])
    assert.deepEqual(Array.from(feature.upperBounds), [1.5, 2.5, Infinity])
    assert.deepEqual([feature.min, feature.max, feature.missingBin], [1, 3, -1])
  })

  it('share many values evenly, in order, within the number allowed', () => {
    const random = new MersenneTwister(4)
    const values = Array.from({ length: 20_000 }, () => random.normal())
    const { feature, bins } = bin(values, 64)
    assert.ok(feature.binCount <= 64 && feature.binCount > 60)
    const counts = Array.from({ length: feature.binCount }, (_, b) => bins.filter((bin) => bin === b).length)
    assert.ok(Math.max(...counts) < 2 * (20_000 / 64))
    values.forEach((value, row) => {
      assert.ok(value <= (feature.upperBounds[bins[row] as number] as number))
      assert.ok(bins[row] === 0 || value > (feature.upperBounds[(bins[row] as number) - 1] as number))
    })
  })

  it('keep a value that fills a bin apart from its neighbours', () => {
    const values = [...new Array<number>(500).fill(0), ...Array.from({ length: 500 }, (_, i) => i / 500 - 0.5)]
    const { bins } = bin(values, 16)
    const zero = bins[0] as number
    assert.ok(values.every((value, row) => (bins[row] === zero) === (value === 0) || Math.abs(value) < 0.05))
  })

  it('put missing values last, in one of their own', () => {
    const { feature, bins } = bin([Number.NaN, 1, 2], 255)
    assert.equal(feature.missingBin, 2)
    assert.deepEqual(Array.from(bins), [2, 0, 1])
  })

  it('never separate neighbours in floating point wrongly', () => {
    const low = 1
    const high = 1 + Number.EPSILON
    const { bins } = bin([low, high])
    assert.deepEqual(Array.from(bins), [0, 1])
  })

  it('are never fewer rows than min_data_in_bin, but for the last', () => {
    const { bins } = bin([1, 2, 3, 4, 5, 6, 7], 255, 3)
    assert.deepEqual(Array.from(bins), [0, 0, 0, 1, 1, 1, 2])
  })

  it('of categories hold the frequent ones; missing and rare ones share the last', () => {
    const values = Float64Array.from([...new Array(150).fill(7), ...new Array(148).fill(2), 9, 9, Number.NaN, -1])
    const { feature, bins } = binCategorical(values, 255, 3)
    assert.deepEqual(Array.from(feature.categories), [7, 2])
    assert.equal(feature.missingBin, 2)
    assert.deepEqual([bins[0], bins[150], bins[298], bins[300], bins[301]], [0, 1, 2, 2, 2])
  })
})
