/** The error that this package, and a project's own nodes, throw on purpose: a sentence for people, and every single problem. */

/**
 * The message says what cannot be done, which one, because of what, and what to do. The command line prints it without a
 * stack, so throw it from a node when the data or the configuration is at fault rather than the code.
 */
export class PipelineError extends Error {
  readonly problems: readonly string[]

  constructor(message: string, { problems = [], cause }: { problems?: readonly string[]; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PipelineError'
    this.problems = problems
  }

  /** Throws one error for all `problems`; does nothing when there are none. */
  static throwIfAny(heading: string, problems: readonly string[]): void {
    if (problems.length === 1) throw new PipelineError(`${heading}: ${problems[0]}`, { problems })
    if (problems.length > 1) throw new PipelineError(`${heading}:\n${problems.map((p) => `  - ${p}`).join('\n')}`, { problems })
  }
}

/** ` Did you mean "x"?` when one of `known` is close to `given`; else nothing. */
export function didYouMean(given: string, known: Iterable<string>): string {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(given.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(given.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : ` Did you mean "${best}"?`
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
