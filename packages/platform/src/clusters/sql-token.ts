/** Spark SQL cut into words, with the script's variables filled in where they stand, so that no value can become more than a value. */
import { AppError, didYouMean } from '../core/app-error.ts'

export interface Token {
  readonly kind: 'space' | 'string' | 'quoted' | 'word' | 'number' | 'symbol'
  /** The value of a string or quoted identifier; else the text itself. */
  readonly value: string
  /** Of a string: its content before variables were filled in, for those who read SQL in it. */
  readonly template: string
  readonly line: number
}

export type Variables = Readonly<Record<string, string>>

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_.]*)\}/g
const PATTERNS: readonly [Token['kind'], RegExp][] = [
  ['space', /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ['string', /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y],
  ['quoted', /`(?:[^`]|``)+`/y],
  ['word', /(?:\$\{[^}]*\}|[A-Za-z_])(?:\$\{[^}]*\}|[A-Za-z0-9_])*/y],
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['symbol', /<=>|<>|!=|<=|>=|==|\|\||::|->|[^\s\w]/y],
]
/** What a variable may hold outside of quotes: a number, or names joined by dots. */
const BARE_VALUE = /^(?:-?\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)$/

/**
 * Cuts `sql` into tokens. Inside quotes a variable's value is taken as it is, as part of that one string; outside of quotes it must be a number or a name.
 * Throws `invalid` naming the line.
 */
export function tokenize(sql: string, variables: Variables): Token[] {
  const tokens: Token[] = []
  let line = 1
  for (let at = 0; at < sql.length; ) {
    const [kind, text] = matchAt(sql, at, line)
    tokens.push(toToken(kind, text, line, variables))
    at += text.length
    line += text.split('\n').length - 1
  }
  return tokens
}

function matchAt(sql: string, at: number, line: number): [Token['kind'], string] {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const text = pattern.exec(sql)?.[0]
    if (text === undefined) continue
    if (kind === 'symbol' && /['"`]/.test(text)) throw new AppError('invalid', `Line ${line}: the quote ${text} is never closed. Close it.`)
    return [kind, text]
  }
  throw new AppError('invalid', `Line ${line}: "${sql.slice(at, at + 10)}" is not Spark SQL.`)
}

function toToken(kind: Token['kind'], text: string, line: number, variables: Variables): Token {
  if (kind === 'string') {
    const template = unescaped(text.slice(1, -1))
    return { kind, template, line, value: fill(template, variables, line) }
  }
  if (kind === 'quoted') return { kind, template: '', line, value: fill(text.slice(1, -1).replaceAll('``', '`'), variables, line) }
  if (kind !== 'word' || !text.includes('${')) return { kind, template: '', line, value: text }
  const value = fill(text, variables, line)
  if (!BARE_VALUE.test(value))
    throw new AppError('invalid', `Line ${line}: the value of ${text} is ${JSON.stringify(value)}, which needs quotes. Write '${text}'.`)
  return { kind, template: '', line, value }
}

/** Puts the values of the variables into a text. Throws `invalid` for a variable that has none. */
export function fill(text: string, variables: Variables, line: number): string {
  return text.replace(VARIABLE, (_, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value === undefined)
      throw new AppError(
        'invalid',
        `Line ${line}: the variable \${${name}} has no value. Give it in scriptVariables.${didYouMean(name, Object.keys(variables))}`,
      )
    return value
  })
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', b: '\b', Z: '\x1a', '%': '\\%', _: '\\_' }

/** Spark's backslash escapes; `\%` and `\_` keep their backslash for LIKE. */
const unescaped = (text: string) => text.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPES[letter] ?? letter)
