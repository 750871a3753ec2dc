/** JSON that comes from outside: what is nested without end would end whatever walks through it, and whatever stores it. */
import { AppError } from './app-error.ts'

/** So deep lists and objects may stand in each other; more than anybody writes by hand. */
export const MOST_NESTED = 200

/** `JSON.parse`; throws `invalid` when `text` is nested too deeply, and a SyntaxError when it is no JSON. */
export function parseJson(text: string): unknown {
  if (isNestedTooDeeply(text))
    throw new AppError('invalid', `Lists and objects stand more than ${MOST_NESTED} deep in each other. Send flatter data.`)
  return JSON.parse(text)
}

const [QUOTE, BACKSLASH, LIST, LIST_END, OBJECT, OBJECT_END] = [...'"\\[]{}'].map((sign) => sign.charCodeAt(0))

/** Whether lists and objects in the JSON of `text` stand more than {@link MOST_NESTED} deep in each other. */
export function isNestedTooDeeply(text: string): boolean {
  if (text.length <= MOST_NESTED) return false
  let depth = 0
  let isInText = false
  for (let i = 0; i < text.length; i++) {
    const sign = text.charCodeAt(i)
    if (isInText) {
      if (sign === BACKSLASH) i++
      else if (sign === QUOTE) isInText = false
    } else if (sign === QUOTE) isInText = true
    else if (sign === LIST || sign === OBJECT) {
      if (++depth > MOST_NESTED) return true
    } else if (sign === LIST_END || sign === OBJECT_END) depth--
  }
  return false
}
