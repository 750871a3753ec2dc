/** DAGs and import errors in SQLite. */
import type { DagDocument } from '@daggerboard/dag'
import type { DagFile, DagFileReading, DagRecord, DagStore, ImportError } from '../../scheduling/dag.ts'
import type { Database } from './database.ts'
import { completed } from './earlier-document.ts'

const TABLES = `
  CREATE TABLE IF NOT EXISTS dag (
    dag_id TEXT PRIMARY KEY, document TEXT NOT NULL, file TEXT NOT NULL, source TEXT NOT NULL, is_paused INTEGER NOT NULL,
    is_stale INTEGER NOT NULL, has_import_errors INTEGER NOT NULL, parsed_at TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS import_error (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, line INTEGER, message TEXT NOT NULL, trace TEXT NOT NULL, at TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS dag_file (file TEXT PRIMARY KEY, stamps TEXT NOT NULL, reader TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS dag_of_file ON dag (file)`

export class SqliteDagStore implements DagStore {
  #db: Database
  readonly #documents = new Map<string, { readonly text: string; readonly document: DagDocument }>()

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async find(dagId: string): Promise<DagRecord | null> {
    const row = this.#db.get<DagRow>('SELECT * FROM dag WHERE dag_id = ?', dagId)
    return row ? this.#toRecord(row) : null
  }

  async list({ includeStale = false }: { includeStale?: boolean } = {}): Promise<DagRecord[]> {
    return this.#db
      .all<DagRow>('SELECT * FROM dag WHERE is_stale <= ? ORDER BY dag_id', Number(includeStale))
      .map((row) => this.#toRecord(row))
  }

  async saveReading(reading: DagFileReading, at: string, paused: boolean): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM dag_file WHERE file = ?', reading.file)
      this.#save(reading, at, paused)
    })
  }

  async saveReadings(
    readings: readonly (DagFileReading & Pick<DagFile, 'stamps' | 'reader'>)[],
    at: string,
    paused: boolean,
  ): Promise<void> {
    this.#db.transaction(() => {
      for (const reading of readings) {
        this.#save(reading, at, paused)
        const { file, stamps, reader } = reading
        this.#db.run('INSERT OR REPLACE INTO dag_file (file, stamps, reader) VALUES (?, ?, ?)', file, JSON.stringify(stamps), reader)
      }
    })
  }

  async files(): Promise<DagFile[]> {
    const rows = this.#db.all<{ file: string; stamps: string | null; reader: string | null; dag_ids: string; has_error: number }>(
      `SELECT file, stamps, reader, EXISTS (SELECT 1 FROM import_error e WHERE e.file = f.file) AS has_error,
         (SELECT json_group_array(dag_id) FROM dag d WHERE d.file = f.file AND d.is_stale = 0 AND d.has_import_errors = 0) AS dag_ids
       FROM (SELECT file FROM dag WHERE is_stale = 0 UNION SELECT file FROM import_error UNION SELECT file FROM dag_file) f
       LEFT JOIN dag_file USING (file) ORDER BY file`,
    )
    return rows.map(({ file, stamps, reader, dag_ids, has_error }) => ({
      file,
      stamps: stamps === null ? null : JSON.parse(stamps),
      reader: reader ?? '',
      dagIds: JSON.parse(dag_ids),
      hasError: has_error === 1,
    }))
  }

  #save(reading: DagFileReading, at: string, paused: boolean): void {
    const { file } = reading
    if ('error' in reading) {
      const { line, message, trace } = reading.error
      this.#db.run('UPDATE dag SET has_import_errors = 1 WHERE file = ?', file)
      this.#db.run(
        `INSERT INTO import_error (file, line, message, trace, at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (file) DO UPDATE SET line = excluded.line, message = excluded.message, trace = excluded.trace, at = excluded.at`,
        file,
        line,
        message,
        trace,
        at,
      )
      return
    }
    this.#db.run('DELETE FROM import_error WHERE file = ?', file)
    this.#db.run('UPDATE dag SET is_stale = 1, has_import_errors = 0 WHERE file = ?', file)
    for (const document of reading.documents) {
      this.#db.run(
        `INSERT INTO dag VALUES (?, ?, ?, ?, ?, 0, 0, ?)
         ON CONFLICT (dag_id) DO UPDATE SET document = excluded.document, file = excluded.file, source = excluded.source,
           is_stale = 0, has_import_errors = 0, parsed_at = excluded.parsed_at`,
        document.dagId,
        JSON.stringify(document),
        file,
        reading.source,
        Number(document.isPausedUponCreation ?? paused),
        at,
      )
    }
  }

  async forgetFile(file: string): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM dag_file WHERE file = ?', file)
      this.#db.run('DELETE FROM import_error WHERE file = ?', file)
      this.#db.run('UPDATE dag SET is_stale = 1, has_import_errors = 0 WHERE file = ?', file)
    })
  }

  async setPaused(dagIds: readonly string[], isPaused: boolean): Promise<void> {
    this.#db.transaction(() => {
      for (const dagId of dagIds) this.#db.run('UPDATE dag SET is_paused = ? WHERE dag_id = ?', Number(isPaused), dagId)
    })
  }

  async delete(dagId: string): Promise<void> {
    this.#db.transaction(() => {
      // Its file is to be read again, and brings it back.
      this.#db.run('DELETE FROM dag_file WHERE file IN (SELECT file FROM dag WHERE dag_id = ?)', dagId)
      this.#db.run('DELETE FROM dag WHERE dag_id = ?', dagId)
    })
    this.#documents.delete(dagId)
  }

  async importErrors(): Promise<ImportError[]> {
    return this.#db.all<Required<ImportError> & Record<string, unknown>>('SELECT * FROM import_error ORDER BY file')
  }

  #toRecord(row: DagRow): DagRecord {
    return {
      dagId: row.dag_id,
      document: this.#documentOf(row),
      file: row.file,
      source: row.source,
      isPaused: row.is_paused === 1,
      isStale: row.is_stale === 1,
      hasImportErrors: row.has_import_errors === 1,
      parsedAt: row.parsed_at,
    }
  }

  /** The same object as long as the text is the same: documents are asked for with every request and every switch. */
  #documentOf({ dag_id: dagId, document: text }: DagRow): DagDocument {
    const known = this.#documents.get(dagId)
    if (known?.text === text) return known.document
    const document = completed(JSON.parse(text))
    this.#documents.set(dagId, { text, document })
    return document
  }
}

interface DagRow {
  dag_id: string
  document: string
  file: string
  source: string
  is_paused: number
  is_stale: number
  has_import_errors: number
  parsed_at: string
}
