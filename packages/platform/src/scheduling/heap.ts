/** A binary heap: what comes first is at hand, adding and taking cost the logarithm of its size. */

export class Heap<T> {
  readonly #items: T[] = []
  readonly #comesBefore: (a: T, b: T) => boolean

  constructor(comesBefore: (a: T, b: T) => boolean) {
    this.#comesBefore = comesBefore
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#comesBefore(item, items[parent] as T)) break
      items[at] = items[parent] as T
      at = parent
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#comesBefore(items[child + 1] as T, items[child] as T)) child += 1
      if (!this.#comesBefore(items[child] as T, last)) break
      items[at] = items[child] as T
      at = child
    }
    items[at] = last
    return first
  }

  /** Drops what `isKept` does not want. */
  filter(isKept: (item: T) => boolean): void {
    const kept = this.#items.filter(isKept)
    this.#items.length = 0
    for (const item of kept) this.push(item)
  }

  some(isWanted: (item: T) => boolean): boolean {
    return this.#items.some(isWanted)
  }

  clear(): void {
    this.#items.length = 0
  }
}
