/** What a cluster needs from the engine that does its work, and from the places that its jobs read and write. */
import type { CsvLayout } from './csv-layout.ts'
import type { FileFormat, Query } from './sql-script.ts'

export interface WorkOptions {
  readonly signal: AbortSignal
  readonly onProgress?: (fraction: number) => void
}

export interface EngineLauncher {
  /** Starts an engine of its own for one cluster. `onCrash` is told when it ends by itself. */
  launch(clusterName: string, onCrash: (reason: string) => void): Promise<Engine>
}

export interface Engine {
  /** A session sees only its own views. */
  openSession(): Promise<EngineSession>
  /** Kills the engine; what runs in it fails. */
  stop(): Promise<void>
}

export interface EngineSession {
  /** A directory where files for this session may lie. */
  readonly directory: string
  /** Makes files a view and answers the number of their rows. */
  readFiles(view: string, files: FileSet, work: WorkOptions): Promise<number>
  createView(view: string, query: Query, work: WorkOptions): Promise<void>
  /** Computes the query once and keeps its rows under that name. */
  cacheTable(view: string, query: Query, work: WorkOptions): Promise<void>
  /** The first `limit` rows. */
  select(query: Query, limit: number, work: WorkOptions): Promise<{ columns: string[]; rows: unknown[][] }>
  /** Writes the rows of the query to CSV files of at most `rowsPerPart` rows in `directory`, at least one file. */
  writeParts(query: Query, options: { layout: CsvLayout; rowsPerPart: number } & WorkOptions): Promise<WrittenParts>
  /** Forgets the session's views and deletes its directory. */
  close(): Promise<void>
}

export interface FileSet {
  readonly format: FileFormat
  readonly files: readonly string[]
}

export interface WrittenParts {
  readonly columns: readonly string[]
  readonly parts: readonly { file: string; rows: number }[]
}

/** Reads a table of the warehouse into a Parquet file and answers the number of rows. */
export interface TableReader {
  exportSlice(
    table: string,
    filter: string | null,
    file: string,
    work: { signal?: AbortSignal; onProgress?: (fraction: number) => void },
  ): Promise<number>
}

/** Objects named by `gs://BUCKET/NAME`, in the name of whoever opened it. */
export interface ObjectFolder {
  /** Downloads an object into a file. Throws `not_found`. */
  download(uri: string, file: string, signal: AbortSignal): Promise<void>
  /** Uploads a file and answers what was stored. */
  upload(uri: string, file: string, contentType: string, signal: AbortSignal): Promise<{ bytes: number; md5Hash: string }>
  /** The URIs of all objects whose URI begins with `prefix`. */
  list(prefix: string, signal: AbortSignal): Promise<string[]>
  delete(uri: string, signal: AbortSignal): Promise<void>
}
