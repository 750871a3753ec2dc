/** What is wrong with a DAG file's own definitions: all of it at once, each with its place and its mend. */

/** Thrown by `dag()` when the DAG cannot be; `problems` has every single thing that is wrong. */
export class DagDefinitionError extends Error {
  override readonly name = 'DagDefinitionError'
  readonly problems: readonly string[]

  constructor(heading: string, problems: readonly string[]) {
    super(problems.length === 1 ? `${heading} ${problems[0]}` : `${heading}\n${problems.map((p) => `  - ${p}`).join('\n')}`)
    this.problems = problems
  }
}

/** ` Did you mean "x"?` when one of `known` is close to `given`; else nothing. */
export function didYouMean(given: string, known: Iterable<string>): string {
  const within = Math.max(2, Math.floor(given.length / 3))
  const ranked = [...known]
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= within)
    .sort((a, b) => a.distance - b.distance)
  return ranked[0] ? ` Did you mean "${ranked[0].name}"?` : ''
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

/** Remembers where in the author's file something was said; the stack is only written out when somebody asks. */
export class Place {
  #trace = new Error()

  /** ` (file.ts:12)`, or nothing when no file of the author is on the stack. */
  toString(): string {
    const here = new URL('.', import.meta.url).href
    for (const line of this.#trace.stack?.split('\n').slice(1) ?? []) {
      const found = /(file:\/\/[^\s)]+?)(?:\?[^\s):]*)?:(\d+):\d+\)?$/.exec(line)
      if (found?.[1] && !(found[1].startsWith(here) && !found[1].endsWith('.test.ts'))) {
        return ` (${found[1].split('/').at(-1)}:${found[2]})`
      }
    }
    return ''
  }
}
