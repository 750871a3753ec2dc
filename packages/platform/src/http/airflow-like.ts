/** SQL's LIKE, as Airflow searches names. */

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

/** `a | b` finds either; no pattern, or `~`, finds everything. */
export function isFound(pattern: string | undefined, text: string): boolean {
  const parts = (pattern ?? '')
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '~')
  return parts.length === 0 || parts.some((part) => isLike(part, text))
}
