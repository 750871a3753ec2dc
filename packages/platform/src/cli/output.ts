/** How answers are written: as a table for people, as JSON or YAML for programs, plain for other tools. */
import { stringify } from 'yaml'

export const FORMATS = ['table', 'json', 'yaml', 'plain'] as const
export type Format = (typeof FORMATS)[number]

export type Row = Readonly<Record<string, unknown>>
/** A field of the rows, or a heading and what stands below it. */
export type Column<R extends Row = Row> = (keyof R & string) | readonly [heading: string, cell: (row: R) => unknown]

export class Output {
  readonly format: Format
  readonly #write: (text: string) => void

  constructor(format: Format, write: (text: string) => void) {
    this.format = format
    this.#write = write
  }

  /** Whether a program reads the answer. */
  get isData(): boolean {
    return this.format === 'json' || this.format === 'yaml'
  }

  line(text: string): void {
    this.#write(`${text}\n`)
  }

  /** Whole rows as data, and their `columns` as a table; `none` is said when there are none. */
  rows<R extends Row>(rows: readonly R[], columns: readonly Column<R>[], none = 'None.'): void {
    if (this.isData) this.data(rows)
    else if (rows.length === 0) this.format === 'table' && this.line(none)
    else {
      const cells = rows.map((row) => columns.map((column) => cellText(typeof column === 'string' ? row[column] : column[1](row))))
      this.#table(
        columns.map((column) => (typeof column === 'string' ? column : column[0])),
        cells,
      )
    }
  }

  /** All fields of one thing, one below the other. */
  record(record: Row): void {
    if (this.isData) this.data(record)
    else
      this.#table(
        ['property', 'value'],
        Object.entries(record).map(([name, value]) => [name, cellText(value)]),
      )
  }

  /** What was done, as a sentence for people and as a thing for programs. */
  done(sentence: string, thing: unknown): void {
    if (this.isData) this.data(thing)
    else this.line(sentence)
  }

  data(value: unknown): void {
    this.#write(this.format === 'yaml' ? stringify(value) : `${JSON.stringify(value, null, 2)}\n`)
  }

  #table(headings: readonly string[], rows: readonly (readonly string[])[]): void {
    const isTable = this.format === 'table'
    // A table has a line for each line of its last cell; plain rows stay one line each.
    const lines = rows.flatMap((row) => (isTable ? unfolded(row) : [row]))
    const widths = headings.map((heading, at) => Math.max(heading.length, ...lines.map((row) => row[at]?.length ?? 0)))
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join(isTable ? ' | ' : '  ')
        .trimEnd()
    this.line(line(headings))
    if (isTable) this.line(widths.map((width) => '='.repeat(Math.min(width, WIDEST_RULE))).join('=+='))
    for (const row of lines) this.line(line(row))
  }
}

/** Control characters, which could rewrite what stands on the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g

const BREAK = ' ⏎ '
const WIDEST_RULE = 120

function unfolded(row: readonly string[]): string[][] {
  const [first = '', ...more] = (row.at(-1) ?? '').split(BREAK)
  const before = row.slice(0, -1)
  return [[...before, first], ...more.map((text) => [...before.map(() => ''), text])]
}

/** What somebody else has written, where it stands in a line of ours. */
export const oneLine = (text: string): string => text.replaceAll('\n', BREAK).replace(CONTROLS, '')

/** The same in lines of its own. */
export const plainLines = (text: string): string => text.split('\n').map(oneLine).join('\n')

/** One line, whatever it is. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(cellText).join(value.some((one) => typeof one === 'object' && one !== null) ? BREAK : ', ')
  if (typeof value !== 'object') return oneLine(String(value))
  const { name } = value as { name?: unknown }
  return typeof name === 'string' ? cellText(name) : JSON.stringify(value)
}
