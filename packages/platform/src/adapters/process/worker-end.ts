/** How a worker process has ended, to be said after "The worker process …". */

export interface EndFacts {
  /** Of its JavaScript heap, in MiB. */
  readonly memoryMb: number | null
  /** What it wrote last on its standard error. */
  readonly lastWords: string
  /** Why the platform has ended it, when it has. */
  readonly because: string | null
}

export function endOf(code: number | null, signal: string | null, { memoryMb, lastWords, because }: EndFacts): string {
  if (/heap out of memory/.test(lastWords)) {
    return memoryMb === null ? 'ran out of memory' : `ran out of its ${memoryMb} MiB of memory (setting worker memory)`
  }
  if (because !== null) return `was ended, because ${because}`
  return signal ? `was ended by ${signal}` : `ended with exit status ${code}`
}
