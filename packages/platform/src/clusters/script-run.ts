/** Runs the statements of a script one after the other in an engine session: reads slices, keeps views, writes folders, shows rows. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { AppError, messageOf } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { EngineSession, ObjectFolder, TableReader } from './engine.ts'
import { parseFolder, replaceFolder } from './output-folder.ts'
import type { Statement } from './sql-script.ts'
import type { Variables } from './sql-token.ts'
import type { Turns } from './turns.ts'

const SHOWN_ROWS = 20

export interface ScriptRunOptions {
  readonly session: EngineSession
  readonly tables: TableReader
  readonly objects: ObjectFolder
  readonly clock: Clock
  readonly variables: Variables
  /** Shared by all jobs, so that a folder is replaced by one at a time. */
  readonly folders: Turns
  readonly rowsPerPart: number
  readonly signal: AbortSignal
  log(line: string): void
  onProgress(fraction: number): void
}

export class ScriptRun {
  #options: ScriptRunOptions
  inputRows = 0
  outputRows = 0

  constructor(options: ScriptRunOptions) {
    this.#options = options
  }

  /** Throws the first statement's error, with its line in front. */
  async run(statements: readonly Statement[]): Promise<void> {
    const { signal, log, onProgress } = this.#options
    for (const [index, statement] of statements.entries()) {
      signal.throwIfAborted()
      const share = (fraction: number) => onProgress((index + fraction) / statements.length)
      try {
        log(await this.#step(statement, share))
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof AppError) || error.code === 'internal') throw error
        throw new AppError(error.code, `Line ${statement.line}: ${firstLine(messageOf(error))}`, { ...error.facts, cause: error })
      }
      share(1)
    }
  }

  async #step(statement: Statement, onProgress: (fraction: number) => void): Promise<string> {
    const { session, signal } = this.#options
    const work = { signal, onProgress }
    switch (statement.kind) {
      case 'setTimeZone':
        return 'The time zone is UTC.'
      case 'createView':
        await session.createView(statement.view, statement.query, work)
        return `View ${statement.view} is defined.`
      case 'cacheTable':
        await session.cacheTable(statement.view, statement.query, work)
        return `Table ${statement.view} is computed and kept.`
      case 'select':
        return this.#show(statement, work)
      case 'readTable':
        return this.#readTable(statement, work)
      case 'readFiles':
        return this.#readFiles(statement, work)
      case 'writeFolder':
        return this.#writeFolder(statement, onProgress)
    }
  }

  async #show({ query }: Statement & { kind: 'select' }, work: { signal: AbortSignal }): Promise<string> {
    const { columns, rows } = await this.#options.session.select(query, SHOWN_ROWS, work)
    // A check such as `SELECT assert_true(…)` answers one empty cell: nothing to show.
    if (rows.length === 1 && rows[0]?.every((value) => value === null)) return 'Check passed.'
    return [columns, ...rows].map((row) => row.map((value) => (value === null ? 'NULL' : String(value))).join('\t')).join('\n')
  }

  async #readTable({ view, table, filter }: Statement & { kind: 'readTable' }, work: { signal: AbortSignal }): Promise<string> {
    const { session, tables } = this.#options
    const file = join(session.directory, `slice-${randomUUID()}.parquet`)
    const rows = await tables.exportSlice(table, filter, file, work)
    await session.readFiles(view, { format: { name: 'parquet' }, files: [file] }, work)
    this.inputRows += rows
    return `View ${view} reads ${rows.toLocaleString('en')} rows of ${table}${filter ? ` where ${filter}` : ''}.`
  }

  async #readFiles({ view, path, format }: Statement & { kind: 'readFiles' }, work: { signal: AbortSignal }): Promise<string> {
    const { session, objects, signal } = this.#options
    if (!/^gs:\/\/[^/]+\/./.test(path))
      throw new AppError('invalid', `Cannot read "${path}": only objects in buckets can be read. Write gs://BUCKET/PATH.`)
    // A folder stands for its data files; names that begin with "_" or "." are not data to Spark.
    const found = path.endsWith(`.${format.name}`) ? [path] : await objects.list(`${path.replace(/\/+$/, '')}/`, signal)
    const uris = found.filter((uri) => !/^[_.]/.test(uri.slice(uri.lastIndexOf('/') + 1)))
    if (uris.length === 0) throw new AppError('not_found', `There is nothing to read in "${path}". Check the path.`)
    const files: string[] = []
    for (const uri of uris) {
      const file = join(session.directory, `input-${randomUUID()}.${format.name}`)
      await objects.download(uri, file, signal)
      files.push(file)
    }
    const rows = await session.readFiles(view, { format, files }, work)
    this.inputRows += rows
    return `View ${view} reads ${rows.toLocaleString('en')} rows of ${path}.`
  }

  async #writeFolder(statement: Statement & { kind: 'writeFolder' }, onProgress: (fraction: number) => void): Promise<string> {
    const { session, objects, variables, folders, clock, rowsPerPart, signal } = this.#options
    const folder = parseFolder(statement.folder)
    const written = await session.writeParts(statement.query, {
      layout: statement.layout,
      rowsPerPart,
      signal,
      onProgress: (fraction) => onProgress(fraction * 0.8),
    })
    const facts = { start: variables.start ?? null, end: variables.end ?? null, inputRows: this.inputRows, createdAt: clock.now() }
    const work = { signal, onProgress: (fraction: number) => onProgress(0.8 + fraction * 0.2) }
    const manifest = await folders.take(folder, () => {
      signal.throwIfAborted()
      return replaceFolder(objects, folder, written, facts, session.directory, work)
    })
    this.outputRows += manifest.rows
    return `Wrote ${manifest.rows.toLocaleString('en')} rows in ${manifest.parts.length} part(s) to ${folder}.`
  }
}

const firstLine = (message: string) => message.replace(/^(?:[A-Z][A-Za-z]* )+Error: /, '').split('\n\n')[0] ?? message
