/** Submits Spark SQL jobs to clusters, runs them one at a time on each cluster, and cancels them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, messageOf, publicMessage } from '../core/app-error.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { newId } from '../core/id.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import type { Permission, Principal } from '../core/principal.ts'
import { principal } from '../core/principal.ts'
import type { Service } from '../core/service.ts'
import type { Cluster, Place } from './cluster.ts'
import type { Clusters } from './clusters.ts'
import type { ObjectFolder, TableReader } from './engine.ts'
import { isFinished, type Job, type JobRequest, type JobState, type JobStore, moveJob } from './job.ts'
import { ScriptRun } from './script-run.ts'
import { parseScript, type Statement } from './sql-script.ts'
import { Turns } from './turns.ts'

const HOUR_MS = 3_600_000
/** What a job may do with the rights of the one who submitted it, and no more. */
const JOB_PERMISSIONS: readonly Permission[] = ['warehouse.read', 'buckets.read', 'buckets.write']

export interface JobsOptions {
  readonly jobs: JobStore
  readonly clusters: Clusters
  readonly tables: TableReader
  /** The buckets, opened in the name of `who`. */
  openObjects(who: Principal): ObjectFolder
  readonly clock: Clock
  readonly events: Events
  readonly logger?: Logger
  /** How many rows one CSV part holds at most. */
  readonly rowsPerPart?: number
  readonly timeoutMilliseconds?: number
}

interface ActiveJob {
  job: Job
  readonly cluster: Cluster
  readonly who: Principal
  readonly controller: AbortController
  progress: number | null
}

/** A job that a restart interrupted ends as ERROR and says so: submit it again. */
export class Jobs implements Service {
  #options: JobsOptions
  #active = new Map<string, ActiveJob>()
  #folders = new Turns()
  /** The last job of each cluster: the next one waits for it. */
  #queues = new Map<string, Promise<void>>()

  constructor(options: JobsOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    for (const job of await this.#options.jobs.list(null)) {
      if (isFinished(job) || this.#active.has(job.uuid)) continue
      const moved = moveJob(job, 'ERROR', this.#options.clock.now(), 'The platform was restarted while the job ran. Submit it again.')
      await this.#options.jobs.update(moved)
      this.#tell(moved, null)
    }
  }

  /** Aborts what runs, and waits for it. */
  async stop(): Promise<void> {
    const reason = new AppError('unavailable', 'The platform is stopping. Submit the job again.')
    for (const active of this.#active.values()) active.controller.abort(reason)
    await Promise.all(this.#queues.values())
  }

  /** Accepts a job and answers at once. The same `requestId` again answers the first job. */
  async submit(place: Place, request: JobRequest, who: Principal): Promise<Job> {
    const { jobs, clusters, clock } = this.#options
    const known = request.requestId === null ? null : await jobs.findByRequest(place, request.requestId)
    if (known) return known
    const cluster = await clusters.find(place, request.clusterName)
    if (cluster.status.state !== 'RUNNING')
      throw new AppError(
        'invalid',
        `Cannot submit a job to cluster "${cluster.name}": it is ${cluster.status.state}. Wait until it is RUNNING, or create it anew.`,
      )
    const id = request.id ?? newId()
    const job: Job = {
      ...place,
      id,
      uuid: newId(),
      requestId: request.requestId,
      clusterName: cluster.name,
      clusterUuid: cluster.uuid,
      sparkSqlJob: request.sparkSqlJob,
      labels: request.labels,
      status: { state: 'PENDING', detail: null, stateStartTime: clock.now().toISOString() },
      history: [],
      createdBy: who.subject,
      driverOutputUri: `gs://${place.project}-data/google-cloud-dataproc-metainfo/${cluster.uuid}/jobs/${id}/driveroutput`,
      inputRows: null,
      outputRows: null,
    }
    await jobs.create(job)
    this.#tell(job, 0)
    this.#enqueue({ job, cluster, who, controller: new AbortController(), progress: 0 })
    return job
  }

  /** Throws `not_found`. */
  async find(place: Place, id: string): Promise<Job> {
    const job = await this.#options.jobs.find(place, id)
    if (!job) throw new AppError('not_found', `Job "${id}" of project "${place.project}" in ${place.region} does not exist.`)
    return job
  }

  /** By its UUID. */
  isRunning(uuid: string): boolean {
    return this.#active.has(uuid)
  }

  list(place: Place): Promise<Job[]> {
    return this.#options.jobs.list(place)
  }

  output(job: Job): Promise<string> {
    return this.#options.jobs.output(job)
  }

  /** Asks a job to stop; one that has ended is answered as it is. */
  async cancel(place: Place, id: string, by: string): Promise<Job> {
    const job = await this.find(place, id)
    const active = this.#active.get(job.uuid)
    if (!active || active.controller.signal.aborted) return job
    await this.#move(active, 'CANCEL_PENDING', `Cancelled by ${by}.`)
    active.controller.abort(new AppError('conflict', `The job was cancelled by ${by}.`))
    return active.job
  }

  #enqueue(active: ActiveJob): void {
    const { uuid } = active.cluster
    this.#active.set(active.job.uuid, active)
    const before = this.#queues.get(uuid) ?? Promise.resolve()
    const work = before.then(() => this.#run(active)).finally(() => this.#queues.get(uuid) === work && this.#queues.delete(uuid))
    this.#queues.set(uuid, work)
  }

  /** Never rejects: what goes wrong becomes the job's state. */
  async #run(active: ActiveJob): Promise<void> {
    const { clock, clusters, timeoutMilliseconds = 3 * HOUR_MS, logger = silentLogger } = this.#options
    const { signal } = active.controller
    const done = new AbortController()
    void clock.sleep(timeoutMilliseconds, done.signal).then(() => {
      if (!done.signal.aborted)
        active.controller.abort(new AppError('unavailable', `The job took longer than ${timeoutMilliseconds / 60_000} minutes.`))
    })
    try {
      await clusters.countJob(active.cluster, 1)
      signal.throwIfAborted()
      await this.#move(active, 'SETUP_DONE')
      await this.#execute(active)
      await this.#finish(active, 'DONE', null)
    } catch (error) {
      await this.#fail(active, error).catch((problem) =>
        logger.error('A job could not be ended', { job: active.job.id, error: messageOf(problem) }),
      )
    } finally {
      done.abort()
      this.#active.delete(active.job.uuid)
      await clusters
        .countJob(active.cluster, -1)
        .catch((error) => logger.error('The end of a job was not counted', { error: messageOf(error) }))
    }
  }

  async #execute(active: ActiveJob): Promise<void> {
    const { clusters, tables, clock, openObjects, rowsPerPart = 10_000 } = this.#options
    const { signal } = active.controller
    const objects = openObjects(asJob(active))
    const session = await (await clusters.engineOf(active.cluster)).openSession()
    try {
      const statements = await this.#statements(active.job, objects, session.directory, signal)
      if (statements.some((s) => s.kind === 'readTable') && !active.who.permissions.has('warehouse.read'))
        throw new AppError('forbidden', `${active.who.subject} may not read the warehouse: that needs the permission "warehouse.read".`)
      await this.#move(active, 'RUNNING')
      const run = new ScriptRun({
        session,
        tables,
        objects,
        clock,
        rowsPerPart,
        signal,
        folders: this.#folders,
        variables: active.job.sparkSqlJob.scriptVariables,
        log: (line) => this.#log(active, line),
        onProgress: (fraction) => this.#progress(active, fraction, run),
      })
      try {
        await run.run(statements)
      } finally {
        active.job = { ...active.job, inputRows: run.inputRows, outputRows: run.outputRows }
      }
    } finally {
      await session.close()
    }
  }

  async #statements({ sparkSqlJob }: Job, objects: ObjectFolder, directory: string, signal: AbortSignal): Promise<Statement[]> {
    if (sparkSqlJob.queryFileUri === null) return sparkSqlJob.queries.flatMap((query) => parseScript(query, sparkSqlJob.scriptVariables))
    const file = join(directory, 'script.sql')
    await objects.download(sparkSqlJob.queryFileUri, file, signal)
    return parseScript(await readFile(file, 'utf8'), sparkSqlJob.scriptVariables)
  }

