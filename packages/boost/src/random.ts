/** Seeded random numbers: the Mersenne Twister MT19937, giving the same streams and permutations as NumPy's `RandomState`. */

const N = 624
const M = 397

/**
 * The same seed gives the same numbers on every machine, for ever. `permutation` and `double` agree with
 * `numpy.random.RandomState(seed)`, so that splits published by scikit-learn can be made again row for row.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(N)
  #position = N
  #spareNormal: number | undefined

  /** `seed` is an integer in 0 … 2³²−1. */
  constructor(seed: number) {
    const state = this.#state
    state[0] = seed >>> 0
    for (let i = 1; i < N; i++) {
      const previous = state[i - 1] as number
      state[i] = Math.imul(previous ^ (previous >>> 30), 1812433253) + i
    }
  }

  /** An integer in 0 … 2³²−1. */
  uint32(): number {
    if (this.#position === N) this.#refill()
    let y = this.#state[this.#position++] as number
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  /** A number in [0, 1) with 53 random bits. */
  double(): number {
    const high = this.uint32() >>> 5
    const low = this.uint32() >>> 6
    return (high * 67108864 + low) / 9007199254740992
  }

  /** An integer in 0 … `max`, both included, each as likely as the others. */
  integer(max: number): number {
    if (max === 0) return 0
    const mask = max >= 0x80000000 ? 0xffffffff : 2 ** (32 - Math.clz32(max)) - 1
    for (;;) {
      const value = (this.uint32() & mask) >>> 0
      if (value <= max) return value
    }
  }

  /** A draw from the standard normal distribution. */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal
      this.#spareNormal = undefined
      return spare
    }
    for (;;) {
      const x = 2 * this.double() - 1
      const y = 2 * this.double() - 1
      const squared = x * x + y * y
      if (squared > 0 && squared < 1) {
        const factor = Math.sqrt((-2 * Math.log(squared)) / squared)
        this.#spareNormal = x * factor
        return y * factor
      }
    }
  }

  /** The integers 0 … n−1 in random order. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i)
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i)
      const kept = order[i] as number
      order[i] = order[j] as number
      order[j] = kept
    }
    return order
  }

  #refill(): void {
    const state = this.#state
    for (let i = 0; i < N; i++) {
      const y = ((state[i] as number) & 0x80000000) | ((state[(i + 1) % N] as number) & 0x7fffffff)
      state[i] = (state[(i + M) % N] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.#position = 0
  }
}
