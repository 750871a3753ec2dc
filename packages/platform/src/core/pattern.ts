/** Regular expressions of RE2's syntax, as Airflow reads those that people give it: none takes longer than the product of both lengths. */
import { RE2JS } from 're2js'

/** A regular expression that nobody can make slow. */
export interface Pattern {
  readonly source: string
  /** Whether it is found anywhere in `text`. */
  test(text: string): boolean
}

/** Throws a sentence for what is no regular expression; looking around and back are none. */
export function readPattern(source: string): Pattern {
  const compiled = RE2JS.compile(source)
  return { source, test: (text) => compiled.matcher(text).find() }
}
