/** The engine of a cluster: an in-memory DuckDB in a process of its own that speaks Spark SQL and sees no file outside its directory. */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CsvLayout } from '../../clusters/csv-layout.ts'
import type { Engine, EngineLauncher, EngineSession, FileSet, WorkOptions, WrittenParts } from '../../clusters/engine.ts'
import type { FileFormat, Query } from '../../clusters/sql-script.ts'
import { AppError } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import { EngineProcess } from './engine-process.ts'
import { identifier, literal, SPARK_CONFIG, SPARK_MACROS, toEngineSql } from './spark-dialect.ts'

const SPARK_TYPES: Readonly<Record<string, string>> = {
  STRING: 'VARCHAR',
  INT: 'INTEGER',
  INTEGER: 'INTEGER',
  BIGINT: 'BIGINT',
  LONG: 'BIGINT',
  DOUBLE: 'DOUBLE',
  FLOAT: 'FLOAT',
  BOOLEAN: 'BOOLEAN',
  DATE: 'DATE',
  TIMESTAMP: 'TIMESTAMP',
}
/** As Spark writes times into CSV. */
const CSV_TIME = '%Y-%m-%dT%H:%M:%S.%gZ'

/** What Spark leaves out around a text: the space and what comes before it. */
const WHITE_SPACE = Array.from({ length: 32 }, (_, i) => String.fromCharCode(i + 1)).join('')

export interface DuckDbLauncherOptions {
  /** Each cluster gets a directory below it, which is deleted with the cluster. */
  readonly directory: string
  readonly clock: Clock
  readonly threads?: number
  readonly memoryMegabytes?: number
}

export class DuckDbEngineLauncher implements EngineLauncher {
  #options: DuckDbLauncherOptions
  #emptied: Promise<void> | undefined

  constructor(options: DuckDbLauncherOptions) {
    this.#options = options
  }

  async launch(clusterName: string, onCrash: (reason: string) => void): Promise<Engine> {
    const { directory, ...limits } = this.#options
    // Once, before the first engine: what is there belonged to engines of a platform that was killed.
    this.#emptied ??= rm(directory, { recursive: true, force: true }).then(async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
    })
    await this.#emptied
    const own = await mkdtemp(join(directory, `${clusterName}-`))
    const process = new EngineProcess({
      ...limits,
      name: `The engine of cluster "${clusterName}"`,
      temporaryDirectory: join(own, 'spill'),
      config: SPARK_CONFIG,
      setup: [
        ...SPARK_MACROS,
        // Whoever may submit SQL must not read the platform's own files with it.
        `SET allowed_directories = [${literal(`${own}/`)}]`,
        'SET enable_external_access = false',
        'SET lock_configuration = true',
      ],
      onCrash,
    })
    const engine = new DuckDbEngine(process, own)
    try {
      await process.start()
    } catch (error) {
      await engine.stop()
      throw error
    }
    return engine
  }
}

export class DuckDbEngine implements Engine {
  #process: EngineProcess
  #directory: string

  constructor(process: EngineProcess, directory: string) {
    this.#process = process
    this.#directory = directory
  }

  get processId(): number | undefined {
    return this.#process.processId
  }

