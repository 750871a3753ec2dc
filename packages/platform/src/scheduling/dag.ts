/** A DAG as the scheduler knows it: its document, the file it came from, and whether it is paused. */
import type { DagDocument } from '@daggerboard/dag'

export interface DagRecord {
  readonly dagId: string
  readonly document: DagDocument
  /** Path of the file below the DAGs folder. */
  readonly file: string
  readonly source: string
  readonly isPaused: boolean
  /** Its file is gone, or no longer has it: no run is created any more. */
  readonly isStale: boolean
  /** Its file cannot be read just now; what is known of it is from an earlier reading. No run is created until that is mended. */
  readonly hasImportErrors: boolean
  /** ISO instant in UTC. */
  readonly parsedAt: string
}

/** Why a file could not be read. */
export interface ImportError {
  readonly id: number
  readonly file: string
  readonly line: number | null
  readonly message: string
  /** The whole story, with the stack in the author's file. */
  readonly trace: string
  readonly at: string
}

/** One reading of a DAG file: its DAGs, or why there are none. */
export type DagFileReading =
  | { readonly file: string; readonly source: string; readonly documents: readonly DagDocument[] }
  | { readonly file: string; readonly error: Pick<ImportError, 'line' | 'message' | 'trace'> }

/** What is remembered of a DAG file, so that it is read again only when it has changed. */
export interface DagFile {
  /** Below the DAGs folder. */
  readonly file: string
  /** Of the file and of everything that it imports, by path, when it was read; null when nobody knows. */
  readonly stamps: Readonly<Record<string, string>> | null
  /** What else the reading depended on. */
  readonly reader: string
  readonly dagIds: readonly string[]
  readonly hasError: boolean
}

/** The documents of records are shared: nobody changes them. */
export interface DagStore {
  find(dagId: string): Promise<DagRecord | null>
  /** All, by id; stale ones only when asked for. */
  list(options?: { readonly includeStale?: boolean }): Promise<DagRecord[]>
  /** Takes over what a file says now. A DAG seen for the first time is paused as it says itself, else as `paused` does; others keep their switch. */
  saveReading(reading: DagFileReading, at: string, paused: boolean): Promise<void>
  /** The same for several files, all or none, with what is to be remembered of them. */
  saveReadings(readings: readonly (DagFileReading & Pick<DagFile, 'stamps' | 'reader'>)[], at: string, paused: boolean): Promise<void>
  /** Every file that has DAGs or an error, or was read before, by path. */
  files(): Promise<DagFile[]>
  /** The file is gone: its DAGs are stale and its error is forgotten. */
  forgetFile(file: string): Promise<void>
  setPaused(dagIds: readonly string[], isPaused: boolean): Promise<void>
  /** Forgets a DAG; its file brings it back when it is read again. */
  delete(dagId: string): Promise<void>
  importErrors(): Promise<ImportError[]>
}
