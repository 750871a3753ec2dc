/** SQL's LIKE, as Airflow searches names. */
import type { TextFilter } from '../core/list-query.ts'

/** Whether `pattern` is found anywhere in `text`: `%` is any text, `_` any character, case does not count. Never takes longer than the product of both lengths. */
export function isLike(pattern: string, text: string): boolean {
  const [wanted, found] = [`%${pattern.toLowerCase()}%`, text.toLowerCase()]
  let at = 0
  let wildcard = -1
  let tried = 0
  for (let i = 0; i < found.length; ) {
    if (wanted[at] === '%') {
      wildcard = at++
      tried = i
    } else if (at < wanted.length && (wanted[at] === '_' || wanted[at] === found[i])) {
      at++
      i++
    } else {
      // The latest wildcard takes one character more; it always is there, at the front if nowhere else.
      at = wildcard + 1
      i = ++tried
    }
  }
  while (wanted[at] === '%') at++
  return at === wanted.length
}

/** No pattern, or `~`, finds everything. */
export function isFound({ like = '', prefix = '' }: TextFilter = {}, text: string): boolean {
  const parts = like
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '~')
  return text.startsWith(prefix) && (parts.length === 0 || parts.some((part) => isLike(part, text)))
}
