/** Jobs of clusters, and the output of their drivers, in SQLite. */
import type { Place } from '../../clusters/cluster.ts'
import type { Job, JobStore } from '../../clusters/job.ts'
import { AppError } from '../../core/app-error.ts'
import type { Database } from './database.ts'

const TABLES = `
CREATE TABLE IF NOT EXISTS job (
  number INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, project TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, request_id TEXT,
  document TEXT NOT NULL, UNIQUE (project, region, id), UNIQUE (project, region, request_id)
) STRICT;
CREATE TABLE IF NOT EXISTS job_output (
  number INTEGER PRIMARY KEY, job TEXT NOT NULL REFERENCES job (uuid) ON DELETE CASCADE, line TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS job_output_by_job ON job_output (job)`

interface JobRow {
  document: string
}

export class SqliteJobStore implements JobStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    db.migrate(TABLES)
  }

  async create(job: Job): Promise<void> {
    const { changes } = this.#db.run(
      'INSERT INTO job (uuid, project, region, id, request_id, document) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      job.uuid,
      job.project,
      job.region,
      job.id,
      job.requestId,
      JSON.stringify(job),
    )
    if (changes === 0)
      throw new AppError('conflict', `Job "${job.id}" of project "${job.project}" in ${job.region} already exists. Choose another id.`)
  }

  async find({ project, region }: Place, id: string): Promise<Job | null> {
    return toJob(this.#db.get<JobRow>('SELECT document FROM job WHERE project = ? AND region = ? AND id = ?', project, region, id))
  }

  async findByRequest({ project, region }: Place, requestId: string): Promise<Job | null> {
    return toJob(
      this.#db.get<JobRow>('SELECT document FROM job WHERE project = ? AND region = ? AND request_id = ?', project, region, requestId),
    )
  }

  async list(place: Place | null): Promise<Job[]> {
    const rows = place
      ? this.#db.all<JobRow>('SELECT document FROM job WHERE project = ? AND region = ? ORDER BY number DESC', place.project, place.region)
      : this.#db.all<JobRow>('SELECT document FROM job ORDER BY number DESC')
    return rows.map((row) => JSON.parse(row.document) as Job)
  }

  async update(job: Job): Promise<void> {
    this.#db.run('UPDATE job SET document = ? WHERE uuid = ?', JSON.stringify(job), job.uuid)
  }

  async appendOutput({ uuid }: Job, line: string): Promise<void> {
    this.#db.run('INSERT INTO job_output (job, line) VALUES (?, ?)', uuid, line)
  }

  async output({ uuid }: Job): Promise<string> {
    const lines = this.#db.all<{ line: string }>('SELECT line FROM job_output WHERE job = ? ORDER BY number', uuid)
    return lines.map(({ line }) => `${line}\n`).join('')
  }
}

const toJob = (row: JobRow | undefined): Job | null => (row ? (JSON.parse(row.document) as Job) : null)
