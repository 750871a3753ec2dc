/** Reading and writing tables as CSV (RFC 4180: quotes double inside quotes, a header line first). */
import { didYouMean, PipelineError } from './pipeline-error.ts'
import { type Column, Table } from './table.ts'

type ColumnType = 'number' | 'text'

export interface CsvOptions {
  readonly separator?: string
  /** The kind of each column named here; the others are found out from what they hold. */
  readonly types?: Readonly<Record<string, ColumnType>>
  /** What the text is, for messages: a file's name. */
  readonly source?: string
}

const QUOTE = 34
const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** Throws for a row with another number of cells than the header, a text in a column of numbers, and an unknown column in `types`. */
export function parseCsv(text: string, { separator = ',', types = {}, source = 'CSV' }: CsvOptions = {}): Table {
  const cells: string[][] = []
  let header: string[] = []
  let line = 0
  forEachRow(text, separator.charCodeAt(0), (row) => {
    line++
    if (line === 1) {
      header = row
      for (const _ of header) cells.push([])
    } else if (row.length === header.length) {
      for (let i = 0; i < row.length; i++) (cells[i] as string[]).push(row[i] as string)
    } else {
      throw new PipelineError(`${source}: row ${line} has ${row.length} cells, but the header has ${header.length} columns`)
    }
  })
  const twice = header.find((name, index) => header.indexOf(name) !== index)
  if (twice !== undefined) throw new PipelineError(`${source} has two columns "${twice}"`)
  const unknown = Object.keys(types).filter((name) => !header.includes(name))
  PipelineError.throwIfAny(
    `${source} lacks columns`,
    unknown.map((name) => `"${name}" is not in the header.${didYouMean(name, header)}`),
  )
  return new Table(Object.fromEntries(header.map((name, i) => [name, typed(name, cells[i] as string[], types[name], source)])))
}

/** Numbers as JavaScript writes them, missing values as nothing. Ends with a line feed. */
export function formatCsv(table: Table, { separator = ',' }: Pick<CsvOptions, 'separator'> = {}): string {
  const needsQuotes = new RegExp(`["\\r\\n${separator}]`)
  const quoted = (text: string) => (needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const columns = Object.values(table.columns)
  const lines = [table.names.map(quoted).join(separator)]
  for (let row = 0; row < table.rows; row++) {
    let line = ''
    for (let i = 0; i < columns.length; i++) {
      const value = columns[i]?.[row]
      if (i > 0) line += separator
      if (typeof value === 'number') line += Number.isNaN(value) ? '' : value
      else if (value) line += quoted(value)
    }
    lines.push(line)
  }
  return `${lines.join('\n')}\n`
}

function typed(name: string, cells: string[], type: ColumnType | undefined, source: string): Column {
  if (type === 'text') return cells.map((cell) => (cell === '' ? null : cell))
  const numbers = new Float64Array(cells.length)
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row] as string
    const value = cell === '' ? Number.NaN : Number(cell)
    if (Number.isNaN(value) && cell !== '' && cell !== 'NaN') {
      if (type === 'number') throw new PipelineError(`${source}: row ${row + 2} of column "${name}" is "${cell}", which is not a number`)
      return typed(name, cells, 'text', source)
    }
    numbers[row] = value
  }
  return numbers
}

/** Calls `visit` with the cells of each row. Blank lines are skipped. */
function forEachRow(text: string, separator: number, visit: (row: string[]) => void): void {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  let row: string[] = []
  while (at < text.length) {
    let cell: string
    if (text.charCodeAt(at) === QUOTE) {
      let end = at + 1
      while (end < text.length && (text.charCodeAt(end) !== QUOTE || text.charCodeAt(++end) === QUOTE)) end++
      cell = text.slice(at + 1, end - 1).replaceAll('""', '"')
      const next = text.charCodeAt(end)
      const isWhole = text.charCodeAt(end - 1) === QUOTE && end > at + 1
      if (!isWhole || !(end >= text.length || next === separator || next === LINE_FEED || next === CARRIAGE_RETURN))
        throw new PipelineError(`a quoted cell that begins "${cell.slice(0, 20)}" does not end properly`)
      at = end
    } else {
      const start = at
      while (at < text.length) {
        const code = text.charCodeAt(at)
        if (code === separator || code === LINE_FEED || code === CARRIAGE_RETURN) break
        at++
      }
      cell = text.slice(start, at)
    }
    row.push(cell)
    if (text.charCodeAt(at) === separator) {
      at++
      if (at < text.length && text.charCodeAt(at) !== LINE_FEED && text.charCodeAt(at) !== CARRIAGE_RETURN) continue
      row.push('')
    }
    if (text.charCodeAt(at) === CARRIAGE_RETURN) at++
    if (text.charCodeAt(at) === LINE_FEED) at++
    if (row.length > 1 || row[0] !== '') visit(row)
    row = []
  }
}
