/** A table held by columns: numbers in typed arrays, texts in plain ones. */
import { didYouMean, PipelineError } from './pipeline-error.ts'

/** Numbers, where a missing one is NaN. */
export type NumberColumn = Float64Array
/** Texts, where a missing one is null. */
export type TextColumn = readonly (string | null)[]
export type Column = NumberColumn | TextColumn
export type Value = string | number | null

/** Immutable by convention: every method answers a new table that shares the columns it did not change. */
export class Table {
  readonly rows: number
  readonly columns: Readonly<Record<string, Column>>

  /** Throws when the columns differ in length. */
  constructor(columns: Readonly<Record<string, Column>>) {
    const lengths = Object.entries(columns).map(([name, column]) => ({ name, length: column.length }))
    const first = lengths[0]
    const odd = lengths.find(({ length }) => length !== first?.length)
    if (first && odd) throw new PipelineError(`Column "${odd.name}" has ${odd.length} rows, but "${first.name}" has ${first.length}`)
    this.columns = columns
    this.rows = first?.length ?? 0
  }

  get names(): string[] {
    return Object.keys(this.columns)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.columns, name)
  }

  column(name: string): Column {
    const column = this.has(name) ? this.columns[name] : undefined
    if (!column)
      throw new PipelineError(`The table has no column "${name}".${didYouMean(name, this.names)} It has: ${this.names.join(', ')}.`)
    return column
  }

  /** Throws when the column holds texts. */
  numbers(name: string): NumberColumn {
    const column = this.column(name)
    if (!(column instanceof Float64Array)) throw new PipelineError(`Column "${name}" holds texts, not numbers. Encode it first.`)
    return column
  }

  /** Throws when the column holds numbers. */
  texts(name: string): TextColumn {
    const column = this.column(name)
    if (column instanceof Float64Array) throw new PipelineError(`Column "${name}" holds numbers, not texts.`)
    return column
  }

  select(names: readonly string[]): Table {
    return new Table(Object.fromEntries(names.map((name) => [name, this.column(name)])))
  }

  /** Without `names`; those that are not there are no error. */
  drop(names: readonly string[]): Table {
    return new Table(Object.fromEntries(Object.entries(this.columns).filter(([name]) => !names.includes(name))))
  }

  /** With `name` added at the end, or replaced in its place. */
  with(name: string, column: Column): Table {
    return new Table({ ...this.columns, [name]: column })
  }

  /** The rows at `indices`, in that order. */
  take(indices: ArrayLike<number>): Table {
    return new Table(Object.fromEntries(Object.entries(this.columns).map(([name, column]) => [name, takeFrom(column, indices)])))
  }

  /** Row `index` as an object; a missing value is null in it. */
  row(index: number): Record<string, Value> {
    return Object.fromEntries(Object.entries(this.columns).map(([name, column]) => [name, valueAt(column, index)]))
  }

  toRecords(): Record<string, Value>[] {
    return Array.from({ length: this.rows }, (_, index) => this.row(index))
  }

  /** A column is one of numbers when all its values that are present are. Missing keys are missing values. */
  static fromRecords(records: readonly Readonly<Record<string, Value | undefined>>[]): Table {
    const names = [...new Set(records.flatMap((record) => Object.keys(record)))]
    return new Table(Object.fromEntries(names.map((name) => [name, columnOf(records.map((record) => record[name] ?? null))])))
  }

  /** The rows of all `tables`, one below the other. Throws when their columns differ in name or kind. */
  static concat(tables: readonly Table[]): Table {
    const [first, ...rest] = tables
    if (!first) return new Table({})
    for (const other of rest) {
      if (other.names.join() !== first.names.join())
        throw new PipelineError(`Tables with different columns cannot be joined: ${first.names.join(', ')} and ${other.names.join(', ')}`)
    }
    return new Table(Object.fromEntries(first.names.map((name) => [name, concatenate(name, tables)])))
  }
}

function concatenate(name: string, tables: readonly Table[]): Column {
  if (tables[0]?.column(name) instanceof Float64Array) {
    const joined = new Float64Array(tables.reduce((sum, table) => sum + table.rows, 0))
    let offset = 0
    for (const table of tables) {
      joined.set(table.numbers(name), offset)
      offset += table.rows
    }
    return joined
  }
  return tables.flatMap((table) => table.texts(name))
}

function takeFrom(column: Column, indices: ArrayLike<number>): Column {
  if (column instanceof Float64Array) return Float64Array.from(indices, (index) => column[index] ?? Number.NaN)
  return Array.from(indices, (index) => column[index] ?? null)
}

function valueAt(column: Column, index: number): Value {
  const value = column[index]
  return value === undefined || (typeof value === 'number' && Number.isNaN(value)) ? null : value
}

function columnOf(values: readonly Value[]): Column {
  if (values.every((value) => value === null || typeof value === 'number')) return Float64Array.from(values, (value) => value ?? Number.NaN)
  return values.map((value) => (value === null ? null : String(value)))
}
