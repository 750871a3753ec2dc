/** Finds times that keep a set of "b is at least so many seconds after a" rules: the earliest ones. */

export class Schedule {
  #earliest: number[] = []
  #latest: number[] = []
  #rules: { from: number; to: number; seconds: number }[] = []

  /** A point in time that is not before `earliest` and not after `latest` (seconds). Answers its number. */
  point(earliest: number, latest: number): number {
    const point = this.#earliest.push(earliest) - 1
    this.#latest.push(latest)
    return point
  }

  /** `to` comes at least `seconds` after `from`; negative seconds say how long before it may come at most. */
  after(from: number, to: number, seconds: number): void {
    this.#rules.push({ from, to, seconds })
  }

  /** The earliest times that keep every rule; null when there are none. */
  solve(): number[] | null {
    const times = [...this.#earliest]
    // Longest paths: each round settles at least one more point, so more rounds than points mean a contradiction.
    for (let round = 0; round <= times.length; round++) {
      let changed = false
      for (const { from, to, seconds } of this.#rules) {
        const least = (times[from] as number) + seconds
        if ((times[to] as number) >= least) continue
        times[to] = least
        changed = true
      }
      if (!changed) return times.every((time, point) => time <= (this.#latest[point] as number)) ? times : null
    }
    return null
  }
}
