/** The one error that this library throws on purpose: something given to it cannot be used. */

/** Carries every problem found, not only the first. `code` is the platform's word for "the caller's mistake". */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput'
  readonly code = 'invalid'
  readonly problems: readonly string[]

  /** `heading` says what cannot be done; each problem says which part, because of what, and what to do. */
  constructor(heading: string, problems: readonly string[]) {
    super(problems.length === 0 ? heading : `${heading}\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
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

/** Levenshtein distance, keeping one row of the table. */
function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0] ?? 0
    row[0] = i
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0
      row[j] = Math.min(above + 1, (row[j - 1] ?? 0) + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.length] ?? 0
}
