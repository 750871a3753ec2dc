/** Tables of the warehouse in a DuckDB file. */
import { AppError } from '../../core/app-error.ts'
import { EVENT_TYPES } from '../../warehouse/event.ts'
import { parseFilter } from '../../warehouse/filter.ts'
import {
  type Column,
  type ColumnType,
  type Interval,
  type LongWork,
  printTableName,
  type Slice,
  type TableName,
  type TableStore,
} from '../../warehouse/table.ts'
import type { EngineProcess } from './engine-process.ts'

const MAX_PROBLEMS = 20
const ENGINE_TYPES: Readonly<Record<ColumnType, string>> = { STRING: 'VARCHAR', INT64: 'BIGINT', FLOAT64: 'DOUBLE', TIMESTAMP: 'TIMESTAMP' }
const COLUMN_TYPES = new Map(Object.entries(ENGINE_TYPES).map(([type, engineType]) => [engineType, type as ColumnType]))

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
const qualified = ({ dataset, table }: TableName) => `${identifier(dataset)}.${identifier(table)}`
const timestamp = (time: Date) => time.toISOString().slice(0, 19).replace('T', ' ')

export class DuckDbTableStore implements TableStore {
  #engine: EngineProcess

  constructor(engine: EngineProcess) {
    this.#engine = engine
  }

  async create(name: TableName, columns: readonly Column[]): Promise<void> {
    const definitions = columns.map((c) => `${identifier(c.name)} ${ENGINE_TYPES[c.type]}${c.required ? ' NOT NULL' : ''}`)
    await this.#engine.run(`CREATE SCHEMA IF NOT EXISTS ${identifier(name.dataset)}`)
    await this.#engine.run(`CREATE TABLE IF NOT EXISTS ${qualified(name)} (${definitions.join(', ')})`)
  }

  async find({ dataset, table }: TableName): Promise<readonly Column[] | null> {
    const rows = await this.#engine.run<{ name: string; type: string; nullable: boolean }>(
      `SELECT column_name AS name, data_type AS type, is_nullable AS nullable FROM duckdb_columns()
       WHERE NOT internal AND schema_name = ? AND table_name = ? ORDER BY column_index`,
      { values: [dataset, table] },
    )
    if (rows.length === 0) return null
    return rows.map(({ name, type, nullable }) => ({ name, type: COLUMN_TYPES.get(type) ?? 'STRING', required: !nullable }))
  }

  async load(name: TableName, file: string, { replace, signal, onProgress }: { replace: boolean } & LongWork): Promise<number> {
    const columns = await this.#columns(name)
    const session = `load-${crypto.randomUUID()}`
    const run = <T>(sql: string) => this.#engine.run<T>(sql, { session, signal, onProgress })
    try {
      await this.#stage(run, columns, file)
      const problems = await findProblems(run, columns)
      if (problems.length > 0)
        throw new AppError('invalid', `Cannot load "${file}" into ${printTableName(name)}; nothing was loaded. Mend these:`, { problems })
      await run('BEGIN')
      if (replace) await run(`DELETE FROM ${qualified(name)}`)
      const [inserted] = await run<{ Count: number }>(
        `INSERT INTO ${qualified(name)} SELECT ${columns.map((c) => parsed(c)).join(', ')} FROM staged`,
      )
      await run('COMMIT')
      return inserted?.Count ?? 0
    } finally {
      // Closing the connection drops the staged rows, and rolls back what was not committed.
      this.#engine.closeSession(session)
    }
  }

  async count(name: TableName, column: string, interval: Interval | null): Promise<number> {
    const where = interval ? `WHERE ${identifier(column)} >= ?::TIMESTAMP AND ${identifier(column)} < ?::TIMESTAMP` : ''
    const values = interval ? [timestamp(interval.start), timestamp(interval.end)] : []
    const [row] = await this.#engine.run<{ rows: number }>(`SELECT count(*) AS rows FROM ${qualified(name)} ${where}`, { values })
    return row?.rows ?? 0
  }

  async export({ table, filter, file }: Slice, { signal, onProgress }: LongWork): Promise<number> {
    const columns = await this.#columns(table)
    const where = filter === null ? '' : `WHERE ${parseFilter(filter, columns)}`
    const session = `export-${crypto.randomUUID()}`
    const sql = `COPY (SELECT * FROM ${qualified(table)} ${where}) TO ${literal(file)} (FORMAT parquet, COMPRESSION lz4)`
    try {
      const [row] = await this.#engine.run<{ Count: number }>(sql, { session, signal, onProgress })
      return row?.Count ?? 0
    } finally {
      this.#engine.closeSession(session)
    }
  }

  async range(name: TableName, column: string): Promise<Interval | null> {
    const [row] = await this.#engine.run<{ start: Date | null; end: Date | null }>(
      `SELECT min(${identifier(column)}) AS start, max(${identifier(column)}) AS end FROM ${qualified(name)}`,
    )
    return row?.start && row.end ? { start: row.start, end: row.end } : null
  }

  async #columns(name: TableName): Promise<readonly Column[]> {
    const columns = await this.find(name)
    if (!columns) throw new AppError('not_found', `The warehouse has no table "${printTableName(name)}". Load it first, or check the name.`)
    return columns
  }

  /** Reads the file as text, so that every bad value can be told with its line. */
  async #stage(run: <T>(sql: string) => Promise<T[]>, columns: readonly Column[], file: string): Promise<void> {
    const names = columns.map((c) => `${literal(c.name)}: 'VARCHAR'`).join(', ')
    try {
      await run(
        `CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM read_csv(${literal(file)}, header = true, delim = ',', quote = '"', auto_detect = false, columns = {${names}})`,
      )
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'invalid') throw error
      const line = /on Line: (\d+)/i.exec(error.message)?.[1]
      const why = /(Expected Number of Columns: \d+ Found: \d+|unterminated quote|Invalid unicode)/i.exec(error.message)?.[1]
      throw new AppError('invalid', `Cannot load "${file}"; nothing was loaded. Mend these:`, {
        problems: [
          `${line ? `Line ${line}` : 'A line'} is not CSV of ${columns.length} columns: ${(why ?? error.message.split('\n')[0])?.trim()}.`,
        ],
        cause: error,
      })
    }
  }
}