  async openSession(): Promise<EngineSession> {
    return new DuckDbSession(this.#process, await mkdtemp(join(this.#directory, 'session-')))
  }

  async stop(): Promise<void> {
    await this.#process.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

class DuckDbSession implements EngineSession {
  readonly directory: string
  #process: EngineProcess
  #id = randomUUID()

  constructor(process: EngineProcess, directory: string) {
    this.#process = process
    this.directory = directory
  }

  async readFiles(view: string, { format, files: paths }: FileSet, work: WorkOptions): Promise<number> {
    const files = `[${paths.map(literal).join(', ')}]`
    const source = format.name === 'parquet' ? `read_parquet(${files})` : `read_csv(${files}, ${csvOptions(format)})`
    await this.#run(`CREATE OR REPLACE TEMP VIEW ${identifier(view)} AS SELECT * FROM ${source}`, work)
    const [row] = await this.#run<{ rows: number }>(`SELECT count(*) AS rows FROM ${identifier(view)}`, work)
    return row?.rows ?? 0
  }

  async createView(view: string, query: Query, work: WorkOptions): Promise<void> {
    await this.#run(`CREATE OR REPLACE TEMP VIEW ${identifier(view)} AS ${toEngineSql(query)}`, work)
  }

  async cacheTable(view: string, query: Query, work: WorkOptions): Promise<void> {
    await this.#run(`CREATE OR REPLACE TEMP TABLE ${identifier(view)} AS ${toEngineSql(query)}`, work)
  }

  async select(query: Query, limit: number, work: WorkOptions): Promise<{ columns: string[]; rows: unknown[][] }> {
    const rows = await this.#run(`SELECT * FROM (${toEngineSql(query)}) LIMIT ${limit}`, work)
    return { columns: Object.keys(rows[0] ?? {}), rows: rows.map((row) => Object.values(row)) }
  }

  async writeParts(
    query: Query,
    { layout, rowsPerPart, ...work }: { layout: CsvLayout; rowsPerPart: number } & WorkOptions,
  ): Promise<WrittenParts> {
    const id = randomUUID()
    const result = identifier(`result-${id}`)
    await this.#run(`CREATE TEMP TABLE ${result} AS ${toEngineSql(query)}`, work)
    const columns = await this.#run<ResultColumn>(`SELECT column_name AS name, column_type AS type FROM (DESCRIBE ${result})`, work)
    const cells = columns.map((column) => cell(column, layout)).join(', ')
    const [total] = await this.#run<{ rows: number }>(`SELECT count(*) AS rows FROM ${result}`, work)
    const rows = total?.rows ?? 0
    const parts: { file: string; rows: number }[] = []
    do {
      const from = parts.length * rowsPerPart
      const file = join(this.directory, `${id}-${parts.length}.csv`)
      await this.#run(
        `COPY (SELECT ${cells} FROM ${result} WHERE rowid >= ${from} AND rowid < ${from + rowsPerPart} ORDER BY rowid)
         TO ${literal(file)} (FORMAT csv, HEADER ${layout.header}, ESCAPE ${literal(layout.escape)}, TIMESTAMPFORMAT ${literal(CSV_TIME)})`,
        work,
      )
      parts.push({ file, rows: Math.min(rowsPerPart, rows - from) })
    } while (parts.length * rowsPerPart < rows)
    await this.#run(`DROP TABLE ${result}`, work)
    return { columns: columns.map((c) => c.name), parts }
  }

  async close(): Promise<void> {
    this.#process.closeSession(this.#id)
    await rm(this.directory, { recursive: true, force: true })
  }

  #run<T = Record<string, unknown>>(sql: string, { signal, onProgress }: WorkOptions): Promise<T[]> {
    return this.#process.run<T>(sql, { session: this.#id, signal, onProgress })
  }
}

interface ResultColumn {
  readonly name: string
  readonly type: string
}

/** The expression of a column as Spark writes its cells. */
function cell({ name, type }: ResultColumn, { ignoreLeadingWhiteSpace, ignoreTrailingWhiteSpace }: CsvLayout): string {
  const column = identifier(name)
  if (type === 'VARCHAR') {
    let text = column
    if (ignoreLeadingWhiteSpace) text = `ltrim(${text}, ${literal(WHITE_SPACE)})`
    if (ignoreTrailingWhiteSpace) text = `rtrim(${text}, ${literal(WHITE_SPACE)})`
    return `${text} AS ${column}`
  }
  if (type === 'DOUBLE' || type === 'FLOAT')
    return `CASE WHEN isnan(${column}) THEN 'NaN' WHEN isinf(${column}) THEN if(${column} > 0, 'Infinity', '-Infinity') ELSE ${column}::VARCHAR END AS ${column}`
  return column
}

function csvOptions({ layout, columns }: FileFormat & { name: 'csv' }): string {
  const typed = columns.map(({ name, type }) => {
    const engineType = SPARK_TYPES[type]
    if (!engineType)
      throw new AppError(
        'invalid',
        `Column "${name}" has the type ${type}, which CSV views do not support. Use one of ${Object.keys(SPARK_TYPES).join(', ')}.`,
      )
    return `${literal(name)}: ${literal(engineType)}`
  })
  return `header = ${layout.header}, auto_detect = false, delim = ',', quote = '"', escape = ${literal(layout.escape)}, columns = {${typed.join(', ')}}`
}
