/** The conditions that a reader may push down into a table: comparisons of columns with literals, and nothing else. */
import { AppError, didYouMean } from '../core/app-error.ts'
import type { Column } from './table.ts'

const KEYWORDS = new Set(['AND', 'OR', 'NOT', 'IS', 'NULL', 'IN', 'BETWEEN', 'LIKE', 'TRUE', 'FALSE', 'TIMESTAMP', 'DATE'])
const TOKEN = /\s+|'(?:[^'\\]|'')*'|"(?:[^"\\])*"|`[A-Za-z_][A-Za-z0-9_]*`|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|<>|!=|<=|>=|[=<>(),+-]/y

/**
 * Checks `text` word by word and answers the same condition in the SQL of the engine. Words that are not columns, literals, comparisons or AND, OR, NOT
 * throw `invalid`: no function, no subquery, no second statement can pass.
 */
export function parseFilter(text: string, columns: readonly Column[]): string {
  const names = columns.map((c) => c.name)
  const output: string[] = []
  let depth = 0
  let before = ''
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
    const at = TOKEN.lastIndex
    const token = TOKEN.exec(text)?.[0]
    if (token === undefined) throw refuse(text, `"${text.slice(at, at + 12)}" is not allowed there`)
    if (/^\s/.test(token)) continue
    output.push(toEngineToken(token, names, text))
    if (token === '(' && depth++ >= 0 && /^[A-Za-z_`]/.test(before) && !KEYWORDS.has(before.toUpperCase()))
      throw refuse(text, `functions such as "${before}(…)" are not allowed`)
    if (token === ')' && --depth < 0) throw refuse(text, 'a ")" has no "("')
    if (before === '-' && token === '-') throw refuse(text, 'comments are not allowed')
    before = token
  }
  if (depth > 0) throw refuse(text, 'a "(" has no ")"')
  if (output.length === 0) throw refuse(text, 'it is empty')
  return output.join(' ')
}

function toEngineToken(token: string, names: readonly string[], text: string): string {
  if (token.startsWith("'")) return token
  // BigQuery's double quotes are strings, those of the engine are identifiers.
  if (token.startsWith('"')) return `'${token.slice(1, -1).replaceAll("'", "''")}'`
  if (!/^[A-Za-z_`]/.test(token)) return token
  const word = token.replaceAll('`', '')
  if (KEYWORDS.has(word.toUpperCase())) return word.toUpperCase()
  if (names.includes(word)) return `"${word}"`
  throw refuse(text, `"${word}" is not a column of the table`, didYouMean(word, names))
}

const refuse = (text: string, why: string, hint = '') =>
  new AppError(
    'invalid',
    `Cannot filter by ${JSON.stringify(text)}: ${why}.${hint} Compare columns with literals and join the comparisons with AND, OR and NOT.`,
  )
