/** A Spark SQL script read into the statements that a cluster can run. What it cannot run is refused before anything has started. */
import { AppError } from '../core/app-error.ts'
import { type CsvLayout, readingLayout, writingLayout } from './csv-layout.ts'
import { fill, type Token, tokenize, type Variables } from './sql-token.ts'

/** The words of one query, without the statement around it. */
export type Query = readonly Token[]

interface ViewColumn {
  readonly name: string
  readonly type: string
}

export type FileFormat =
  | { readonly name: 'parquet' }
  | { readonly name: 'csv'; readonly layout: CsvLayout; readonly columns: readonly ViewColumn[] }

export type Statement = { readonly line: number } & (
  | { readonly kind: 'setTimeZone' }
  | { readonly kind: 'readTable'; readonly view: string; readonly table: string; readonly filter: string | null }
  | { readonly kind: 'readFiles'; readonly view: string; readonly path: string; readonly format: FileFormat }
  | { readonly kind: 'createView'; readonly view: string; readonly query: Query }
  | { readonly kind: 'cacheTable'; readonly view: string; readonly query: Query }
  | { readonly kind: 'writeFolder'; readonly folder: string; readonly layout: CsvLayout; readonly query: Query }
  | { readonly kind: 'select'; readonly query: Query }
)

const SUPPORTED =
  "Supported are SELECT, WITH … SELECT, CREATE [OR REPLACE] TEMPORARY VIEW (AS a query, or USING bigquery, csv or parquet), CACHE TABLE … AS, INSERT OVERWRITE DIRECTORY … USING csv, and SET TIME ZONE 'UTC'. Apache Spark on Dataproc runs the rest."

/** Reads the script. Throws `invalid` with every statement that cannot be run, each with its line. */
export function parseScript(sql: string, variables: Variables): Statement[] {
  const problems: string[] = []
  const statements: Statement[] = []
  for (const tokens of split(tokenize(sql, variables))) {
    try {
      statements.push(new StatementReader(tokens, variables).read())
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      problems.push(error.message)
    }
  }
  if (statements.length === 0 && problems.length === 0) problems.push('The script has no statement.')
  if (problems.length > 0) throw new AppError('invalid', `This script cannot be run here. ${SUPPORTED}`, { problems })
  return statements
}

function split(tokens: readonly Token[]): Token[][] {
  const statements: Token[][] = [[]]
  for (const token of tokens) {
    if (token.kind === 'symbol' && token.value === ';') statements.push([])
    else statements.at(-1)?.push(token)
  }
  return statements.filter((statement) => statement.some((t) => t.kind !== 'space'))
}

class StatementReader {
  #tokens: readonly Token[]
  #variables: Variables
  #at = 0

  constructor(tokens: readonly Token[], variables: Variables) {
    this.#tokens = tokens
    this.#variables = variables
  }

