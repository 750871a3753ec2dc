/** Substitutions whose values refer to other substitutions, with the bash forms that `dynamicSubstitutions` allows: `${_V^^}`, `${_V:2:3}`, `${_V##*-}`, `${_V//a/b}`, `${_V:-d}`. */
import { AppError } from '../core/app-error.ts'
import { LIMITS } from './limits.ts'

/**
 * All values with their references worked out. Unknown names become nothing; a circle throws `invalid`. Keys that were referred to are
 * added to `used`. Results are cut one character above the limit of a value, so that none can grow without end.
 */
export function expandAll(raw: Readonly<Record<string, string>>, used: Set<string>): Record<string, string> {
  const done: Record<string, string> = {}
  const evaluate = (key: string, chain: readonly string[]): string => {
    if (!Object.hasOwn(raw, key)) return ''
    if (Object.hasOwn(done, key)) return done[key] ?? ''
    const value = raw[key] ?? ''
    if (chain.includes(key)) throw new AppError('invalid', `[${key} -> ${value}]: cycle in evaluating substitutions`)
    const lookUp = (name: string) => {
      used.add(name)
      return evaluate(name, [...chain, key])
    }
    const result = expand(value, lookUp).slice(0, LIMITS.substitutionValueLength + 1)
    if (result.length > LIMITS.substitutionValueLength)
      throw new AppError(
        'invalid',
        `The value of substitution "${key}" is longer than ${LIMITS.substitutionValueLength} characters once it is worked out.`,
      )
    done[key] = result
    return result
  }
  for (const key of Object.keys(raw)) evaluate(key, [])
  return done
}

type LookUp = (name: string) => string

/** One value. A bare `$NAME` counts only at its start; elsewhere it needs braces. */
function expand(template: string, lookUp: LookUp): string {
  const bare = /^\$([A-Z_][A-Z0-9_]*)/.exec(template)
  const start = bare ? lookUp(bare[1] ?? '') : ''
  const reader = new Reader(template, bare ? bare[0].length : 0)
  return start + readText(reader, lookUp, '')
}

class Reader {
  readonly text: string
  at: number

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
  }

  get rest(): boolean {
    return this.at < this.text.length
  }

  /** Steps over `word` if it stands here. */
  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  /** Steps over the first of `words` that stands here and answers it. */
  takeOne(words: readonly string[]): string | undefined {
    return words.find((word) => this.take(word))
  }

  name(): string {
    const [name = ''] = /^\w*/.exec(this.text.slice(this.at)) ?? []
    this.at += name.length
    return name
  }
}

/** Text up to one of the characters in `until` (or the end), with nested expansions worked out. */
function readText(reader: Reader, lookUp: LookUp, until: string): string {
  let text = ''
  while (reader.rest) {
    const character = reader.text[reader.at] ?? ''
    if (until.includes(character)) return text
    if (reader.take('${')) text += readExpansion(reader, lookUp)
    else {
      text += character
      reader.at++
    }
  }
  if (until !== '') throw new AppError('invalid', `"${reader.text}" has a "\${" without its "}".`)
  return text
}

const OPERATORS = ['^^', '^', ',,', ',', '##', '#', '%%', '%', '//', '/#', '/%', '/', ':=', ':-', '=', '-', ':']

/** What stands behind `${`, up to and with its `}`. */
function readExpansion(reader: Reader, lookUp: LookUp): string {
  const wantsLength = reader.take('#')
  const name = reader.name()
  const value = lookUp(name)
  if (reader.take('}')) return wantsLength ? String(value.length) : value
  const operator = wantsLength || name === '' ? undefined : reader.takeOne(OPERATORS)
  if (!operator) throw new AppError('invalid', `"${reader.text}" has a substitution that cannot be read, at position ${reader.at}.`)
  const argument = readText(reader, lookUp, operator.startsWith('/') ? '/}' : operator === ':' ? ':}' : '}')
  const second = reader.take('/') || reader.take(':') ? readText(reader, lookUp, '}') : undefined
  reader.take('}')
  return apply(operator, value, argument, second)
}

function apply(operator: string, value: string, argument: string, second: string | undefined): string {
  switch (operator) {
    case '^^':
      return value.toUpperCase()
    case '^':
      return value.slice(0, 1).toUpperCase() + value.slice(1)
    case ',,':
      return value.toLowerCase()
    case ',':
      return value.slice(0, 1).toLowerCase() + value.slice(1)
    case '#':
      return trim(value, argument, 'start', 'shortest')
    case '##':
      return trim(value, argument, 'start', 'longest')
    case '%':
      return trim(value, argument, 'end', 'shortest')
    case '%%':
      return trim(value, argument, 'end', 'longest')
    case '/':
      return argument === '' ? value : value.replace(argument, () => second ?? '')
    case '//':
      return argument === '' ? value : value.replaceAll(argument, () => second ?? '')
    case '/#':
      return value.startsWith(argument) ? (second ?? '') + value.slice(argument.length) : value
    case '/%':
      return value.endsWith(argument) ? value.slice(0, value.length - argument.length) + (second ?? '') : value
    case ':':
      return cut(value, argument, second)
    default:
      return value === '' ? argument : value
  }
}

/** Positions that are no numbers, or lie outside, leave the value as it is. */
function cut(value: string, position: string, length: string | undefined): string {
  const from = Number(position.trim())
  const count = length === undefined ? value.length : Number(length.trim())
  if (!Number.isInteger(from) || !Number.isInteger(count) || Math.abs(from) > value.length) return value
  const start = from < 0 ? value.length + from : from
  return value.slice(start, count < 0 ? count : start + count)
}

function trim(value: string, pattern: string, side: 'start' | 'end', which: 'shortest' | 'longest'): string {
  const lengths = Array.from({ length: value.length + 1 }, (_, i) => (which === 'shortest' ? i : value.length - i))
  for (const length of lengths) {
    const part = side === 'start' ? value.slice(0, length) : value.slice(value.length - length)
    if (globMatches(pattern, part)) return side === 'start' ? value.slice(length) : value.slice(0, value.length - length)
  }
  return value
}

/** `*` is any text, `?` any character. Never takes longer than the product of both lengths. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0
  let star = -1
  let mark = 0
  for (let t = 0; t < text.length; ) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++
      mark = t
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++mark
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