  #progress(active: ActiveJob, fraction: number, { inputRows, outputRows }: ScriptRun): void {
    const progress = Math.max(active.progress ?? 0, Math.min(1, fraction))
    active.progress = progress
    active.job = { ...active.job, inputRows, outputRows }
    this.#tell(active.job, progress)
  }

  async #fail(active: ActiveJob, error: unknown): Promise<void> {
    const { logger = silentLogger } = this.#options
    if (active.job.status.state === 'CANCEL_PENDING') {
      await this.#move(active, 'CANCEL_STARTED')
      return this.#finish(active, 'CANCELLED', messageOf(error))
    }
    if (!(error instanceof AppError)) logger.error('A job failed for an inner reason', { job: active.job.id, error: messageOf(error) })
    await this.#finish(active, 'ERROR', publicMessage(error))
  }

  async #finish(active: ActiveJob, state: JobState, detail: string | null): Promise<void> {
    if (detail !== null) this.#log(active, detail)
    await this.#keepOutput(active)
    if (state === 'DONE') active.progress = 1
    await this.#move(active, state, detail)
  }

  /** The driver's output also lies where Dataproc's clients look for it. */
  async #keepOutput({ job, who }: ActiveJob): Promise<void> {
    const { jobs, openObjects, logger = silentLogger } = this.#options
    const directory = await mkdtemp(join(tmpdir(), 'daggerboard-job-'))
    try {
      const file = join(directory, 'output')
      await writeFile(file, await jobs.output(job))
      await openObjects(asJob({ job, who })).upload(`${job.driverOutputUri}.000000000`, file, 'text/plain', AbortSignal.timeout(30_000))
    } catch (error) {
      logger.warn('The output of a job was not stored in the bucket', { job: job.id, error: messageOf(error) })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  async #move(active: ActiveJob, state: JobState, detail: string | null = null): Promise<void> {
    active.job = moveJob(active.job, state, this.#options.clock.now(), detail)
    await this.#options.jobs.update(active.job)
    this.#tell(active.job, active.progress)
  }

  #log({ job }: ActiveJob, line: string): void {
    const { jobs, clock, logger = silentLogger } = this.#options
    jobs
      .appendOutput(job, `${clock.now().toISOString()} ${line}`)
      .catch((error) => logger.warn('A line of a job was lost', { job: job.id, error: messageOf(error) }))
  }

  #tell(job: Job, progress: number | null): void {
    this.#options.events.emit('job.changed', job.createdBy, {
      jobId: job.id,
      clusterName: job.clusterName,
      state: job.status.state,
      progress,
      detail: job.status.detail,
      inputRows: job.inputRows,
      outputRows: job.outputRows,
    })
  }
}

/** A job may outlive the task that submitted it, so it acts in its own name, with no more rights than that task had. */
const asJob = ({ job, who }: Pick<ActiveJob, 'job' | 'who'>): Principal =>
  principal(
    `job:${job.uuid}`,
    JOB_PERMISSIONS.filter((permission) => who.permissions.has(permission)),
  )
