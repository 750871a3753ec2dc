/** Random numbers that are the same for the same seed (sfc32). */

export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1
  #spare: number | null = null

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    this.#c = 0x9e3779b9
    for (let i = 0; i < 20; i++) this.integer()
  }

  /** 32 random bits, as an unsigned number. */
  integer(): number {
    const t = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0
    return t >>> 0
  }

  /** From 0 (inclusive) to 1 (exclusive). */
  uniform(): number {
    return this.integer() / 2 ** 32
  }

  below(limit: number): number {
    return Math.floor(this.uniform() * limit)
  }

  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  /** Standard normal. */
  normal(): number {
    if (this.#spare !== null) {
      const value = this.#spare
      this.#spare = null
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal())
  }

  uuid(): string {
    const hex = () => this.integer().toString(16).padStart(8, '0')
    const [a, b, c, d] = [hex(), hex(), hex(), hex()]
    return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${'89ab'[this.integer() & 3]}${c.slice(1, 4)}-${c.slice(4)}${d}`
  }
}

/** Draws from a fixed list with weights, in constant time for small lists (a table of 4096 slots). */
export class Weighted<T> {
  #slots: T[] = []

  constructor(entries: readonly (readonly [T, number])[]) {
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
    let reached = 0
    for (const [item, weight] of entries) {
      reached += weight
      while (this.#slots.length < Math.round((reached / total) * 4096)) this.#slots.push(item)
    }
  }

  pick(random: Random): T {
    return this.#slots[random.below(this.#slots.length)] as T
  }
}
