/** One at a time for each name: two jobs that replace the same folder would delete each other's parts. */

export class Turns {
  #last = new Map<string, Promise<unknown>>()

  /** Runs `work` when everything that asked for `name` before has ended, however it ended. */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const own = before.then(work, work)
    const settled = own.catch(() => {})
    this.#last.set(name, settled)
    try {
      return await own
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name)
    }
  }
}