/** The typed value of a staged text column, null where it does not parse. */
function parsed({ name, type }: Column): string {
  const column = identifier(name)
  if (type === 'STRING') return column
  if (type === 'TIMESTAMP') return `try_strptime(${column}, ['%Y-%m-%d %H:%M:%S UTC', '%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%SZ'])`
  if (type === 'INT64') return `CASE WHEN regexp_full_match(${column}, '-?[0-9]+') THEN try_cast(${column} AS BIGINT) END`
  return `CASE WHEN isfinite(try_cast(${column} AS DOUBLE)) THEN try_cast(${column} AS DOUBLE) END`
}

const EXPECTED: Readonly<Record<ColumnType, string>> = {
  STRING: 'text',
  INT64: 'a whole number, such as 1004856',
  FLOAT64: 'a number, such as 130.76',
  TIMESTAMP: 'a time in UTC, such as 2019-10-01 00:00:00 UTC',
}

/** One sentence for each bad value, by line; the first lines only. The file's first row is line 2. */
async function findProblems(run: <T>(sql: string) => Promise<T[]>, columns: readonly Column[]): Promise<string[]> {
  const checks = columns.flatMap((column) => {
    const name = identifier(column.name)
    const sentence = (condition: string, expected: string) =>
      `SELECT rowid + 2 AS line, ${literal(column.name)} AS name, ${name} AS value, ${literal(expected)} AS expected FROM staged WHERE ${condition}`
    const found: string[] = []
    if (column.required) found.push(sentence(`${name} IS NULL`, column.type === 'STRING' ? 'text' : EXPECTED[column.type]))
    if (column.type !== 'STRING') found.push(sentence(`${name} IS NOT NULL AND ${parsed(column)} IS NULL`, EXPECTED[column.type]))
    if (column.name === 'event_type')
      found.push(sentence(`${name} NOT IN (${EVENT_TYPES.map(literal).join(', ')})`, `one of ${EVENT_TYPES.join(', ')}`))
    return found
  })
  const rows = await run<{ line: number; name: string; value: string | null; expected: string }>(
    `SELECT * FROM (${checks.join(' UNION ALL ')}) ORDER BY line, name LIMIT ${MAX_PROBLEMS}`,
  )
  return rows.map(
    ({ line, name, value, expected }) =>
      `Line ${line}, column "${name}": ${value === null ? 'the value is empty' : `"${value}" does not fit`}; write ${expected}.`,
  )
}
