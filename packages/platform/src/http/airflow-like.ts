/** SQL's LIKE, as Airflow searches names. */
import type { TextFilter } from '../core/list-query.ts'

const ANY_TEXT = Symbol('any text')
const ANY_CHARACTER = Symbol('any character')

/**
 * Whether `pattern` is found anywhere in `text`: `%` is any text, `_` any character, a backslash in front takes either as itself, case does
 * not count. Never takes longer than the product of both lengths.
 */
export function isLike(pattern: string, text: string): boolean {
  const found = text.toLowerCase()
  const wanted = [ANY_TEXT, ...tokens(pattern.toLowerCase()), ANY_TEXT]
  let at = 0
  let wildcard = -1
  let tried = 0
  for (let i = 0; i < found.length; ) {
    if (wanted[at] === ANY_TEXT) {
      wildcard = at++
      tried = i
    } else if (at < wanted.length && (wanted[at] === ANY_CHARACTER || wanted[at] === found[i])) {
      at++
      i++
    } else {
      // The latest wildcard takes one character more; it always is there, at the front if nowhere else.
      at = wildcard + 1
      i = ++tried
    }
  }
  while (wanted[at] === ANY_TEXT) at++
  return at === wanted.length
}

const tokens = (pattern: string): (string | symbol)[] =>
  (pattern.match(/\\.|./gs) ?? []).map((part) => (part === '%' ? ANY_TEXT : part === '_' ? ANY_CHARACTER : part.slice(-1)))

/** No pattern, or `~`, finds everything. */
export function isFound({ like = '', prefix = '' }: TextFilter = {}, text: string): boolean {
  const parts = like
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '~')
  return text.startsWith(prefix) && (parts.length === 0 || parts.some((part) => isLike(part, text)))
}
