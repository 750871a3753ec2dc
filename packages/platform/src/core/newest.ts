/** One piece of work at a time for each name, always the newest: it ends the one before it, whose client has given that up, and waits for its end. */

interface Work {
  readonly controller: AbortController
  readonly ended: Promise<unknown>
}

export class Newest {
  #works = new Map<string, Work>()

  /** Does `work`, whose signal aborts with `signal` or, for the reason that `overtaken` gives, when newer work comes for `name`. */
  async take<T>(
    name: string,
    work: (signal: AbortSignal) => Promise<T>,
    { signal, overtaken }: { signal: AbortSignal | undefined; overtaken: () => Error },
  ): Promise<T> {
    const before = this.#works.get(name)
    before?.controller.abort(overtaken())
    const controller = new AbortController()
    const either = signal ? AbortSignal.any([controller.signal, signal]) : controller.signal
    const done = Promise.resolve(before?.ended).then(() => {
      either.throwIfAborted()
      return work(either)
    })
    const own = { controller, ended: done.catch(() => {}) }
    this.#works.set(name, own)
    try {
      return await done
    } catch (error) {
      controller.signal.throwIfAborted()
      throw error
    } finally {
      if (this.#works.get(name) === own) this.#works.delete(name)
    }
  }
}

/** `content` until `signal` aborts: then it throws the reason at once, also while it waits for a chunk that never comes. */
export async function* interruptible<T>(content: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const source = content[Symbol.asyncIterator]()
  let interrupt = () => {}
  const onAbort = () => interrupt()
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      signal.throwIfAborted()
      const { value, done } = await new Promise<IteratorResult<T>>((resolve, reject) => {
        interrupt = () => reject(signal.reason)
        source.next().then(resolve, reject)
      })
      if (done) return
      yield value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: the end of a source that hangs may not come either.
    source.return?.()?.catch(() => {})
  }
}
