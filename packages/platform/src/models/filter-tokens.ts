/** Cuts the text of a filter or of an order into words, quoted names, literals and signs. */
import { AppError } from '../core/app-error.ts'

export type Token =
  | { readonly kind: 'word' | 'sign'; readonly text: string }
  | { readonly kind: 'quoted'; readonly text: string; readonly quote: '`' | '"' | "'" }
  | { readonly kind: 'number'; readonly text: string }

const SIGN = /(>=|<=|!=|<>|==|[=<>(),])/y
const NUMBER = /[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?(?![\w.])/iy
const WORD = /[A-Za-z_][\w./-]*/y

/** Tokens of `text`; a name such as metrics.`val loss` is a word that ends in a dot, then a quoted name. Throws `invalid`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0] ?? null
  }
  while (at < text.length) {
    const character = text[at] as string
    if (/\s/.test(character)) {
      at++
      continue
    }
    if (character === '`' || character === '"' || character === "'") {
      const [value, end] = quoted(text, at, character)
      tokens.push({ kind: 'quoted', text: value, quote: character })
      at = end
      continue
    }
    const sign = match(SIGN)
    const number = sign ? null : match(NUMBER)
    const word = sign || number ? null : match(WORD)
    const found = sign ?? number ?? word
    if (!found)
      throw new AppError(
        'invalid',
        `Invalid clause(s) in filter string: "${text.slice(at, at + 20)}" cannot be read (character ${at + 1}).`,
      )
    tokens.push({ kind: sign ? 'sign' : number ? 'number' : 'word', text: found })
    at += found.length
  }
  return tokens
}

/** The text between two quotes and the place after it; a doubled quote stands for itself. */
function quoted(text: string, start: number, quote: string): [string, number] {
  let value = ''
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== quote) value += text[at]
    else if (text[at + 1] === quote) {
      value += quote
      at++
    } else return [value, at + 1]
  }
  throw new AppError('invalid', `Invalid clause(s) in filter string: the quote ${quote} at character ${start + 1} is never closed.`)
}