  read(): Statement {
    const line = this.#peek()?.line ?? 1
    if (this.#accept('SET', 'TIME', 'ZONE')) return this.#timeZone(line)
    if (this.#accept('CACHE', 'TABLE')) return { kind: 'cacheTable', line, view: this.#name(), query: this.#queryAfterAs() }
    if (this.#accept('INSERT', 'OVERWRITE', 'DIRECTORY')) return this.#writeFolder(line)
    if (this.#acceptCreateView()) return this.#view(line)
    if (this.#is('SELECT') || this.#is('WITH')) return { kind: 'select', line, query: this.#query() }
    throw new AppError('invalid', `Line ${line}: "${this.#words(4)}" is not supported.`)
  }

  #timeZone(line: number): Statement {
    const zone = this.#text()
    if (!['UTC', 'GMT', 'Z', '+00:00', 'Etc/UTC'].includes(zone))
      throw new AppError(
        'invalid',
        `Line ${line}: the time zone "${zone}" is not supported; this engine keeps times in UTC. Write SET TIME ZONE 'UTC'.`,
      )
    this.#end()
    return { kind: 'setTimeZone', line }
  }

  #acceptCreateView(): boolean {
    return (
      this.#accept('CREATE', 'OR', 'REPLACE', 'TEMPORARY', 'VIEW') ||
      this.#accept('CREATE', 'OR', 'REPLACE', 'TEMP', 'VIEW') ||
      this.#accept('CREATE', 'TEMPORARY', 'VIEW') ||
      this.#accept('CREATE', 'TEMP', 'VIEW')
    )
  }

  #view(line: number): Statement {
    const view = this.#name()
    if (this.#is('AS')) return { kind: 'createView', line, view, query: this.#queryAfterAs() }
    const columns = this.#isSymbol('(') ? this.#columns() : []
    const format = this.#using()
    const options = this.#options()
    this.#end()
    if (format === 'bigquery') {
      const table = options.get('table') ?? options.get('path')
      if (!table)
        throw new AppError('invalid', `Line ${line}: the view "${view}" names no table. Add OPTIONS (table 'PROJECT.DATASET.TABLE').`)
      const filter = options.get('filter')
      return { kind: 'readTable', line, view, table: table.value, filter: filter ? fillFilter(filter, this.#variables) : null }
    }
    if (format !== 'csv' && format !== 'parquet')
      throw new AppError('invalid', `Line ${line}: views USING ${format} are not supported. Use bigquery, csv or parquet.`)
    const path = options.get('path')?.value
    options.delete('path')
    if (!path) throw new AppError('invalid', `Line ${line}: the view "${view}" has no path. Add OPTIONS (path 'gs://BUCKET/FOLDER/').`)
    if (format === 'csv' && columns.length === 0)
      throw new AppError(
        'invalid',
        `Line ${line}: the CSV view "${view}" has no columns, and engines guess them differently. Write VIEW ${view} (name TYPE, …).`,
      )
    if (format === 'parquet') return { kind: 'readFiles', line, view, path, format: { name: 'parquet' } }
    return { kind: 'readFiles', line, view, path, format: { name: 'csv', layout: readingLayout(values(options), line), columns } }
  }

  #writeFolder(line: number): Statement {
    const folder = this.#text()
    const format = this.#using()
    if (format !== 'csv')
      throw new AppError('invalid', `Line ${line}: INSERT OVERWRITE DIRECTORY USING ${format} is not supported. Use csv.`)
    const options = this.#isWord('OPTIONS') ? this.#options() : new Map<string, Token>()
    return { kind: 'writeFolder', line, folder, layout: writingLayout(values(options), line), query: this.#query() }
  }

  #using(): string {
    this.#expect('USING')
    return this.#name().toLowerCase()
  }

  #options(): Map<string, Token> {
    this.#expect('OPTIONS')
    this.#expectSymbol('(')
    const options = new Map<string, Token>()
    do {
      let name = this.#next('the name of an option').value
      while (this.#isSymbol('.')) name += `${this.#next('.').value}${this.#next('the name of an option').value}`
      if (this.#isSymbol('=')) this.#next('=')
      options.set(name.toLowerCase(), this.#next(`the value of ${name}`))
    } while (this.#takeSymbol(','))
    this.#expectSymbol(')')
    return options
  }

  #columns(): ViewColumn[] {
    this.#expectSymbol('(')
    const columns: ViewColumn[] = []
    do columns.push({ name: this.#name(), type: this.#name().toUpperCase() })
    while (this.#takeSymbol(','))
    this.#expectSymbol(')')
    return columns
  }

  #queryAfterAs(): Query {
    this.#expect('AS')
    return this.#query()
  }

  /** Everything that is left, which must be a query that means the same to Spark and to this engine. */
  #query(): Query {
    const first = this.#peek()
    if (!this.#is('SELECT') && !this.#is('WITH'))
      throw new AppError(
        'invalid',
        `Line ${first?.line ?? this.#lastLine()}: a query is expected, beginning with SELECT or WITH, not "${this.#words(3)}".`,
      )
    const query = this.#tokens.slice(this.#at)
    const subscript = query.find((t) => t.kind === 'symbol' && t.value === '[')
    if (subscript)
      throw new AppError(
        'invalid',
        `Line ${subscript.line}: subscripts count from 0 in Spark and from 1 here. Write element_at(array, n) or split_part(…).`,
      )
    this.#at = this.#tokens.length
    return query
  }

  #peek(): Token | undefined {
    while (this.#tokens[this.#at]?.kind === 'space') this.#at++
    return this.#tokens[this.#at]
  }

  #next(expected: string): Token {
    const token = this.#peek()
    if (!token) throw new AppError('invalid', `Line ${this.#lastLine()}: ${expected} is expected, but the statement ends.`)
    this.#at++
    return token
  }

  #is = (word: string) => this.#isWord(word)

  #isWord(word: string): boolean {
    const token = this.#peek()
    return token?.kind === 'word' && token.value.toUpperCase() === word
  }

  #isSymbol(symbol: string): boolean {
    const token = this.#peek()
    return token?.kind === 'symbol' && token.value === symbol
  }

  #takeSymbol(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false
    this.#at++
    return true
  }

  /** Takes all of these words, or none. */
  #accept(...words: string[]): boolean {
    const start = this.#at
    for (const word of words) {
      if (!this.#isWord(word)) {
        this.#at = start
        return false
      }
      this.#at++
    }
    return true
  }

  #expect(word: string): void {
    const token = this.#next(word)
    if (token.kind !== 'word' || token.value.toUpperCase() !== word)
      throw new AppError('invalid', `Line ${token.line}: ${word} is expected, not "${token.value}".`)
  }

  #expectSymbol(symbol: string): void {
    const token = this.#next(symbol)
    if (token.value !== symbol) throw new AppError('invalid', `Line ${token.line}: "${symbol}" is expected, not "${token.value}".`)
  }

  #name(): string {
    const token = this.#next('a name')
    if (token.kind !== 'word' && token.kind !== 'quoted')
      throw new AppError('invalid', `Line ${token.line}: a name is expected, not "${token.value}".`)
    return token.value
  }

  #text(): string {
    const token = this.#next('a text in quotes')
    if (token.kind !== 'string') throw new AppError('invalid', `Line ${token.line}: a text in quotes is expected, not "${token.value}".`)
    return token.value
  }

  #end(): void {
    const token = this.#peek()
    if (token) throw new AppError('invalid', `Line ${token.line}: the statement should end before "${token.value}".`)
  }

  #lastLine = () => this.#tokens.at(-1)?.line ?? 1

  #words(count: number): string {
    const words: string[] = []
    for (const token of this.#tokens.slice(this.#at)) if (token.kind !== 'space' && words.length < count) words.push(token.value)
    return words.join(' ')
  }
}

const values = (options: ReadonlyMap<string, Token>) => new Map([...options].map(([name, token]) => [name, token.value]))

/** A filter is SQL in a string: a variable in a string of *that* SQL must stay inside of it. */
function fillFilter({ template, line }: Token, variables: Variables): string {
  return template
    .replace(/'([^']*)'|"([^"]*)"/g, (_, single: string | undefined, double: string | undefined) => {
      const text = fill(single ?? double ?? '', variables, line)
      return `'${text.replaceAll('\\', '').replaceAll("'", "''")}'`
    })
    .replace(/\$\{[^}]*\}/g, (variable) => {
      throw new AppError('invalid', `Line ${line}: the variable ${variable} in the filter needs quotes. Write '${variable}'.`)
    })
}
