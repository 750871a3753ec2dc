/** Tables of the warehouse: their names, their columns, and the port to whatever engine keeps them. */
import { AppError } from '../core/app-error.ts'

export type ColumnType = 'STRING' | 'INT64' | 'FLOAT64' | 'TIMESTAMP'

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly required: boolean
}

/** `dataset.table`; a project in front of it names the platform's own and is left out. */
export interface TableName {
  readonly dataset: string
  readonly table: string
}

export interface Interval {
  /** Inclusive and exclusive bound in UTC. */
  readonly start: Date
  readonly end: Date
}

export interface LongWork {
  readonly signal?: AbortSignal
  /** Told the done fraction, 0 to 1, now and then. */
  readonly onProgress?: (fraction: number) => void
}

export interface Slice {
  readonly table: TableName
  /** A condition on the table's columns in the form that `BigQuery` connectors push down, checked by `parseFilter`; null for every row. */
  readonly filter: string | null
  /** The Parquet file to write. */
  readonly file: string
}

export interface TableStore {
  /** Creates the table, and its dataset; nothing happens when it is there already. */
  create(name: TableName, columns: readonly Column[]): Promise<void>
  /** The columns, or null when there is no such table. */
  find(name: TableName): Promise<readonly Column[] | null>
  /**
   * Loads a CSV file (plain or gzip) whose header line was checked already. All rows or none: throws `invalid` with every problem's line and column.
   * `replace` empties the table in the same transaction. Answers the number of rows loaded.
   */
  load(name: TableName, file: string, options: { replace: boolean } & LongWork): Promise<number>
  /** Rows whose `column` lies in the interval; all rows without one. */
  count(name: TableName, column: string, interval: Interval | null): Promise<number>
  /** Writes the rows that meet the filter to a Parquet file and answers how many. Throws `not_found` when there is no such table. */
  export(slice: Slice, work: LongWork): Promise<number>
  /** The earliest and latest value of a time column; null when the table is empty. */
  range(name: TableName, column: string): Promise<Interval | null>
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** Reads `table`-style names of BigQuery: `project.dataset.table` or `dataset.table`. Throws `invalid`. */
export function parseTableName(text: string): TableName {
  const parts = text.replaceAll('`', '').replace(':', '.').split('.')
  const [table = '', dataset = ''] = parts.reverse()
  if (parts.length > 3 || parts.length < 2 || !NAME.test(table) || !NAME.test(dataset))
    throw new AppError('invalid', `"${text}" does not name a table. Write PROJECT.DATASET.TABLE, such as daggerboard.shop.events.`)
  return { dataset, table }
}

export const printTableName = ({ dataset, table }: TableName): string => `${dataset}.${table}`
