import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MersenneTwister } from './random.ts'

describe('the random generator', () => {
  it("gives NumPy's RandomState numbers for the same seed", () => {
    const random = new MersenneTwister(40)
    assert.deepEqual(Array.from(random.permutation(10)), [4, 3, 8, 1, 2, 9, 0, 5, 7, 6])
    assert.deepEqual([random.double(), random.double(), random.double()], [0.3039123053407655, 0.5263995242971454, 0.6238122128846867])
    const other = new MersenneTwister(4294967295)
    assert.deepEqual([other.uint32(), other.uint32(), other.uint32(), other.uint32()], [419326371, 479346978, 3918654476, 2416749639])
  })

  it('draws integers evenly up to the bound, and normal numbers of mean 0 and variance 1', () => {
    const random = new MersenneTwister(1)
    const drawn = Array.from({ length: 50_000 }, () => random.integer(4))
    for (const value of [0, 1, 2, 3, 4]) {
      const count = drawn.filter((other) => other === value).length
      assert.ok(Math.abs(count - 10_000) < 400)
    }
    let sum = 0
    let squares = 0
    for (let i = 0; i < 50_000; i++) {
      const value = random.normal()
      sum += value
      squares += value * value
    }
    assert.ok(Math.abs(sum / 50_000) < 0.02)
    assert.ok(Math.abs(squares / 50_000 - 1) < 0.03)
  })
})
